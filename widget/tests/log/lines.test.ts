import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Lines } from "../../src/log/lines";
import { cut, output, picture, places, texts, whole } from "./text";

const UNBOUNDED = { text: Infinity, rows: Infinity };
const RUNS = { numRuns: 200 };

function read(chunks: readonly Parameters<Lines["append"]>[0][], bounds = UNBOUNDED): Lines {
  const lines = new Lines(bounds);
  for (const chunk of chunks) expect(lines.append(chunk)).toBe(true);
  return lines;
}

describe("the same picture", () => {
  test("in any chunking", () => {
    fc.assert(
      fc.property(output, places, (text, where) => {
        expect(picture(read(cut(text, where)))).toEqual(picture(read([whole(text)])));
      }),
      RUNS,
    );
  });

  test("from bytes that are no text", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), places, (bytes, where) => {
        const text = new TextDecoder().decode(bytes);
        const pieces = cut(text, where);
        const plain = (lines: Lines): unknown => texts(lines);
        expect(plain(read(pieces))).toEqual(plain(read([whole(text)])));
        expect(texts(read(pieces)).join("")).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/);
      }),
      RUNS,
    );
  });

  test("with pages put before it, and text after, in any order", () => {
    fc.assert(
      fc.property(output, places, fc.nat(), fc.infiniteStream(fc.boolean()), (text, where, begin, turns) => {
        const chunks = cut(text, where);
        if (chunks.length === 0) return;
        let [from, to] = [begin % chunks.length, (begin % chunks.length) + 1];
        const lines = read(chunks.slice(from, to));
        while (from > 0 || to < chunks.length) {
          const before = to === chunks.length || (from > 0 && turns.next().value === true);
          if (before) expect(lines.prepend(chunks[--from] as (typeof chunks)[0])).toBe(true);
          else expect(lines.append(chunks[to++] as (typeof chunks)[0])).toBe(true);
        }
        expect(picture(lines)).toEqual(picture(read([whole(text)])));
      }),
      RUNS,
    );
  });

  test("when what was dropped is read again", () => {
    fc.assert(
      fc.property(
        output,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 30 }),
        (text, where) => {
          const long = text.repeat(2);
          const chunks = cut(long, where);
          const lines = new Lines({ text: long.length / 2, rows: 40 }, 0);
          for (const chunk of chunks) lines.append(chunk);
          while (lines.start > 0) {
            const page = chunks.find((chunk) => chunk.next_offset === lines.start);
            if (page === undefined) throw new Error("the window begins where no chunk ends");
            lines.prepend(page);
          }
          const begin = read(chunks.filter((chunk) => chunk.next_offset <= lines.end));
          expect(picture(lines)).toEqual(picture(begin));
          for (const chunk of chunks) if (chunk.offset >= lines.end) lines.append(chunk);
          const end = picture(lines).slice(80);
          const all = picture(read([whole(long)]));
          expect(end).toEqual(all.slice(all.length - end.length));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("what a page before changes reaches as far as it must, and no farther", () => {
  const many = (count: number): string => Array.from({ length: count }, (_, n) => `line ${n}\n`).join("");
  test.each<[string, string[]]>([
    ["to where the cursor goes", ["\x1b[31mred ", `${many(30)}\x1b[m${many(50)}`, many(3), "\x1b[60Aover\x1b[60B"]],
    ["a colour to where it ends", ["\x1b[31mred ", "\n".repeat(80), "red too\n\x1b[mplain"]],
    ["not above a wiped screen", [many(5), many(200), "\x1b[60A\x1b[Jx\n\x1b[60Aover\x1b[60B"]],
  ])("%s", (_, some) => {
    const parts = [...some, many(90), "end"];
    let offset = 0;
    const chunks = parts.map((content) => ({ content, offset, next_offset: (offset += content.length) }));
    const lines = new Lines(UNBOUNDED, 0);
    for (const chunk of chunks.slice(1)) lines.append(chunk);
    const row = lines.row(lines.last - 2);
    expect(lines.prepend(chunks[0] as (typeof chunks)[0])).toBe(true);
    expect(picture(lines)).toEqual(picture(read([whole(parts.join(""))])));
    expect(lines.row(lines.last - 2)).toBe(row);
  });
});

test("rows keep their numbers when others are put before them", () => {
  const text = Array.from({ length: 500 }, (_, n) => `line ${n}\n`).join("");
  const chunks = cut(text, [0.25, 0.5, 0.75]);
  const lines = read(chunks.slice(2));
  const number = lines.last - 3;
  const row = lines.row(number);
  lines.prepend(chunks[1] as (typeof chunks)[0]);
  lines.prepend(chunks[0] as (typeof chunks)[0]);
  expect(lines.row(number)).toBe(row);
  expect(lines.last - lines.first).toBe(500);
});

test("a row is found by any of its bytes", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: "grapheme" }).map((line) => line.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, "?")),
        { minLength: 1 },
      ),
      places,
      (given, where) => {
        const lines = read(cut(`${given.join("\n")}\n`, where));
        let offset = 0;
        given.forEach((line, n) => {
          expect(lines.rowAt(offset)).toBe(n);
          expect(lines.row(n)?.at).toBe(offset);
          offset += new TextEncoder().encode(line).length + 1;
          expect(lines.rowAt(offset - 1)).toBe(n);
        });
        expect(lines.rowAt(offset)).toBeUndefined();
      },
    ),
  );
});

