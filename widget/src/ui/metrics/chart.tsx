import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type * as Heavy from "../../heavy/chart";
import { number } from "../../format";
import { colourOf, watchColours } from "../colours";
import { columnsOf, type Point } from "./series";

const HEIGHT = 190;

/** One run's values of a metric. */
export interface Curve {
  readonly id: string;
  readonly label: string;
  /** Which of the colours for series. */
  readonly colour: number;
  readonly points: readonly Point[];
}

interface Props {
  readonly heavy: typeof Heavy;
  readonly name: string;
  readonly curves: readonly Curve[];
  readonly share: number;
  readonly isLog: boolean;
}

/** A metric over its steps, of one run or several. Drag to zoom, double click to see it all. */
export function Chart({ heavy, name, curves, share, isLog }: Props): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<Heavy.Chart | null>(null);
  const [colours, setColours] = useState(0);
  const isSmoothed = share > 0;
  const isAlone = curves.length === 1;
  const drawn = curves.map(({ id, label, colour }) => `${id} ${colour} ${label}`).join("\n");

  useEffect(() => watchColours(() => setColours((count) => count + 1)), []);

  /** Of one run its values too, behind the smoothed ones. */
  function data(): Heavy.Chart.AlignedData {
    const tables = curves.map(({ points }) => {
      const [steps, values, smooth] = columnsOf(points, share, isLog);
      return smooth === undefined ? [steps, values] : isAlone ? [steps, values, smooth] : [steps, smooth];
    });
    if (tables.length === 0) return [[]];
    return heavy.Chart.join(tables as Heavy.Chart.AlignedData[]);
  }

  useEffect(() => {
    const element = place.current as HTMLDivElement;
    const style = getComputedStyle(element);
    const colour = (variable: string): string => colourOf(element, variable);
    const axis = {
      stroke: colour("--ra-faint"),
      grid: { stroke: colour("--ra-line"), width: 1 },
      ticks: { show: false },
    };
    const font = `11px ${style.fontFamily}`;
    const value = (_: unknown, shown: number | null | undefined): string => (shown == null ? "" : number(shown));
    const lines = curves.map(({ label, colour: n, points }) => ({
      label: isAlone ? (isSmoothed ? "smoothed" : name) : label,
      stroke: colour(`--ra-series-${n}`),
      width: 1.5,
      points: { show: points.length < 2 },
      value,
    }));
    const raw = { label: name, stroke: colour("--ra-line-strong"), width: 1, points: { show: false }, value };
    const made = new heavy.Chart(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: true, live: true },
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- uPlot has it as a type alone
        scales: { x: { time: false }, y: isLog ? { distr: 3 } : {} },
        axes: [
          { ...axis, font, size: 28 },
          { ...axis, font, size: 48, values: (_, ticks) => ticks.map((tick) => number(tick, 3)) },
        ],
        series: [{ label: "step" }, ...(isSmoothed && isAlone ? [raw] : []), ...lines],
      },
      data(),
      element,
    );
    chart.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [heavy, name, drawn, isLog, isSmoothed, colours]);

  useEffect(() => {
    const { current } = chart;
    if (current === null) return;
    // A zoom stays while points are added.
    const isZoomed = isPart(current);
    current.setData(data(), !isZoomed);
    if (isZoomed) current.redraw();
  }, [curves.map(({ points }) => points.length).join(), curves.at(0)?.points, share, isLog, drawn]);

  const last = curves[0]?.points.at(-1);
  const about = isAlone
    ? `${curves[0]?.points.length ?? 0} points, the last ${last ? number(last.value) : "none"}`
    : curves.map(({ label, points }) => `${label} ${number(points.at(-1)?.value ?? NaN)}`).join(", ");
  return (
    <figure class={isAlone ? "ra-chart" : "ra-chart ra-chart-several"} aria-label={`${name}: ${about}`}>
      <figcaption>
        {name} <span class="ra-faint">{isAlone && last && number(last.value)}</span>
      </figcaption>
      <div ref={place} />
    </figure>
  );
}

function isPart(chart: Heavy.Chart): boolean {
  const steps = chart.data[0];
  const { min, max } = chart.scales["x"] as Heavy.Chart.Scale;
  return min != null && max != null && (min > (steps[0] as number) || max < (steps.at(-1) as number));
}
