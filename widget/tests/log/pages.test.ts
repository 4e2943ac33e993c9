import fc from "fast-check";
import { expect, test } from "vitest";
import { chunksOf, type Page } from "../../src/log/bytes";
import { Lines } from "../../src/log/lines";
import { END, older, PAGE } from "../../src/log/pages";
import { picture, whole } from "./text";

/** `/logs`, of a log of ASCII that may have a gap. */
function serve(text: string, gap: Page["gap"], offset: number, limit: number): Page {
  const begin = Math.min(offset < 0 ? Math.max(0, text.length + offset) : offset, text.length);
  const end = Math.min(begin + limit, text.length);
  if (!gap || begin >= gap.end || end <= gap.start) {
    return { content: text.slice(begin, end), offset: begin, next_offset: end, gap: gap ?? null };
  }
  const before = begin < gap.start ? text.slice(begin, gap.start) : "";
  const after = end > gap.end ? text.slice(gap.end, end) : "";
  return {
    content: before + after,
    offset: before || after ? (before ? begin : gap.end) : gap.start,
    next_offset: Math.max(end, gap.end),
    gap,
  };
}

test("walking back from the end gives the whole log", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 5 * PAGE }),
      fc.integer({ min: 1, max: 5 * PAGE }),
      fc.nat({ max: 3 * PAGE }),
      (size, start, length) => {
        const text = "0123456789abcde\n".repeat(Math.ceil(size / 16)).slice(0, size);
        const gap = start + length < size && length > 0 ? { start, end: start + length } : null;
        const bounds = { text: Infinity, rows: Infinity };
        const lines = new Lines(bounds);
        lines.reset(serve(text, gap, END.offset, END.limit));
        for (let steps = 0; lines.start > 0; steps++) {
          const ask = older(lines.start, gap);
          expect(ask !== undefined && steps < 20).toBe(true);
          if (ask === undefined) return;
          expect(lines.prepend(serve(text, gap, ask.offset, ask.limit))).toBe(true);
        }
        const all = new Lines(bounds);
        for (const chunk of chunksOf(serve(text, gap, 0, size))) all.append(chunk);
        expect(picture(lines)).toEqual(picture(all));
      },
    ),
  );
});

test("a page is cut at its gap, by bytes", () => {
  const page = { content: "před\nпо\n", offset: 10, next_offset: 121, gap: { start: 16, end: 116 } };
  expect(chunksOf(page)).toEqual([
    { content: "před\n", offset: 10, next_offset: 16 },
    { content: "", offset: 16, next_offset: 116 },
    { content: "по\n", offset: 116, next_offset: 121 },
  ]);
  expect(chunksOf(whole(""))).toEqual([]);
});
