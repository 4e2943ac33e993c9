import fc from "fast-check";
import { expect, test } from "vitest";
import { Lines } from "../../src/log/lines";
import { breaksOf, Layout } from "../../src/ui/log/layout";

function layoutOf(texts: readonly string[], columns: number, first = 0): Layout {
  const row = (number: number): { text: string } | undefined => {
    const text = texts[number - first];
    return text === undefined ? undefined : { text };
  };
  return new Layout({ first, last: first + texts.length, row }, columns);
}

const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 90 }), { minLength: 1, maxLength: 20 });
const columns = fc.integer({ min: 16, max: 60 });

test("the lines of a row are its text, none of them empty but an empty row's", () => {
  fc.assert(
    fc.property(texts, columns, fc.integer({ min: -30, max: 30 }), (rows, wide, first) => {
      const layout = layoutOf(rows, wide, first);
      const shown = rows.map(() => "");
      for (let line = 0; line < layout.count; line++) {
        const { row, from, to } = layout.place(line);
        const text = rows[row - first] as string;
        expect(to > from || text === "").toBe(true);
        shown[row - first] = `${shown[row - first] ?? ""}${text.slice(from, to)}`;
      }
      expect(shown).toEqual(rows);
    }),
  );
});

test("a row's first line is where it is said to be", () => {
  fc.assert(
    fc.property(texts, columns, (rows, wide) => {
      const layout = layoutOf(rows, wide, -7);
      rows.forEach((_, n) => {
        const { row, part } = layout.place(layout.lineOf(n - 7));
        expect([row, part]).toEqual([n - 7, 0]);
      });
      expect(layout.lineOf(-100)).toBe(0);
      expect(layout.lineOf(100)).toBe(layout.count);
    }),
  );
});

test("without an end to the columns, a row is a line", () => {
  const layout = layoutOf(["a".repeat(5_000), "", "b"], Infinity, 10);
  expect([layout.count, layout.lineOf(12), layout.place(1)]).toEqual([3, 2, { row: 11, part: 0, from: 0, to: 0 }]);
});

test("tabs and wide characters take the columns that they have", () => {
  expect(breaksOf("x".repeat(45), 20)).toEqual([0, 20, 40]);
  expect(breaksOf("日".repeat(12), 20)).toEqual([0, 10]);
  expect(breaksOf("a\tb\tc\td", 16)).toEqual([0, 4]);
  expect(breaksOf("🙂".repeat(11), 20)).toEqual([0, 20]);
});

test("one that goes on from an earlier one is the same as one made anew", () => {
  const step = fc.record({
    text: fc
      .array(fc.constantFrom("abc", "\t", "\n", "\n", "日", "\r", "\x1b[3A", "x".repeat(70)), { maxLength: 60 })
      .map((parts) => parts.join("")),
    end: fc.constantFrom("append", "append", "append", "prepend", "reset"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), columns, (steps, wide) => {
      const lines = new Lines({ text: 3_000, rows: 300 }, 200);
      let layout: Layout | null = null;
      let [start, end] = [1_000_000, 1_000_000];
      for (const { text, end: where } of steps) {
        const size = Buffer.byteLength(text);
        if (where === "prepend" && lines.start === start && !lines.isEmpty) {
          lines.prepend({ content: text, offset: start - size, next_offset: start });
        } else if (where === "reset") {
          lines.reset({ content: text, offset: 1_000_000, next_offset: 1_000_000 + size });
        } else
          lines.append({
            content: text,
            offset: lines.isEmpty ? end : lines.end,
            next_offset: (lines.isEmpty ? end : lines.end) + size,
          });
        [start, end] = [lines.start, lines.end];
        layout = new Layout(lines, wide, layout);
        const anew = new Layout(lines, wide);
        expect(layout.count).toBe(anew.count);
        for (let row = lines.first; row <= lines.last; row++) expect(layout.lineOf(row)).toBe(anew.lineOf(row));
      }
    }),
  );
});
