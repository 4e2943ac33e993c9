import type { Page } from "./bytes";

/** What to ask `/logs` for. */
export interface Ask {
  readonly offset: number;
  readonly limit: number;
}

/** The most that a page holds. */
export const PAGE = 102_400;

type Gap = Page["gap"];

/** The page that ends at `start`, or undefined at the beginning of the log. Over the gap it is one step. */
export function older(start: number, gap: Gap): Ask | undefined {
  if (start <= 0) return undefined;
  // The server tells the whole gap whichever byte of it is asked for.
  if (start === gap?.end) return { offset: gap.start, limit: 1 };
  const floor = gap && start > gap.end ? gap.end : 0;
  const offset = Math.max(floor, start - PAGE);
  return { offset, limit: start - offset };
}

/** The page that begins at `end`. */
export function newer(end: number): Ask {
  return { offset: end, limit: PAGE };
}

/** A page with the byte at `offset` in its middle: where to begin anew for a place that isn't held. */
export function around(offset: number): Ask {
  return { offset: Math.max(0, offset - PAGE / 2), limit: PAGE };
}

/** The end of the log: where to begin. */
export const END: Ask = { offset: -PAGE, limit: PAGE };
