import { useEffect, useState } from "preact/hooks";
import type { Client } from "../../api/client";
import type { Run } from "../../api/records";

/**
 * Whether a run's empty log is not what it printed, but what is left when its folder was removed: its sidecar wrote
 * a log of its own first of all, and that is gone too.
 */
export function useGone(client: Client, { id, started_at }: Run, isEmpty: boolean): boolean {
  const [isGone, setGone] = useState(false);
  const isAsked = isEmpty && (started_at ?? null) !== null;
  useEffect(() => {
    setGone(false);
    if (!isAsked) return;
    const abort = new AbortController();
    const ask = { path: { run_id: id }, query: { offset: -1, limit: 1 }, signal: abort.signal };
    client.get("/runs/{run_id}/sidecar-logs", ask).then(
      ({ total_size }) => setGone(total_size === 0),
      () => undefined, // then nobody knows
    );
    return () => abort.abort();
  }, [client, id, isAsked]);
  return isGone;
}
