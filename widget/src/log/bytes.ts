/** A piece of a log: the text of the bytes [offset, next_offset). Bytes without text are a gap. */
export interface Chunk {
  readonly content: string;
  readonly offset: number;
  readonly next_offset: number;
}

/** What `/logs` and the first event of a stream give: a piece, perhaps with the log's gap in it. */
export interface Page extends Chunk {
  readonly gap?: { readonly start: number; readonly end: number } | null;
}

const REPLACED = 0xfffd;

/** Bytes of `text` as UTF-8, with `replaced` for each U+FFFD, which may stand for one byte or more. */
export function utf8Length(text: string, replaced = 3): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) bytes += extra(text.charCodeAt(at), replaced);
  return bytes;
}

/** What a UTF-16 unit has in bytes beyond one: of a pair, each half has two in all. */
function extra(unit: number, replaced: number): number {
  if (unit < 0x80) return 0;
  if (unit < 0x800 || (unit & 0xf800) === 0xd800) return 1;
  return unit === REPLACED ? replaced - 1 : 2;
}

/** Tells the byte offsets of places in a chunk's text, in ascending order. */
export class Ruler {
  private readonly replaced: number;
  private readonly ascii: boolean;
  private at = 0;
  private bytes = 0;

  constructor(private readonly chunk: Chunk) {
    const given = chunk.next_offset - chunk.offset;
    this.ascii = given === chunk.content.length && !chunk.content.includes("\ufffd");
    this.replaced = this.ascii || utf8Length(chunk.content) === given ? 3 : 1;
  }

  /** The offset of the unit at `index`, exact when the bytes are UTF-8; before the chunk, one byte a unit. */
  offset(index: number): number {
    if (this.ascii || index <= 0) return this.chunk.offset + index;
    const { content } = this.chunk;
    if (index < this.at) this.at = this.bytes = 0;
    for (; this.at < index; this.at++) this.bytes += 1 + extra(content.charCodeAt(this.at), this.replaced);
    return Math.min(this.chunk.offset + this.bytes, this.chunk.next_offset);
  }

  /** The index of the first unit at or after `offset`. */
  index(offset: number): number {
    const { content } = this.chunk;
    let at = 0;
    while (at < content.length && this.offset(at) < offset) at++;
    return at;
  }
}

/** A page as chunks that adjoin each other, the gap a chunk of its own. */
export function chunksOf(page: Page): Chunk[] {
  const { content, offset, next_offset, gap } = page;
  if (next_offset <= offset) return [];
  if (!gap || gap.end <= offset || gap.start >= next_offset) return [{ content, offset, next_offset }];
  const before = Math.max(0, gap.start - offset);
  const after = Math.max(0, next_offset - gap.end);
  let split = after === 0 ? content.length : 0;
  if (before > 0 && after > 0) {
    const joined: Chunk = { content, offset, next_offset: offset + before + after };
    split = new Ruler(joined).index(gap.start);
  }
  const chunks: Chunk[] = [
    { content: content.slice(0, split), offset, next_offset: offset + before },
    { content: "", offset: Math.max(offset, gap.start), next_offset: Math.min(next_offset, gap.end) },
    { content: content.slice(split), offset: Math.max(offset, gap.end), next_offset },
  ];
  return chunks.filter((chunk) => chunk.next_offset > chunk.offset);
}
