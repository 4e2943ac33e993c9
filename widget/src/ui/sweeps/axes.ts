import { number } from "../../format";

export interface Tick {
  /** From 0, the bottom, to 1. */
  readonly at: number;
  readonly label: string;
}

/** Where the values of a parameter or metric stand on an axis. */
export interface Axis {
  readonly ticks: readonly Tick[];
  /** Null for what is not on it: a run without the metric. */
  readonly place: (value: unknown) => number | null;
}

/** Beyond so many, only the ends are labelled. */
const LABELLED = 6;
/** Positive numbers that are so far apart are shown by their magnitudes: learning rates. */
const FAR = 20;

/** Numbers by their size, anything else at equal distances. */
export function axisOf(values: readonly unknown[]): Axis {
  const there = values.filter((value) => value !== null && value !== undefined);
  const numbers = there.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  if (numbers.length === 0 || numbers.length < there.length) return words(there);
  const low = numbers.reduce((one, other) => Math.min(one, other));
  const high = numbers.reduce((one, other) => Math.max(one, other));
  const scale = low > 0 && high / low >= FAR ? Math.log : (value: number) => value;
  const length = scale(high) - scale(low);
  const at = (value: number): number => (length === 0 ? 0.5 : (scale(value) - scale(low)) / length);
  const each = [...new Set(numbers)].sort((one, other) => one - other);
  const labelled = each.length <= LABELLED ? each : [low, high];
  return {
    ticks: labelled.map((value) => ({ at: at(value), label: number(value) })),
    place: (value) => (typeof value === "number" && Number.isFinite(value) ? at(value) : null),
  };
}

function words(values: readonly unknown[]): Axis {
  const each = [...new Set(values.map(wordOf))];
  const at = (n: number): number => (each.length === 1 ? 0.5 : n / (each.length - 1));
  const ticks = each.map((label, n) => ({ at: at(n), label }));
  return {
    ticks: ticks.length <= 2 * LABELLED ? ticks : ticks.filter((_, n) => n === 0 || n === ticks.length - 1),
    place: (value) => {
      const n = value === undefined ? -1 : each.indexOf(wordOf(value));
      return n < 0 ? null : at(n);
    },
  };
}

function wordOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
