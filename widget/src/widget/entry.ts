/** The widget, as anywidget loads it: it shows a snapshot, and what is live as soon as the server answers. */
import { findBase } from "../api/base";
import { frame } from "../frame";
import type * as Panel from "../panel";
import { Kernel, type Model } from "./model";
import { BASE, transport } from "./transport";

interface Told {
  readonly view: "run" | "sweep" | "panel";
  readonly id?: string;
  readonly address?: string;
  readonly height?: number;
}

/** How the server is reached: its address, and a way of ours if the browser has none. */
interface Way {
  readonly panel: typeof Panel;
  readonly base: string;
  readonly fetch?: ReturnType<typeof transport>;
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const told = model.get("_told") as Told;
  const snapshot = document.createElement("div");
  snapshot.innerHTML = model.get("_snapshot") as string; // ours, and escaped there
  const live = document.createElement("div");
  el.replaceChildren(snapshot, live);
  const kernel = new Kernel(model);
  let end: (() => void) | undefined;
  let isGone = false;
  void show(
    told,
    live,
    () => snapshot.remove(),
    () => wayOf(model, kernel),
  ).then((made) => {
    if (isGone) made();
    else end = made;
  });
  return () => {
    isGone = true;
    end?.();
    kernel.close();
  };
}

async function show(
  { view, id, address, height }: Told,
  element: HTMLElement,
  shown: () => void,
  way: () => Promise<Way>,
): Promise<() => void> {
  const { panel, base, fetch } = await way();
  if (view !== "panel") return panel.card({ base, element, fetch, kind: view, id: id ?? "", shown });
  shown();
  frame(element, height);
  return (await panel.panel({ base, element, fetch, address })).close;
}

async function wayOf(model: Model, kernel: Kernel): Promise<Way> {
  const told = model.get("_base") as string | null;
  const base = told === null ? undefined : findBase({ document }, new URL(told).pathname);
  if (base !== undefined) {
    try {
      return { panel: (await import(`${base}/panel.js`)) as typeof Panel, base };
    } catch (problem) {
      console.warn("jupyter_ra_jobs: asks the kernel, since the server can't be reached from here:", problem);
    }
  }
  const { body } = await kernel.ask({});
  const code = URL.createObjectURL(new Blob([body ?? ""], { type: "text/javascript" }));
  try {
    return { panel: (await import(code)) as typeof Panel, base: BASE, fetch: transport(kernel) };
  } finally {
    URL.revokeObjectURL(code);
  }
}

export default { render };
