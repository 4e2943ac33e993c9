import { type Chunk, Ruler } from "./bytes";
import { type Pen, PLAIN, select } from "./pen";
import { emptyRow, eraseAfter, eraseBefore, OpenRow, type Row, sameRow, write } from "./row";

/** Rows from the last one up that the cursor can reach, as on a terminal so high. */
export const REACH = 64;

/** Where a fold stands, in places counted from the last row up. */
export interface Snapshot {
  /** The rows that what follows can still change. */
  readonly rows: readonly Row[];
  readonly up: number;
  readonly col: number;
  readonly pen: Pen;
  readonly pending: string;
  readonly swallowing: boolean;
  /** Where `ESC [ H` leads to, once a screen was begun; null when that is out of reach. */
  readonly home: number | null;
}

/** Whether the same picture comes of whatever follows. */
export function sameState(one: Snapshot, other: Snapshot): boolean {
  return (
    one.up === other.up &&
    one.col === other.col &&
    one.pen.key === other.pen.key &&
    one.pending === other.pending &&
    one.swallowing === other.swallowing &&
    one.home === other.home &&
    one.rows.length === other.rows.length &&
    // From the end, where they differ if they do at all.
    one.rows.every((_, n) => sameRow(one.rows.at(-1 - n) as Row, other.rows.at(-1 - n) as Row))
  );
}

