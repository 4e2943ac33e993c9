import type { components } from "../../api/schema";

export type SweepRow = components["schemas"]["SweepRow"];

const LOW = /^(?!neg_).*(loss|err|mse|mae|mape|perplexity|nll|brier)/i;
const HIGH = /^(?!neg_).*(acc(uracy)?(?![a-z])|f1|auc|reward|score|map(?![a-z])|bleu|iou|(?<![a-z])r2)/i;
const JUDGING = /val|test|eval|dev/i;

export interface Columns {
  /** Parameters that differ from run to run; those that don't say nothing about any. */
  readonly parameters: readonly string[];
  readonly metrics: readonly string[];
}

export function columnsOf(rows: readonly SweepRow[]): Columns {
  const values = new Map<string, Set<string>>();
  const metrics = new Set<string>();
  for (const row of rows) {
    for (const [name, value] of Object.entries(row.parameters)) {
      values.set(name, (values.get(name) ?? new Set()).add(JSON.stringify(value)));
    }
    for (const name of Object.keys(row.metrics)) metrics.add(name);
  }
  const differing = [...values].filter(([, each]) => each.size > 1 || rows.length === 1).map(([name]) => name);
  return { parameters: differing, metrics: [...metrics] };
}

/** Whether less is better, as the name of a metric says. */
export function isLessBetter(name: string): boolean {
  return /loss|err|mse|mae|perplexity|ppl|nll|fid|latency|time/i.test(name);
}

/** Of which metric the best is worth showing; undefined where that is not clear. As `cells/plain` has it. */
export function judgedOf(names: readonly string[]): { metric: string; mode: "min" | "max" } | undefined {
  const ordered = [...names].sort((one, other) => Number(!JUDGING.test(one)) - Number(!JUDGING.test(other)));
  const lowest = ordered.find((name) => LOW.test(name));
  if (lowest !== undefined) return { metric: lowest, mode: "min" };
  const highest = ordered.find((name) => HIGH.test(name));
  return highest === undefined ? undefined : { metric: highest, mode: "max" };
}

/** The run with the best value of a metric, if any has one. */
export function bestOf(rows: readonly SweepRow[], metric: string): string | undefined {
  let best: { readonly id: string; readonly value: number } | undefined;
  const sign = isLessBetter(metric) ? -1 : 1;
  for (const { run_id, metrics } of rows) {
    const value = metrics[metric] ?? NaN;
    if (!Number.isFinite(value)) continue;
    if (best === undefined || sign * value > sign * best.value) best = { id: run_id, value };
  }
  return best?.id;
}
