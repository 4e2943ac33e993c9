import fc from "fast-check";
import type { Chunk } from "../../src/log/bytes";
import type { Lines } from "../../src/log/lines";

const WORDS = ["a", "loss=0.1", "│█▌ ", "🐎", "é", "\t", "x".repeat(70), "Error: no", "<b>", "  "];
const CONTROLS = ["\n", "\n", "\n", "\r", "\r", "\b", "\0", "\x07", "\x1b", "\x7f", "\x9b", "\u2028", "\u202e"];
const SEQUENCES = ["m", "A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "f", "h", "q"];

const sequence = fc
  .tuple(
    fc.array(fc.nat({ max: 110 }), { maxLength: 3 }),
    fc.constantFrom("", "", "", "?", " "),
    fc.constantFrom(...SEQUENCES),
  )
  .map(
    ([numbers, odd, final]) => `\x1b[${odd === "?" ? odd : ""}${numbers.join(";")}${odd === " " ? odd : ""}${final}`,
  );
const other = fc.constantFrom(
  "\x1b]0;title\x07",
  "\x1b]8;;http://x\x1b\\",
  "\x1b(B",
  "\x1bM",
  "\x1bP1;2q",
  "\x1b[38;5;200m",
  "\x1b[2J\x1b[H",
);
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 5, arbitrary: fc.constantFrom(...CONTROLS) },
  { weight: 4, arbitrary: sequence },
  { weight: 1, arbitrary: other },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 20 }) },
);

const LINES = Array.from({ length: 70 }, (_, n) => `line ${n}\n`).join("");

/** What programs print, and what they should not: a mess, and lines that put it out of the cursor's reach. */
export const output = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.array(piece, { maxLength: 60, size: "max" }).map((pieces) => pieces.join("")) },
      { weight: 1, arbitrary: fc.nat({ max: 70 }).map((count) => LINES.slice(0, count * 8)) },
      { weight: 1, arbitrary: fc.constant(LINES) },
    ),
    { maxLength: 8, size: "max" },
  )
  .map((parts) => parts.join(""))
  .filter((text) => text.isWellFormed());

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text in chunks that end anywhere but within a character, as the server's do. */
export function cut(text: string, places: readonly number[]): Chunk[] {
  const bytes = new TextEncoder().encode(text);
  const ends = places.map((place) => Math.floor(place * bytes.length));
  for (let n = 0; n < ends.length; n++)
    while (((bytes[ends[n] as number] ?? 0) & 0xc0) === 0x80) ends[n] = (ends[n] as number) + 1;
  const all = [...new Set([0, ...ends, bytes.length])].sort((one, other) => one - other);
  return all.slice(1).map((end, n) => {
    const offset = all[n] as number;
    return { content: DECODER.decode(bytes.subarray(offset, end)), offset, next_offset: end };
  });
}

export const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

/** The whole of a text as one chunk. */
export function whole(text: string): Chunk {
  return { content: text, offset: 0, next_offset: new TextEncoder().encode(text).length };
}

/** All that is seen of the rows from number `first` on. */
export function picture(lines: Lines, first = lines.first): unknown[] {
  const seen = [];
  for (let n = first; n < lines.last; n++) {
    const row = lines.row(n);
    seen.push({ ...row, marks: row?.marks?.map(({ at, pen }) => [at, pen.key]) ?? null });
  }
  return seen;
}

/** The texts of all rows. */
export function texts(lines: Lines): string[] {
  return Array.from({ length: lines.last - lines.first }, (_, n) => lines.row(lines.first + n)?.text ?? "");
}
