/** xterm.js, a chunk of its own: import() it when a terminal is first shown. */
export { FitAddon } from "@xterm/addon-fit";
export { Terminal } from "@xterm/xterm";
export { default as css } from "@xterm/xterm/css/xterm.css";
