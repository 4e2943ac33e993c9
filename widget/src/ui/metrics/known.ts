import { useEffect, useState } from "preact/hooks";
import { ACTIVE, type Run } from "../../api/records";
import type { components } from "../../api/schema";
import { type Session, wordsOf } from "../session";

export type RunMetrics = components["schemas"]["RunMetrics"];

const POINTS = 1_000;
const AGAIN = 5_000;

export interface Known {
  /** By the ids of runs, as far as they are here. */
  readonly metrics: ReadonlyMap<string, RunMetrics>;
  readonly problem: string | null;
}

/** The metrics of these runs; of those at work, asked for again and again while the page is seen. */
export function useMetrics(session: Session, runs: readonly Run[]): Known {
  const [known, setKnown] = useState<Known>({ metrics: new Map(), problem: null });
  const wanted = runs.map((run) => `${run.id} ${ACTIVE.has(run.status)}`).join("\n");
  useEffect(() => {
    const abort = new AbortController();
    const look = async (id: string): Promise<void> => {
      try {
        const asked = { path: { run_id: id }, query: { points: POINTS }, signal: abort.signal };
        const found = await session.client.get("/runs/{run_id}/metrics", asked);
        setKnown(({ metrics }) => ({ metrics: new Map(metrics).set(id, found), problem: null }));
      } catch (raised) {
        if (!abort.signal.aborted) setKnown(({ metrics }) => ({ metrics, problem: wordsOf(raised) }));
      }
    };
    const each = wanted.split("\n").filter(Boolean);
    for (const one of each) void look(one.split(" ")[0] as string);
    const active = each.flatMap((one) => (one.endsWith(" true") ? [one.split(" ")[0] as string] : []));
    const again = (): void => {
      if (session.visibility.visible()) for (const id of active) void look(id);
    };
    const timer = active.length > 0 ? setInterval(again, AGAIN) : undefined;
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [session, wanted]);
  return known;
}