test("memory is bounded, whatever is read", () => {
  const lines = new Lines({ text: 1_000_000, rows: 5_000 });
  let offset = 0;
  for (let n = 0; n < 3_000; n++) {
    const content = n % 2 === 0 ? "\n".repeat(997) : "x".repeat(997);
    lines.append({ content, offset, next_offset: (offset += 997) });
    expect(lines.last - lines.first).toBeLessThan(1.125 * 5_000 + 32 * 1024);
    expect(lines.end - lines.start).toBeLessThanOrEqual(1.125 * 1_000_000 + 32 * 1024);
  }
  expect(lines.end).toBe(offset);
});

test("a line of 10 MB is cut, and says how much of it is not shown", () => {
  const long = "x".repeat(65_536);
  const lines = new Lines();
  for (let n = 0; n < 160; n++) lines.append({ content: long, offset: n * 65_536, next_offset: (n + 1) * 65_536 });
  lines.append({ content: "\nshort", offset: 160 * 65_536, next_offset: 160 * 65_536 + 6 });
  expect(lines.last - lines.first).toBe(2);
  expect(lines.row(lines.first)).toMatchObject({ text: "x".repeat(8192), cut: 160 * 65_536 - 8192 });
  expect(lines.row(lines.first + 1)?.text).toBe("short");
});

describe("gaps", () => {
  test("one of the server's is a row", () => {
    const lines = read([{ content: "head\ntail\n", offset: 0, next_offset: 1010, gap: { start: 5, end: 1005 } }]);
    expect(picture(lines)).toMatchObject([{ text: "head" }, { gap: 1000, at: 5 }, { text: "tail", at: 1005 }]);
  });

  test("it ends colours and what was half written", () => {
    const lines = read([
      { content: "\x1b[31mhe", offset: 0, next_offset: 7 },
      { content: "", offset: 7, next_offset: 100 },
      { content: "\x1b[Aend", offset: 100, next_offset: 106 },
    ]);
    expect(picture(lines)).toMatchObject([{ text: "he" }, { gap: 93 }, { text: "end", marks: null }]);
  });

  test("what was missed is one", () => {
    const lines = read([
      { content: "a\n", offset: 0, next_offset: 2 },
      { content: "b\n", offset: 50, next_offset: 52 },
    ]);
    expect(picture(lines)).toMatchObject([{ text: "a" }, { gap: 48 }, { text: "b" }]);
  });

  test("one is put before, and what lies before it", () => {
    const lines = read([{ content: "tail\n", offset: 1005, next_offset: 1010 }]);
    expect(lines.prepend({ content: "", offset: 5, next_offset: 1005, gap: { start: 5, end: 1005 } })).toBe(true);
    expect(lines.prepend({ content: "head\n", offset: 0, next_offset: 5, gap: { start: 5, end: 1005 } })).toBe(true);
    expect(picture(lines)).toMatchObject([{ text: "head" }, { gap: 1000 }, { text: "tail" }]);
  });
});

describe("a log that was cut or replaced", () => {
  test("begins anew with what comes then", () => {
    const lines = read([{ content: "long ago\n", offset: 0, next_offset: 9 }]);
    expect(lines.append({ content: "new\n", offset: 0, next_offset: 4 })).toBe(false);
    expect(texts(lines)).toEqual(["new"]);
    expect([lines.start, lines.end]).toEqual([0, 4]);
  });

  test("a page that does not adjoin is not put before", () => {
    const lines = read([{ content: "b\n", offset: 10, next_offset: 12 }]);
    expect(lines.prepend({ content: "a\n", offset: 0, next_offset: 2 })).toBe(false);
    expect(lines.prepend({ content: "", offset: 10, next_offset: 10 })).toBe(false);
    expect(texts(lines)).toEqual(["b"]);
  });
});
