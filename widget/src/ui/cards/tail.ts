import { useEffect, useState } from "preact/hooks";
import type { Client } from "../../api/client";
import { ACTIVE, type Run } from "../../api/records";
import type { Visibility } from "../../live/connection";
import { Lines } from "../../log/lines";
import type { Row } from "../../log/row";

const BYTES = 4_096;
const SHOWN = 6;
/** A stream for each card would take the connections that a browser has to a server. */
const EVERY = 1_000;

/** The last rows of what a run has printed: asked for each second while it is at work and the card is in view. */
export function useTail(client: Client, run: Run, visibility: Visibility): readonly Row[] {
  const [rows, setRows] = useState<readonly Row[]>([]);
  const isActive = ACTIVE.has(run.status);
  const hasBegun = isActive || (run.started_at ?? null) !== null;
  useEffect(() => {
    if (!hasBegun) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isAsking = false;
    const look = async (): Promise<void> => {
      clearTimeout(timer);
      if (isAsking || !visibility.visible()) return;
      isAsking = true;
      try {
        setRows(await lastRows(client, run.id, abort.signal));
      } catch {
        // What is shown stays; the next look may find more.
      }
      isAsking = false;
      if (isActive && !abort.signal.aborted) timer = setTimeout(() => void look(), EVERY);
    };
    const unwatch = visibility.watch(() => void look());
    void look();
    return () => {
      abort.abort();
      clearTimeout(timer);
      unwatch();
    };
  }, [client, run.id, hasBegun, isActive, visibility]);
  return rows;
}

async function lastRows(client: Client, run_id: string, signal: AbortSignal): Promise<readonly Row[]> {
  const query = { offset: -BYTES, limit: BYTES };
  const page = await client.get("/runs/{run_id}/logs", { path: { run_id }, query, signal });
  const lines = new Lines();
  lines.reset(page);
  const rows: Row[] = [];
  // The first one is half a row, most likely; a bar that is drawn over and over is one row alone.
  const first = page.has_more_before ? Math.min(lines.first + 1, lines.last - 1) : lines.first;
  for (let at = lines.last - 1; at >= first && rows.length < SHOWN; at--) {
    const row = lines.row(at);
    if (row !== undefined && (row.text !== "" || rows.length > 0)) rows.unshift(row);
  }
  return rows;
}
