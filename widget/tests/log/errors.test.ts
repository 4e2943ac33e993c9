import { describe, expect, test } from "vitest";
import { beginAround, endOfError, kindOf, nextError } from "../../src/log/errors";
import { Lines } from "../../src/log/lines";
import { whole } from "./text";

test.each<[string, ReturnType<typeof kindOf>]>([
  ["Traceback (most recent call last):", "traceback"],
  ["  + Exception Group Traceback (most recent call last):", "traceback"],
  ["[rank0]: Traceback (most recent call last):", "traceback"],
  ["thread 'main' panicked at src/main.rs:2:5:", "traceback"],
  ["ValueError: no such thing", "error"],
  ["torch.cuda.OutOfMemoryError: CUDA out of memory.", "error"],
  ["KeyboardInterrupt", "error"],
  ["2026-01-01 12:00 [ERROR] it broke", "error"],
  ["make: *** [all] Error 2", "error"],
  ["error: could not compile", "error"],
  ["Segmentation fault (core dumped)", "error"],
  ["0 errors, 3 warnings", null],
  ["finished without error", null],
  ["error_rate=0.3", null],
  ["mean error of the model 0.3", "error"],
  ["/tmp/error.log", null],
  ["UserWarning: deprecated", "warning"],
  ["[WARNING] slow", "warning"],
  ["loss=0.1", null],
  ["", null],
])("%j: %s", (text, kind) => expect(kindOf(text)).toBe(kind));

const TEXT = `start
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    f()
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
ValueError: b
going on
ERROR: again
end
`;

describe("next error", () => {
  const lines = new Lines();
  lines.append(whole(TEXT));

  test("a traceback is one, with those that it came of", () => {
    expect(endOfError(lines, 1)).toBe(11);
    for (let at = 1; at < 11; at++) expect(beginAround(lines, at)).toBe(1);
    expect(beginAround(lines, 12)).toBe(12);
  });

  test("forwards", () => {
    expect(nextError(lines, -1, 1)).toBe(1);
    expect(nextError(lines, 0, 1)).toBe(1);
    for (let at = 1; at < 12; at++) expect(nextError(lines, at, 1)).toBe(12);
    expect(nextError(lines, 12, 1)).toBeUndefined();
  });

  test("backwards", () => {
    expect(nextError(lines, lines.last, -1)).toBe(12);
    expect(nextError(lines, 12, -1)).toBe(1);
    expect(nextError(lines, 1, -1)).toBeUndefined();
  });

  test("a traceback without an end ends with the log", () => {
    const cut = new Lines();
    cut.append(whole("Traceback (most recent call last):\n  File"));
    expect(endOfError(cut, 0)).toBe(2);
    expect(nextError(cut, 0, 1)).toBeUndefined();
  });
});
