import { describe, expect, test } from "vitest";
import { Lines } from "../../src/log/lines";
import { spans } from "../../src/log/row";
import { texts, whole } from "./text";

function shown(text: string): string[] {
  const lines = new Lines();
  lines.append(whole(text));
  return texts(lines);
}

function looks(text: string): [string, string][] {
  const lines = new Lines();
  lines.append(whole(text));
  return Array.from({ length: lines.last - lines.first }, (_, n) => lines.row(n))
    .flatMap((row) => (row ? spans(row) : []))
    .map(({ text: part, pen }) => [part, pen.key.replace("/0000000", "")]);
}

test.each<[string, string, string[]]>([
  ["lines", "a\nb\n", ["a", "b"]],
  ["an unfinished line", "a\nb", ["a", "b"]],
  ["empty lines", "\n\na\n\n", ["", "", "a", ""]],
  ["lines of Windows", "a\r\nb\r\n", ["a", "b"]],
  ["a bar that is drawn again", " 10%|#   |\r 20%|##  |\r100%|####|\ndone\n", ["100%|####|", "done"]],
  ["a shorter text over a longer one", "longer\rshort", ["shortr"]],
  ["wiped first", "longer\r\x1b[Kshort", ["short"]],
  ["wiped after", "longer\rshort\x1b[K", ["short"]],
  ["wiped whole", "longer\x1b[2K\rx", ["x"]],
  ["wiped up to here", "abcdef\x1b[3D\x1b[1K", ["    ef"]],
  [
    "nested bars of tqdm",
    "out 0%\nin 0%\x1b[A\rout 50%\n\rin 100%\x1b[A\rout 100%\n\nend\n",
    ["out 100%", "in 100%", "end"],
  ],
  ["a frame of rich", "a 1\nb 1\n\x1b[2A\ra 2\nb 2\n", ["a 2", "b 2"]],
  ["up, wiped (pip, Docker)", "one\ntwo\n\x1b[1A\x1b[2Knew\n", ["one", "new"]],
  ["backspace", "abc\b\bX", ["aXc"]],
  ["a column", "abcdef\x1b[2GX", ["aXcdef"]],
  ["a place to the right", "a\x1b[3Cb", ["a   b"]],
  ["tabs", "a\tb", ["a\tb"]],
  ["the cursor at the top", "\x1b[99Aa\n\x1b[99Ab", ["b"]],
  ["a screen that is drawn in place", "before\n\x1b[Ha\nb\x1b[Hc", ["before", "c", "b"]],
  ["a screen that is cleared", "a\n\x1b[2J\x1b[Hb\n\x1b[2J\x1b[Hc", ["a", "b", "c"]],
  ["wiped below", "a\nb\nc\x1b[2A\r\x1b[Jd", ["d"]],
  ["titles, links and charsets", "\x1b]0;t\x07a\x1b]8;;http://x\x1b\\b\x1b]8;;\x1b\\\x1b(Bc", ["abc"]],
  ["a title without an end", "\x1b]0;title\nnext", ["", "next"]],
  ["hidden cursors and pasting", "\x1b[?25l\x1b[?2004ha\x1b[?25h", ["a"]],
  ["control characters", "a\x01\x00\x07\x7f\x85\u202eb", ["a\u2401\u2421\ufffd\ufffdb"]],
  ["an escape that is none", "\x1b\x1b[31", ["\u241b"]],
  ["half of something wide", "🐎b\rx", ["x b"]],
  ["HTML, as it is", "<img src=x onerror=alert(1)>&amp;\n", ["<img src=x onerror=alert(1)>&amp;"]],
])("%s", (_, text, rows) => {
  expect(shown(text)).toEqual(rows);
});

describe("colours", () => {
  test.each<[string, string, [string, string][]]>([
    [
      "of the sixteen",
      "a\x1b[31mb\x1b[0mc\x1b[92;41md",
      [
        ["a", ""],
        ["b", "1/"],
        ["c", ""],
        ["d", "10/1"],
      ],
    ],
    [
      "go on in the next line",
      "\x1b[32ma\nb\x1b[mc",
      [
        ["a", "2/"],
        ["b", "2/"],
        ["c", ""],
      ],
    ],
    [
      "of 256",
      "\x1b[38;5;196ma\x1b[38;5;9mb\x1b[48;5;244mc",
      [
        ["a", "#ff0000/"],
        ["b", "9/"],
        ["c", "9/#808080"],
      ],
    ],
    [
      "of 24 bits",
      "\x1b[38;2;1;2;255ma\x1b[38:2::3:4:5mb",
      [
        ["a", "#0102ff/"],
        ["b", "#030405/"],
      ],
    ],
    ["that are none", "\x1b[38;2;1;2;300ma\x1b[38;5;999mb\x1b[1234mc", [["abc", ""]]],
    [
      "over others",
      "\x1b[31mabcdef\r\x1b[32mxy\x1b[0mz",
      [
        ["xy", "2/"],
        ["z", ""],
        ["def", "1/"],
      ],
    ],
    [
      "not of what is skipped",
      "\x1b[41ma\x1b[2Cb",
      [
        ["a", "/1"],
        ["  ", ""],
        ["b", "/1"],
      ],
    ],
  ])("%s", (_, text, expected) => {
    expect(looks(text)).toEqual(expected);
  });

  test("bold, italic, underlined and their ends", () => {
    expect(looks("\x1b[1;3;4ma\x1b[22;23;24mb").map(([text, key]) => [text, key])).toEqual([
      ["a", "//1011000"],
      ["b", ""],
    ]);
  });
});
