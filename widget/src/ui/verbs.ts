import type { Client } from "../api/client";
import { ACTIVE, ENDED, type Run } from "../api/records";

export type Verb = "start" | "stop" | "rerun" | "archive" | "unarchive";

export const WORDS: Readonly<Record<Verb, { readonly does: string; readonly done: string }>> = {
  start: { does: "Start", done: "Started" },
  stop: { does: "Stop", done: "Stopping" },
  rerun: { does: "Rerun", done: "Started again" },
  archive: { does: "Archive", done: "Archived" },
  unarchive: { does: "Unarchive", done: "Unarchived" },
};

/** What can be done with a run as it is now; what is wanted most, first. */
export function verbsOf(run: Run): readonly Verb[] {
  const isActive = ACTIVE.has(run.status);
  // Of one in the queue nobody can see whether it only waits for a slot; a second start does nothing.
  const canStart = run.status === "ready" || (run.status === "queued" && run.sweep_id === null);
  return [
    ...(canStart ? ["start" as const] : []),
    ...((isActive || run.status === "queued") && (run.stop_requested_at ?? null) === null ? ["stop" as const] : []),
    ...(ENDED.has(run.status) ? ["rerun" as const] : []),
    ...(run.is_archived ? ["unarchive" as const] : isActive ? [] : ["archive" as const]),
  ];
}

/** What can be done with some of these runs. */
export function verbsOfAll(runs: readonly Run[]): readonly Verb[] {
  const possible = new Set(runs.flatMap(verbsOf));
  return (["start", "stop", "archive", "unarchive"] as const).filter((verb) => possible.has(verb));
}

/** Do it; what became of the run, or the new one that a rerun is. Raises as calls do. */
export async function perform(client: Client, verb: Verb, run_id: string): Promise<Run> {
  const path = { run_id };
  switch (verb) {
    case "start":
      return (await client.post("/runs/{run_id}/start", { path })).run;
    case "stop":
      return (await client.post("/runs/{run_id}/stop", { path })).run;
    case "rerun":
      return await client.post("/runs/{run_id}/rerun", { path, body: { auto_start: true } });
    case "archive":
      return (await client.post("/runs/{run_id}/archive", { path })).run;
    case "unarchive":
      return (await client.post("/runs/{run_id}/unarchive", { path })).run;
  }
}
