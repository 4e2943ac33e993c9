/** uPlot, a chunk of its own: import() it when a chart is first shown. */
export { default as Chart } from "uplot";
export { default as css } from "uplot/dist/uPlot.min.css";
