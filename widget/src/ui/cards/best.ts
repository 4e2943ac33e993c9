import type { Client } from "../../api/client";
import { judgedOf, type SweepRow } from "../sweeps/columns";

export interface Best {
  readonly metric: string;
  readonly value: number;
  readonly row: SweepRow;
}

const FEW = 6;

/** The best run of a sweep, if some metric tells. */
export async function bestOfSweep(client: Client, sweep_id: string, signal: AbortSignal): Promise<Best | undefined> {
  const path = { sweep_id };
  const few = await client.get("/sweeps/{sweep_id}/table", { path, query: { limit: FEW }, signal });
  const judged = judgedOf([...new Set(few.flatMap((row) => Object.keys(row.metrics)))]);
  if (judged === undefined) return undefined;
  const { metric, mode } = judged;
  const order = mode === "min" ? "asc" : "desc";
  const query = { metrics: mode, sort: `metrics.${metric}`, order, limit: 1 } as const;
  const [row] = await client.get("/sweeps/{sweep_id}/table", { path, query, signal });
  const value = row?.metrics[metric];
  return row === undefined || value === undefined || value === null ? undefined : { metric, value, row };
}
