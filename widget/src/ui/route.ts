import type { RunStatus } from "../api/records";
import { ALL, type Filter } from "../live/runs";

/** What is shown, as the hash of the page's address says: a link to it, and the way back. */
export type Route =
  | { readonly view: "runs"; readonly filter: Filter }
  | { readonly view: "run"; readonly id: string }
  | { readonly view: "sweep"; readonly id: string }
  | { readonly view: "sweeps" }
  | { readonly view: "alerts" };

export const STATUSES: readonly RunStatus[] = [
  "running",
  "launching",
  "queued",
  "ready",
  "finished",
  "failed",
  "stopped",
];

const ONE = /^\/(run|sweep)s\/([A-Za-z0-9_-]{1,64})$/;

/** Whatever it doesn't know leads to all runs. */
export function routeOf(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?");
  const [, view, id] = ONE.exec(path) ?? [];
  if (id !== undefined) return { view: view === "run" ? "run" : "sweep", id };
  if (path === "/sweeps" || path === "/alerts") return { view: path === "/sweeps" ? "sweeps" : "alerts" };
  const asked = new URLSearchParams(query);
  const words = (asked.get("status") ?? "").split(",");
  const filter: Filter = {
    statuses: STATUSES.filter((status) => words.includes(status)),
    text: asked.get("q") ?? "",
    tag: asked.get("tag") ?? "",
    sweep: asked.get("sweep") ?? "",
    archived: asked.get("archived") === "1",
  };
  return { view: "runs", filter };
}

export function hashOf(route: Route): string {
  if (route.view === "run" || route.view === "sweep") return `#/${route.view}s/${route.id}`;
  if (route.view !== "runs") return `#/${route.view}`;
  const { statuses, text, tag, sweep, archived } = route.filter;
  const query = new URLSearchParams();
  if (statuses.length > 0) query.set("status", statuses.join(","));
  if (text !== "") query.set("q", text);
  if (tag !== "") query.set("tag", tag);
  if (sweep !== "") query.set("sweep", sweep);
  if (archived) query.set("archived", "1");
  const asked = query.toString();
  return `#/runs${asked && `?${asked}`}`;
}

/** The address of all runs of a sweep, or with a tag, or with a status. */
export function hashOfRuns(filter: Partial<Filter> = {}): string {
  return hashOf({ view: "runs", filter: { ...ALL, ...filter } });
}
