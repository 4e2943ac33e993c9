export interface Point {
  readonly step: number;
  readonly value: number;
}

/** As uPlot takes it: steps, values, and, when they are smoothed, the smoothed ones. */
export type Columns = [number[], (number | null)[], (number | null)[]?];

/**
 * Each value with a share of those before it: 0 leaves them as they are, 0.9 looks ten points back.
 *
 * The first ones are not drawn towards zero. What is no number stays what it is, and has no share.
 */
export function smoothed(values: readonly number[], share: number): number[] {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    sum = sum * share + value;
    weight = weight * share + 1;
    return sum / weight;
  });
}

/** The points in the order of their steps; what a logarithmic scale can't show is left out of it. */
export function columnsOf(points: readonly Point[], share: number, isLog: boolean): Columns {
  const sorted = [...points].sort((one, other) => one.step - other.step);
  const values = sorted.map(({ value }) => value);
  const shown = (value: number): number | null => (Number.isFinite(value) && (!isLog || value > 0) ? value : null);
  const columns: Columns = [sorted.map(({ step }) => step), values.map(shown)];
  if (share > 0) columns.push(smoothed(values, share).map(shown));
  return columns;
}

/** Names of metrics in the order in which they are looked at: losses, then the rest by name. */
export function inOrder(names: readonly string[]): string[] {
  const rank = (name: string): number => (/loss/i.test(name) ? 0 : /acc|f1|auc|score/i.test(name) ? 1 : 2);
  return [...names].sort((one, other) => rank(one) - rank(other) || one.localeCompare(other));
}
