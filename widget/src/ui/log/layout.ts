import { REACH } from "../../log/fold";
import { LONGEST } from "../../log/row";

/** What a layout reads of `Lines`. */
export interface Rows {
  readonly first: number;
  readonly last: number;
  row(number: number): { readonly text: string } | undefined;
}

/** A line of the picture: part `part` of row `row`, which stands at the row's units [from, to). */
export interface Place {
  readonly row: number;
  readonly part: number;
  readonly from: number;
  readonly to: number;
}

const TAB = 8;
// What takes two columns in most fonts: CJK, kana, Hangul, full-width forms, emoji.
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;
const SIMPLE = /^[\x20-\x7e]*$/;

/** Where a text breaks when it has `columns`: the indices at which its lines begin, 0 first. */
export function breaksOf(text: string, columns: number): readonly number[] {
  if (text.length <= columns / TAB) return [0];
  const found = [0];
  if (SIMPLE.test(text)) {
    for (let at = columns; at < text.length; at += columns) found.push(at);
    return found;
  }
  let column = 0;
  for (let at = 0; at < text.length;) {
    const unit = text.codePointAt(at) as number;
    const units = unit > 0xffff ? 2 : 1;
    let width = units === 2 || WIDE.test(text.charAt(at)) ? 2 : 1;
    if (unit === 9) width = TAB - (column % TAB);
    if (column + width > columns && column > 0) {
      found.push(at);
      column = unit === 9 ? TAB : width;
    } else column += width;
    at += units;
  }
  return found;
}

/**
 * Which line of the picture shows which row, all lines being of one height: a row is one line, or, when there are
 * only so many columns, as many as it takes.
 */
export class Layout {
  /** Lines before each row; one more at the end. Null when each row is one line. */
  private readonly before: Uint32Array | null = null;
  readonly count: number;
  readonly first: number;

  /** The last row that stays as it is while more is added. A row is never changed: the same one looks the same. */
  private readonly settled: { readonly number: number; readonly row: object } | null = null;

  /** What `like`, an earlier one, knows is not counted again, if rows were only added or dropped since. */
  constructor(
    private readonly rows: Rows,
    private readonly columns: number,
    like: Layout | null = null,
  ) {
    const { first, last } = rows;
    this.first = first;
    this.count = last - first;
    if (columns >= LONGEST * 2) return;
    const before = (this.before = new Uint32Array(last - first + 1));
    let row = first;
    const known = like?.before ?? null;
    const settled = like?.settled ?? null;
    const isLike = like !== null && like.columns === columns && first >= like.first;
    if (isLike && known !== null && settled !== null && rows.row(settled.number) === settled.row) {
      const shift = first - like.first;
      const count = settled.number - first + 2;
      before.set(known.subarray(shift, shift + count));
      const gone = known[shift] as number;
      if (gone > 0) for (let at = 0; at < count; at++) before[at] = (before[at] as number) - gone;
      row = settled.number + 1;
    }
    let lines = before[row - first] as number;
    for (; row < last; row++) {
      const { text } = rows.row(row) as { text: string };
      lines += breaksOf(text, columns).length;
      before[row - first + 1] = lines;
    }
    this.count = lines;
    const number = last - REACH - 2;
    const settledRow = number >= first ? rows.row(number) : undefined;
    if (settledRow !== undefined) this.settled = { number, row: settledRow };
  }

  /** The line that a row begins with; of a row beyond either end, that end. */
  lineOf(row: number): number {
    const at = Math.max(0, row - this.first);
    if (this.before === null) return Math.min(at, this.count);
    return this.before[Math.min(at, this.before.length - 1)] as number;
  }

  place(line: number): Place {
    if (this.before === null) {
      const row = this.first + line;
      return { row, part: 0, from: 0, to: this.rows.row(row)?.text.length ?? 0 };
    }
    let low = 0;
    let high = this.before.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.before[middle] as number) <= line) low = middle;
      else high = middle;
    }
    const row = this.first + low;
    const text = this.rows.row(row)?.text ?? "";
    const part = line - (this.before[low] as number);
    const breaks = breaksOf(text, this.columns);
    return { row, part, from: breaks[part] ?? text.length, to: breaks[part + 1] ?? text.length };
  }
}