// Whatever is no plain character of a row: C0 but tabs, DEL, C1, and what breaks or turns lines in a browser.
const SPECIAL = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const SEQUENCE = /\x1b(?:\[([0-?]{0,64})([ -/]{0,4})([@-~])|([PX\]^_])|([ -/]{0,4})([0-Z\\`-~]))/y;
const COLOUR = /\x1b\[[\d;:]{0,64}m/y;
const UNFINISHED = /\x1b(?:\[[0-?]{0,64}[ -/]{0,4}|[ -/]{0,4})?$/y;
/** What ends a string that is not for the screen: BEL, ST, or what no such string holds. */
const ENDS_STRING = /\x07|\x1b\\|[\n\x18\x1a]/g;
const DEL = 0x7f;

/** Folds text as a terminal does, into rows; any cutting of the text gives the same rows. */
export class Fold {
  rows: Row[] = [];
  private row = 0;
  private col = 0;
  private pen = PLAIN;
  /** The row at the cursor, while text is added to its end. */
  private open: OpenRow | null = null;
  private pending = "";
  private swallowing = false;
  private home = -1;
  /** The first row that the cursor can still reach: once out of reach, a row stays as it is. */
  private floor = 0;

  /** What follows; a chunk without content is a gap, and a row of its own. */
  add(chunk: Chunk): void {
    if (this.rows.length === 0) this.rows.push(emptyRow(chunk.offset));
    if (chunk.content === "" && chunk.next_offset > chunk.offset) this.skip(chunk);
    else this.draw(chunk);
    this.close();
  }

  snapshot(): Snapshot {
    const { length } = this.rows;
    const home = this.home >= this.floor ? length - this.home : null;
    const { col, pen, pending, swallowing } = this;
    return { rows: this.rows.slice(this.floor), up: length - this.row, col, pen, pending, swallowing, home };
  }

  /** Go on from a snapshot, which was taken when there were `length` rows; those after them go. */
  restore(snapshot: Snapshot, length: number): void {
    const kept = this.rows.slice(0, Math.max(0, length - snapshot.rows.length));
    this.rows = kept.concat(snapshot.rows.slice(-length));
    this.floor = kept.length;
    this.row = Math.max(this.floor, length - snapshot.up);
    this.home = snapshot.home === null ? -1 : length - snapshot.home;
    ({ col: this.col, pen: this.pen, pending: this.pending, swallowing: this.swallowing } = snapshot);
  }

  /** The first `count` rows are replaced by `rows`. */
  splice(count: number, rows: readonly Row[]): void {
    this.rows = rows.concat(this.rows.slice(count));
    const shift = rows.length - count;
    this.floor = Math.max(0, this.floor + shift);
    this.row = Math.max(this.floor, this.row + shift);
    this.home = this.home < 0 ? -1 : this.home + shift;
  }

  private skip(chunk: Chunk): void {
    this.pending = "";
    this.swallowing = false;
    this.pen = PLAIN;
    this.home = -1;
    const last = this.rows[this.rows.length - 1] as Row;
    const gap = { ...emptyRow(chunk.offset), gap: chunk.next_offset - chunk.offset };
    if (last.text === "" && last.cut === 0 && last.gap === 0) this.rows[this.rows.length - 1] = gap;
    else this.rows.push(gap);
    this.rows.push(emptyRow(chunk.next_offset));
    this.row = this.floor = this.rows.length - 1;
    this.col = 0;
  }

  private draw(chunk: Chunk): void {
    const held = this.pending.length; // one byte each
    const text = this.pending + chunk.content;
    const ruler = new Ruler({ ...chunk, content: text, offset: chunk.offset - held });
    this.pending = "";
    let at = 0;
    while (at < text.length) {
      if (this.swallowing) {
        at = this.swallow(text, at);
        continue;
      }
      SPECIAL.lastIndex = at;
      const next = SPECIAL.test(text) ? SPECIAL.lastIndex - 1 : text.length;
      if (next > at) this.put(text.slice(at, next));
      if (next === text.length) return;
      const code = text.charCodeAt(next);
      at = next + 1;
      if (code === 0x0a) {
        this.close();
        this.down(1, ruler, at);
        this.col = 0;
      } else if (code === 0x1b) at = this.escape(text, next, ruler);
      else this.control(code);
    }
  }

  private put(run: string): void {
    const row = this.rows[this.row] as Row;
    if (this.open === null && this.col === row.text.length) this.open = new OpenRow(row);
    if (!this.open?.append(run, this.pen)) {
      this.close();
      this.rows[this.row] = write(this.rows[this.row] as Row, this.col, run, this.pen);
    }
    this.col += run.length;
  }

  /** To be called before the cursor moves otherwise than by writing. */
  private close(): void {
    if (this.open === null) return;
    this.rows[this.row] = this.open.closed();
    this.open = null;
  }

  private control(code: number): void {
    if (code === 0x0d || code === 0x08) {
      this.close();
      this.col = code === 0x0d ? 0 : Math.max(0, this.col - 1);
    } else if (code < 0x20) {
      if (code !== 0x07 && code !== 0) this.put(String.fromCharCode(0x2400 + code)); // its picture
    } else this.put(code === DEL ? "\u2421" : "\ufffd");
  }

  /** An escape sequence at `at`; where to go on. */
  private escape(text: string, at: number, ruler: Ruler): number {
    COLOUR.lastIndex = at;
    if (COLOUR.test(text)) {
      this.pen = select(this.pen, text.slice(at + 2, COLOUR.lastIndex - 1));
      return COLOUR.lastIndex;
    }
    this.close();
    SEQUENCE.lastIndex = at;
    const found = SEQUENCE.exec(text);
    if (found === null) {
      UNFINISHED.lastIndex = at;
      if (UNFINISHED.test(text)) {
        this.pending = text.slice(at);
        return text.length;
      }
      this.control(0x1b);
      return at + 1;
    }
    const [all, parameters = "", between = "", final, string, charset = "", short] = found;
    if (final !== undefined) {
      if (between === "") this.command(final, parameters, ruler, at);
    } else if (string !== undefined) this.swallowing = true;
    else if (charset === "" && short === "M") this.up(1);
    else if (charset === "" && short === "c") this.pen = PLAIN;
    return at + all.length;
  }

  private swallow(text: string, from: number): number {
    ENDS_STRING.lastIndex = from;
    const end = ENDS_STRING.exec(text);
    if (end === null) {
      if (text.endsWith("\x1b")) this.pending = "\x1b"; // perhaps the first half of ST
      return text.length;
    }
    this.swallowing = false;
    return end[0] === "\n" ? end.index : end.index + end[0].length;
  }

  private command(final: string, parameters: string, ruler: Ruler, at: number): void {
    if (!/^[\d;]*$/.test(parameters)) return; // private modes: cursor on and off, bracketed paste
    const [first = 0, second = 0] = parameters.split(";").map(Number);
    const count = Math.max(1, first);
    if (final === "A") this.up(count);
    else if (final === "B") this.down(count, ruler, at);
    else if (final === "C") this.col += Math.min(count, 1000);
    else if (final === "D") this.col = Math.max(0, this.col - count);
    else if (final === "E" || final === "F") {
      if (final === "E") this.down(count, ruler, at);
      else this.up(count);
      this.col = 0;
    } else if (final === "G") this.col = Math.min(count, 1000) - 1;
    else if (final === "H" || final === "f") this.goTo(count, Math.max(1, second), ruler, at);
    else if (final === "K") this.eraseLine(first);
    else if (final === "J") this.eraseScreen(first, ruler, at);
  }

  private up(count: number): void {
    this.row = Math.max(this.row - count, this.floor);
  }

  private down(count: number, ruler: Ruler, at: number): void {
    this.row += Math.min(count, REACH);
    while (this.rows.length <= this.row) this.push(ruler, at);
  }

  /** To a place of the screen. A log has none, so the first such call begins one below what was written. */
  private goTo(row: number, col: number, ruler: Ruler, at: number): void {
    if (this.home < this.floor) this.beginScreen(ruler, at);
    this.row = this.home;
    this.down(Math.min(row, REACH) - 1, ruler, at);
    this.col = Math.min(col, 1000) - 1;
  }

  private beginScreen(ruler: Ruler, at: number): void {
    const last = this.rows[this.rows.length - 1] as Row;
    if (last.text !== "" || last.cut > 0) this.push(ruler, at);
    this.row = this.home = this.rows.length - 1;
  }

  private push(ruler: Ruler, at: number): void {
    this.rows.push(emptyRow(ruler.offset(at)));
    this.floor = Math.max(this.floor, this.rows.length - REACH);
  }

  private eraseLine(how: number): void {
    const row = this.rows[this.row] as Row;
    if (how === 0) this.rows[this.row] = eraseAfter(row, this.col);
    else if (how === 1) this.rows[this.row] = eraseBefore(row, this.col);
    else if (how === 2) this.rows[this.row] = eraseAfter(row, 0);
  }

  /** What a screen was cleared of stays in the log: the next one begins below it. */
  private eraseScreen(how: number, ruler: Ruler, at: number): void {
    if (how === 2) {
      this.beginScreen(ruler, at);
    } else if (how === 0) {
      this.eraseLine(0);
      this.rows.length = this.row + 1;
    }
  }
}
