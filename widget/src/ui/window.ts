/** Rows that are drawn of many: [from, to). */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Those in view of rows of one height, and `around` more on both sides. */
export function inView(top: number, viewport: number, height: number, count: number, around: number): Span {
  const first = Math.floor(Math.max(0, top) / height);
  const last = Math.ceil((Math.max(0, top) + viewport) / height);
  const to = Math.min(count, last + around);
  return { from: Math.max(0, Math.min(first - around, to)), to };
}

/** Where to scroll to, so that a row is seen whole, as little as that takes. */
export function revealing(index: number, top: number, viewport: number, height: number): number {
  if (index * height < top) return index * height;
  return Math.max(top, (index + 1) * height - viewport);
}
