import type { OpenTerminal } from "../panel";
import { frame } from "../frame";
import { base, bundle } from "./bundle";
import type { LuminoWidget, MimeModel } from "./contract";

/** What Python's side writes into the outputs of cells: a card or a panel, by the id of what it shows. */
export const MIME = "application/vnd.jupyter-ra-jobs+json";

const ID = /^[A-Za-z0-9_-]{1,64}$/;

export interface Sanitizer {
  sanitize: (html: string) => string;
}

/** What the application around the notebook can open in tabs. */
export interface Tabs {
  readonly open: ((address: string) => void) | undefined;
  readonly openTerminal: OpenTerminal | undefined;
}

/** Shows the snapshot in the output; and in its place, as soon as the server knows what it is of, what is live. */
export function renderer(widget: LuminoWidget, sanitizer: Sanitizer, tabs: Tabs): object {
  let shown = "";
  let end: (() => void) | undefined;
  widget.disposed.connect(() => end?.());
  const renderModel = async (model: MimeModel): Promise<void> => {
    const told = JSON.stringify(model.data[MIME]);
    if (told === shown) return;
    shown = told;
    end?.();
    end = undefined;
    const snapshot = document.createElement("div");
    snapshot.className = "jp-RenderedHTMLCommon jp-RenderedHTML";
    // Whether this notebook is trusted or not.
    const { "text/html": html, "text/plain": text } = model.data;
    if (typeof html === "string") snapshot.innerHTML = sanitizer.sanitize(html);
    else if (typeof text === "string") snapshot.textContent = text;
    const live = document.createElement("div");
    widget.node.replaceChildren(snapshot, live);
    try {
      const made = await show(JSON.parse(told) as unknown, live, () => snapshot.remove(), tabs);
      if (shown === told && !widget.isDisposed) end = made;
      else made();
    } catch (problem) {
      console.warn("jupyter_ra_jobs: the snapshot stays, since what is live can't be had:", problem);
    }
  };
  return Object.assign(widget, { renderModel });
}

async function show(told: unknown, live: HTMLElement, ready: () => void, tabs: Tabs): Promise<() => void> {
  const { view, id, address, height } = told as Readonly<Record<string, unknown>>;
  const { panel, card } = await bundle();
  if ((view === "run" || view === "sweep") && typeof id === "string" && ID.test(id)) {
    return card({ base: base(), element: live, kind: view, id, open: tabs.open, shown: ready });
  }
  if (view !== "panel") throw new Error("this output is of a newer version");
  ready();
  frame(live, height);
  const where = { base: base(), element: live, address: typeof address === "string" ? address : "" };
  const made = await panel({ ...where, openTerminal: tabs.openTerminal });
  return made.close;
}
