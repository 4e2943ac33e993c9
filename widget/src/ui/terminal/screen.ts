import type { ITheme, Terminal } from "@xterm/xterm";
import type * as Heavy from "../../heavy/terminal";
import type { Size } from "../../live/attachment";
import { adopt } from "../adopt";
import { copy } from "../clipboard";
import { colourOf, watchColours } from "../colours";

const FONT = 12.5;
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;

/** What happens at the keyboard and to the size of a screen. */
export interface Listener {
  readonly typed: (text: string) => void;
  readonly resized: (size: Size) => void;
  /** Somebody wants to be elsewhere: Tab belongs to the run. */
  readonly left: () => void;
}

export interface Screen {
  readonly show: (text: string) => void;
  readonly close: () => void;
}

/** An empty terminal that fills the element, in its colours, and has the focus. */
export function openScreen(heavy: typeof Heavy, element: HTMLElement, listener: Listener): Screen {
  adopt(element.getRootNode() as Document | ShadowRoot, heavy.css);
  const terminal = new heavy.Terminal({
    fontFamily: getComputedStyle(element).fontFamily,
    fontSize: FONT,
    theme: themeOf(element),
    minimumContrastRatio: 4.5,
    scrollback: 0, // the log has all of it
  });
  swallowQueries(terminal);
  const fit = new heavy.FitAddon();
  terminal.loadAddon(fit);
  terminal.attachCustomKeyEventHandler((event) => isOurs(terminal, event, listener));
  // With nothing to scroll back to, it would press arrow keys.
  terminal.attachCustomWheelEventHandler(() => terminal.modes.mouseTrackingMode !== "none");
  terminal.onData(listener.typed);
  terminal.onBinary(listener.typed);
  const sized = ({ rows, cols }: { rows: number; cols: number }): void =>
    listener.resized([rows, cols, element.clientHeight, element.clientWidth]);
  terminal.onResize(sized);
  terminal.open(element);
  const observer = new ResizeObserver(() => fit.fit());
  observer.observe(element);
  fit.fit();
  sized(terminal);
  terminal.focus();
  const unwatch = watchColours(() => (terminal.options.theme = themeOf(element)));
  return {
    show: (text) => terminal.write(text),
    close: () => {
      unwatch();
      observer.disconnect();
      terminal.dispose();
    },
  };
}

/** False for keys that are not the run's. */
function isOurs(terminal: Terminal, event: KeyboardEvent, { left }: Listener): boolean {
  const { key, shiftKey } = event;
  const isCommand = event.ctrlKey || event.metaKey;
  if (isCommand && shiftKey && key === "Enter") {
    if (event.type === "keydown") left();
    return false;
  }
  // As in JupyterLab: with something selected it is a copy, not an interrupt; a paste is the browser's.
  if (isCommand && key.toLowerCase() === "c" && terminal.hasSelection()) {
    if (event.type === "keydown") {
      event.preventDefault();
      void copy(terminal.getSelection()).then(() => terminal.focus());
      terminal.clearSelection();
    }
    return false;
  }
  return !(isCommand && key.toLowerCase() === "v");
}

/**
 * Answer no question about what we are. tmux asks at its beginning and waits for a moment; what comes later, over a
 * slow network, it takes for keys, and they would be typed into the run.
 */
function swallowQueries({ parser }: Terminal): void {
  const swallow = (): boolean => true;
  for (const prefix of ["", ">", "="]) parser.registerCsiHandler({ ...(prefix && { prefix }), final: "c" }, swallow);
  for (const prefix of ["", "?"]) {
    parser.registerCsiHandler({ ...(prefix && { prefix }), final: "n" }, swallow);
    parser.registerCsiHandler({ ...(prefix && { prefix }), intermediates: "$", final: "p" }, swallow);
  }
  parser.registerCsiHandler({ prefix: ">", final: "q" }, swallow);
  parser.registerCsiHandler({ final: "t" }, swallow);
  for (const intermediates of ["$", "+"]) parser.registerDcsHandler({ intermediates, final: "q" }, swallow);
  // To set a colour is no question.
  for (const code of [4, 10, 11, 12]) parser.registerOscHandler(code, (data) => data.endsWith("?"));
}

function themeOf(element: HTMLElement): ITheme {
  const colour = (variable: string): string => colourOf(element, variable);
  const theme: Record<string, string> = {
    background: colour("--ra-log-bg"),
    foreground: colour("--ra-log-text"),
    cursor: colour("--ra-accent"),
    cursorAccent: colour("--ra-log-bg"),
    selectionBackground: colour("--ra-selection"),
  };
  NAMES.forEach((name, n) => {
    theme[name] = colour(`--ra-c${n}`);
    theme[`bright${name.charAt(0).toUpperCase()}${name.slice(1)}`] = colour(`--ra-c${n + 8}`);
  });
  return theme;
}
