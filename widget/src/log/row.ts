import { type Pen, PLAIN } from "./pen";

/** From column `at` on, characters look like `pen`. */
export interface Mark {
  readonly at: number;
  readonly pen: Pen;
}

/** A row of the picture. Never changed, only replaced: who keeps one keeps what it was. */
export interface Row {
  /** What stands in it, without any control character but tabs. */
  readonly text: string;
  /** Ascending; before the first, and without any (null), characters are plain. */
  readonly marks: readonly Mark[] | null;
  /** Characters that it had beyond `LONGEST`, which are not kept. */
  readonly cut: number;
  /** The byte of the log that it begins with; of bytes that are no UTF-8, about that. */
  readonly at: number;
  /** Bytes of the log that it stands for, and that are not there; 0 for a row of text. */
  readonly gap: number;
}

/** Characters of a row that are kept; a column is a UTF-16 unit. */
export const LONGEST = 8192;

export function emptyRow(at: number): Row {
  return { text: "", marks: null, cut: 0, at, gap: 0 };
}

/** The row with `run` written over what stands at `col`. */
export function write(row: Row, col: number, run: string, pen: Pen): Row {
  const end = col + run.length;
  const cut = Math.max(row.cut, end - LONGEST);
  if (col >= LONGEST) return cut === row.cut ? row : { ...row, cut };
  const { length } = row.text;
  if (end > LONGEST) run = head(run, LONGEST - col);
  const before = col > length ? row.text + " ".repeat(col - length) : head(row.text, col);
  const text = before + run + tail(row.text, col + run.length);
  return { text, marks: painted(row, col, Math.min(end, text.length), text.length, pen), cut, at: row.at, gap: 0 };
}

/** The row without what stands at `col` and after it. */
export function eraseAfter(row: Row, col: number): Row {
  if (col >= row.text.length && row.cut === 0) return row;
  const text = head(row.text, col);
  return { ...row, text, marks: kept(row.marks?.filter((mark) => mark.at < text.length)), cut: 0 };
}

/** The row with spaces in place of what stands up to `col`, itself included. */
export function eraseBefore(row: Row, col: number): Row {
  const width = Math.min(col + 1, row.text.length);
  return width === 0 ? row : write(row, 0, " ".repeat(width), PLAIN);
}

/** A row that is written to at its end, piece by piece. */
export class OpenRow {
  private readonly pieces: string[];
  private marks: Mark[] | null;
  private last: Pen;
  private length: number;

  constructor(private readonly row: Row) {
    this.pieces = row.text === "" ? [] : [row.text];
    this.marks = row.marks === null ? null : [...row.marks];
    this.last = row.marks?.at(-1)?.pen ?? PLAIN;
    this.length = row.text.length;
  }

  /** False, and nothing is written, when it would become too long. */
  append(run: string, pen: Pen): boolean {
    if (this.length + run.length > LONGEST) return false;
    if (pen.key !== this.last.key) {
      (this.marks ??= []).push({ at: this.length, pen });
      this.last = pen;
    }
    this.pieces.push(run);
    this.length += run.length;
    return true;
  }

  closed(): Row {
    // Joined, since what `+` makes of strings stays a tree of them.
    const text = this.pieces.length === 1 ? (this.pieces[0] as string) : this.pieces.join("");
    return { text, marks: this.marks, cut: this.row.cut, at: this.row.at, gap: 0 };
  }
}

export interface Span {
  readonly text: string;
  readonly pen: Pen;
}

/** The row as pieces of one look each. */
export function spans(row: Row): Span[] {
  const found: Span[] = [];
  let from = 0;
  let pen = PLAIN;
  for (const mark of row.marks ?? []) {
    if (mark.at > from) found.push({ text: row.text.slice(from, mark.at), pen });
    ({ at: from, pen } = mark);
  }
  if (from < row.text.length) found.push({ text: row.text.slice(from), pen });
  return found;
}

/** Whether two rows are the same picture, of the same place. */
export function sameRow(one: Row, other: Row): boolean {
  if (one === other) return true;
  if (one.text !== other.text || one.at !== other.at || one.cut !== other.cut || one.gap !== other.gap) return false;
  const [marks, others] = [one.marks ?? [], other.marks ?? []];
  const same = (mark: Mark, than: Mark | undefined): boolean => mark.at === than?.at && mark.pen.key === than.pen.key;
  return marks.length === others.length && marks.every((mark, n) => same(mark, others[n]));
}

function painted(row: Row, from: number, to: number, length: number, pen: Pen): readonly Mark[] | null {
  const old = row.marks ?? [];
  const marks = old.filter((mark) => mark.at < Math.min(from, row.text.length));
  if (from > row.text.length) marks.push({ at: row.text.length, pen: PLAIN }); // the padding before it
  marks.push({ at: from, pen });
  if (to < length) marks.push({ at: to, pen: penAt(old, to) });
  for (const mark of old) if (mark.at > to) marks.push(mark);
  return kept(marks);
}

function penAt(marks: readonly Mark[], col: number): Pen {
  let pen = PLAIN;
  for (const mark of marks) {
    if (mark.at > col) break;
    ({ pen } = mark);
  }
  return pen;
}

/** The marks that change something. */
function kept(marks: readonly Mark[] | undefined): readonly Mark[] | null {
  let last = PLAIN.key;
  const changing = (marks ?? []).filter((mark) => {
    const changes = mark.pen.key !== last;
    last = mark.pen.key;
    return changes;
  });
  return changing.length > 0 ? changing : null;
}

function splitsPair(text: string, at: number): boolean {
  return (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}

/** The first `at` units; half a pair, which a terminal would show as a half of something wide, is a space. */
function head(text: string, at: number): string {
  return splitsPair(text, at) ? `${text.slice(0, at - 1)} ` : text.slice(0, at);
}

function tail(text: string, at: number): string {
  return splitsPair(text, at) ? ` ${text.slice(at + 1)}` : text.slice(at);
}
