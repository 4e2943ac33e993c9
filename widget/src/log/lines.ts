import { type Chunk, chunksOf, type Page } from "./bytes";
import { Fold, sameState, type Snapshot } from "./fold";
import { type Row } from "./row";

export interface Bounds {
  /** UTF-16 units of the log that are held. */
  readonly text: number;
  readonly rows: number;
}

const BOUNDS: Bounds = { text: 8 * 1024 * 1024, rows: 100_000 };
/** Small pieces are joined up to so many units: each keeps a snapshot. */
const JOINED = 32 * 1024;
/** The bounds may be passed so far before something is dropped. */
const SLACK = 1.125;

interface Block {
  readonly chunk: Chunk;
  /** The fold behind it, when there were rows up to number `rows`. */
  readonly end: Snapshot;
  readonly rows: number;
}

/**
 * A window of a log as rows, of bounded size: it grows at either end and is dropped at the other.
 *
 * Rows have numbers that stay theirs while the window moves, so that a view can hold on to one; those of
 * older rows that are put before it are lower, below zero too.
 */
export class Lines {
  private fold = new Fold();
  private blocks: Block[] = [];
  private base = 0;
  private units = 0;

  constructor(
    private readonly bounds: Bounds = BOUNDS,
    private readonly joined = JOINED,
  ) {}

  /** The first byte that is held. */
  get start(): number {
    return this.blocks[0]?.chunk.offset ?? 0;
  }

  /** The byte behind the last that is held: where to read on. */
  get end(): number {
    return this.blocks.at(-1)?.chunk.next_offset ?? 0;
  }

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  /** The number of the first row. */
  get first(): number {
    return this.base;
  }

  /** The number behind the last row; an empty row at the end, where the next line will be, is not counted. */
  get last(): number {
    const { rows } = this.fold;
    const row = rows.at(-1);
    const isOpen = row?.text === "" && row.cut === 0 && row.gap === 0;
    return this.base + rows.length - (isOpen ? 1 : 0);
  }

  /** The row of this number, if it is held. */
  row(number: number): Row | undefined {
    return number < this.last ? this.fold.rows[number - this.base] : undefined;
  }

  /** The number of the row that the byte at `offset` is in, if it is held. */
  rowAt(offset: number): number | undefined {
    if (offset < this.start || offset >= this.end) return undefined;
    let low = 0;
    let high = this.fold.rows.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.fold.rows[middle] as Row).at <= offset) low = middle;
      else high = middle;
    }
    return this.base + low;
  }

  /** Begin anew with this page. */
  reset(page?: Page): void {
    this.fold = new Fold();
    this.blocks = [];
    this.base = 0;
    this.units = 0;
    if (page) this.append(page);
  }

  /**
   * What comes next. Bytes between the end and it are shown as a gap; a piece that begins before the end is
   * of a log that was cut or replaced, and stands alone from then on: false says so.
   */
  append(page: Page): boolean {
    const goesOn = this.isEmpty || page.offset >= this.end;
    if (!goesOn) this.reset();
    if (!this.isEmpty && page.offset > this.end) {
      this.push({ content: "", offset: this.end, next_offset: page.offset });
    }
    for (const chunk of chunksOf(page)) this.push(chunk);
    this.dropOldest();
    return goesOn;
  }

  /** What came before, up to `start`; a page that ends elsewhere is not taken (false). */
  prepend(page: Page): boolean {
    if (this.isEmpty || page.next_offset !== this.start || page.offset >= page.next_offset) return false;
    const fold = new Fold();
    const blocks: Block[] = [];
    const take = (chunk: Chunk): Snapshot => {
      fold.add(chunk);
      const end = fold.snapshot();
      blocks.push({ chunk, end, rows: fold.rows.length });
      return end;
    };
    chunksOf(page).forEach(take);
    // What follows may look different now; from the first place on where it does not, it stays.
    const same = this.blocks.findIndex(({ chunk, end, rows }) => {
      return sameState(take(chunk), end) && rows - end.rows.length >= this.base;
    });
    const old = this.blocks[same];
    const last = this.base + this.fold.rows.length;
    const shift = (old === undefined ? last : old.rows) - fold.rows.length;
    if (old === undefined) {
      this.fold = fold;
    } else {
      const settled = fold.rows.length - old.end.rows.length;
      this.fold.splice(old.rows - old.end.rows.length - this.base, fold.rows.slice(0, settled));
    }
    const moved = blocks.map((block) => ({ ...block, rows: block.rows + shift }));
    this.blocks = moved.concat(old === undefined ? [] : this.blocks.slice(same + 1));
    this.base = shift;
    this.units += page.content.length;
    this.dropNewest();
    return true;
  }

  private push(chunk: Chunk): void {
    this.fold.add(chunk);
    const before = this.blocks.at(-1);
    const joins =
      before !== undefined &&
      before.chunk.content !== "" &&
      chunk.content !== "" &&
      before.chunk.content.length + chunk.content.length <= this.joined;
    if (joins) this.blocks.pop();
    const joined = joins
      ? {
          content: before.chunk.content + chunk.content,
          offset: before.chunk.offset,
          next_offset: chunk.next_offset,
        }
      : chunk;
    this.blocks.push({ chunk: joined, end: this.fold.snapshot(), rows: this.base + this.fold.rows.length });
    this.units += chunk.content.length;
  }

  private dropOldest(): void {
    // Seldom, since it moves all rows.
    if (this.units < this.bounds.text * SLACK && this.fold.rows.length < this.bounds.rows * SLACK) return;
    let dropped: Block | undefined;
    while (this.isTooLarge((dropped?.rows ?? this.base + 1) - 1, this.base + this.fold.rows.length)) {
      const [oldest] = this.blocks.splice(0, 1);
      this.units -= oldest?.chunk.content.length ?? 0;
      dropped = oldest;
    }
    if (dropped === undefined) return;
    // The row that it ended in goes on in the next block.
    const count = Math.min(dropped.rows - 1 - this.base, this.fold.rows.length - 1);
    if (count <= 0) return;
    this.fold.splice(count, []);
    this.base += count;
  }

  private dropNewest(): void {
    const { length } = this.blocks;
    while (this.isTooLarge(this.base, (this.blocks.at(-1) as Block).rows)) {
      this.units -= (this.blocks.pop() as Block).chunk.content.length;
    }
    if (this.blocks.length === length) return;
    const { end, rows } = this.blocks.at(-1) as Block;
    this.fold.restore(end, rows - this.base);
  }

  private isTooLarge(first: number, last: number): boolean {
    const { text, rows } = this.bounds;
    return this.blocks.length > 1 && (this.units > text || last - first > rows);
  }
}
