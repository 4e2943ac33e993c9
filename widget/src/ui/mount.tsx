import { render } from "preact";
import { Client } from "../api/client";
import type { OpenTerminal } from "../live/attachment";
import type { Visibility } from "../live/connection";
import { type Channel, Events, type Listener } from "../live/events";
import { adopt } from "./adopt";
import { App } from "./app";
import type { Navigation } from "./navigation";
import { Session } from "./session";
import base from "./style/base.css";
import log from "./style/log.css";
import run from "./style/run.css";
import runs from "./style/runs.css";
import terminal from "./style/terminal.css";
import tokens from "./style/tokens.css";

const STYLES = [tokens, base, runs, run, log, terminal];

export interface Host {
  /** The address of our routes, as `findBase` gives it. */
  readonly base: string;
  readonly element: HTMLElement;
  /** Where our style sheets go: the document, or the shadow root that the element is in. */
  readonly styles: Document | ShadowRoot;
  readonly navigation: Navigation;
  /** A connection that is shared with others in the page; without it, one of its own. */
  readonly shared?: { readonly client: Client; readonly join: (listener: Listener) => Channel };
  /** Told what is shown, in words. */
  readonly titled?: (title: string) => void;
  /** For a host that has tabs for terminals. */
  readonly openTerminal?: OpenTerminal | undefined;
  /** Whether the element is seen; without it, whether the page is. */
  readonly visibility?: Visibility;
}

/** Show the panel; the function that it gives takes it away again. */
export function mount(host: Host): () => void {
  const { base: address, element, styles, navigation, shared, visibility = ofPage } = host;
  const sheets = STYLES.map((text) => adopt(styles, text));
  const client = shared?.client ?? new Client(address, () => document.cookie);
  const join = shared?.join ?? ((listener) => new Events(client, listener, visibility));
  const session = new Session(client, visibility, navigation, join, host.openTerminal);
  const unfollow = navigation.follow(element);
  // Who logged in elsewhere comes back here.
  const focused = (): void => {
    if (session.events.link.peek() === "refused") session.events.retry();
  };
  window.addEventListener("focus", focused);
  render(<App session={session} login={loginOf(address)} titled={host.titled} />, element);
  return () => {
    render(null, element);
    unfollow();
    window.removeEventListener("focus", focused);
    session.close();
    styles.adoptedStyleSheets = styles.adoptedStyleSheets.filter((sheet) => !sheets.includes(sheet));
  };
}

/** The page's own: hidden in another tab, or minimized. */
export const ofPage: Visibility = {
  visible: () => !document.hidden,
  watch: (changed) => {
    document.addEventListener("visibilitychange", changed);
    return () => document.removeEventListener("visibilitychange", changed);
  },
};

function loginOf(address: string): string {
  const next = `${location.pathname}${location.hash}`;
  return `${address.replace(/\/ra-jobs$/, "")}/login?next=${encodeURIComponent(next)}`;
}
