import { Client, type Fetch } from "../api/client";
import type { OpenTerminal } from "../live/attachment";
import { SharedEvents } from "../live/shared";
import type { Visibility } from "../live/connection";
import { mount, ofPage } from "./mount";
import { memoryNavigation } from "./navigation";

/** A part of somebody else's page: of a notebook's cell, or of a tab in JupyterLab. */
export interface Place {
  /** The address of our routes, as `findBase` gives it. */
  readonly base: string;
  /** Ours, and empty; how large it is, is the host's to say. */
  readonly element: HTMLElement;
  /** Instead of the browser's own, where the server can't be reached from the page. */
  readonly fetch?: Fetch | undefined;
}

export interface PanelPlace extends Place {
  /** Where to begin, as `#/runs/…`. */
  readonly address?: string | undefined;
  /** Told of each address, for a host that comes back to it. */
  readonly moved?: ((address: string) => void) | undefined;
  /** For a host that has tabs for terminals. */
  readonly openTerminal?: OpenTerminal | undefined;
}

export interface Panel {
  readonly go: (address: string) => void;
  /** Take it away again. */
  readonly close: () => void;
}

/** Show the panel there. */
export function embedPanel({ base, element, fetch, address = "", moved, openTerminal }: PanelPlace): Panel {
  const { container, styles, visibility, remove } = embed(element);
  const { client, events } = serverOf(base, fetch);
  const page = fetch === undefined ? `${base}/app` : undefined;
  const navigation = memoryNavigation({ address, page, ...(moved && { moved }) });
  const unmount = mount({
    base,
    element: container,
    styles,
    visibility,
    navigation,
    openTerminal,
    shared: { client, join: (listener) => events.join(listener, visibility) },
  });
  return {
    go: navigation.go,
    close: () => {
      unmount();
      remove();
    },
  };
}

interface Embedded {
  readonly container: HTMLElement;
  readonly styles: ShadowRoot;
  readonly visibility: Visibility;
  readonly remove: () => void;
}

/** A shadow root, which keeps our styles and the page's apart, with what the page says of light and dark. */
export function embed(element: HTMLElement): Embedded {
  const styles = element.shadowRoot ?? element.attachShadow({ mode: "open" });
  const container = document.createElement("div");
  container.className = "ra-embedded";
  styles.replaceChildren(container);
  const ends = [followTheme(container), leaveKeys(element, styles)];
  const { visibility, end } = seen(element);
  return {
    container,
    styles,
    visibility,
    remove: () => {
      for (const each of [...ends, end]) each();
      container.remove();
    },
  };
}

/** What a kind of server is reached by, shared by all in the page. */
export function serverOf(base: string, fetch?: Fetch): Server {
  const found = fetch === undefined ? servers.get(base) : undefined;
  if (found !== undefined) return found;
  const client = new Client(base, () => document.cookie, fetch);
  const made = { client, events: new SharedEvents(client) };
  if (fetch === undefined) servers.set(base, made);
  return made;
}

export interface Server {
  readonly client: Client;
  readonly events: SharedEvents;
}

const servers = new Map<string, Server>();

/** Light or dark, as JupyterLab and VS Code say of their page; others leave it to the browser. */
function followTheme(container: HTMLElement): () => void {
  const apply = (): void => {
    const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
    const isLight = jpThemeLight ?? (vscodeThemeKind && String(vscodeThemeKind.includes("light")));
    if (isLight === undefined || isLight === "") delete container.dataset["jpThemeLight"];
    else container.dataset["jpThemeLight"] = isLight;
  };
  apply();
  const observer = new MutationObserver(apply);
  observer.observe(document.body, { attributes: true });
  return () => observer.disconnect();
}

/** What is typed into a field of ours is no command of the notebook around it. */
function leaveKeys(element: HTMLElement, styles: ShadowRoot): () => void {
  const changed = (event: Event): void => {
    const { target } = event;
    const isTyping =
      event.type === "focusin" && target instanceof HTMLElement && target.matches("input, textarea, select");
    // https://lumino.readthedocs.io/en/latest/api/classes/commands.CommandRegistry.html#processkeydownevent
    if (isTyping) element.dataset["lmSuppressShortcuts"] = "true";
    else delete element.dataset["lmSuppressShortcuts"];
  };
  styles.addEventListener("focusin", changed);
  styles.addEventListener("focusout", changed);
  return () => {
    styles.removeEventListener("focusin", changed);
    styles.removeEventListener("focusout", changed);
  };
}

/** Whether the element is in view, in a page that is. */
function seen(element: HTMLElement): { visibility: Visibility; end: () => void } {
  const watchers = new Set<() => void>();
  let isInView = false;
  const tell = (): void => watchers.forEach((watcher) => watcher());
  const observer = new IntersectionObserver((entries) => {
    isInView = entries.at(-1)?.isIntersecting ?? false;
    tell();
  });
  observer.observe(element);
  const unwatch = ofPage.watch(tell);
  return {
    visibility: {
      visible: () => isInView && ofPage.visible(),
      watch: (changed) => {
        watchers.add(changed);
        return () => watchers.delete(changed);
      },
    },
    end: () => {
      observer.disconnect();
      unwatch();
    },
  };
}
