import { endOfError, type Kind, kindOf } from "../../log/errors";
import type { Lines } from "../../log/lines";
import type { Row } from "../../log/row";

/** Rows are never changed, so what one says need not be asked for again. */
const known = new WeakMap<Row, Kind | "">();
/** So far above what is drawn, the beginning of a traceback that reaches into it is looked for. */
const ABOVE = 200;

function kind(row: Row): Kind | "" {
  let found = known.get(row);
  if (found === undefined) {
    found = kindOf(row.text) ?? "";
    known.set(row, found);
  }
  return found;
}

/** The rows of [from, to) that say that something went wrong, all those of a traceback included. */
export function kindsOf(lines: Lines, from: number, to: number): ReadonlyMap<number, Kind> {
  const found = new Map<number, Kind>();
  for (let at = Math.max(lines.first, from - ABOVE); at < to; at++) {
    const row = lines.row(at);
    const what = row === undefined ? "" : kind(row);
    if (what === "") continue;
    if (what !== "traceback") {
      found.set(at, what);
      continue;
    }
    const end = endOfError(lines, at);
    for (let inside = at; inside < end; inside++) found.set(inside, "traceback");
    at = end - 1;
  }
  return found;
}
