import type { Lines } from "./lines";

export type Kind = "error" | "warning" | "traceback";

const TRACEBACK = /^\s*(?:\[?rank\d+\]?:\s*)?(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\):/;
const PANIC = /^(?:thread '.*' panicked at|panic: |goroutine \d+ \[running\]:|\*\*\* (?:Aborted|SIG[A-Z]+))/;
// A word of its own, the end of an exception's name, or what the system says; `0 errors` and `error_rate=` are none.
const ERRORS = [
  /(?:^|[^\w./-])(?:ERROR|FATAL|CRITICAL|error|fatal|Error|Fatal)(?=[\]:!\s,)]|$)/,
  /^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt)(?=:|$)/,
  /\b(?:Segmentation fault|core dumped|[Oo]ut of memory)\b|^Killed$/,
];
const NO_ERROR = /\b(?:0|no|without) (?:errors?|fatal)\b|\berrors?[:=]\s*0\b/i;
const WARNING = /(?:^|[^\w./-])(?:WARN(?:ING)?|[Ww]arning)(?=[\]:!\s,)]|$)|\b[A-Z]\w*Warning(?=:)/;
const LOOKED_AT = 500;
/** Rows that a traceback has at most; a longer one ends there. */
const LONGEST_TRACEBACK = 1000;
const FOLLOWED = /^(?:During handling of the above exception|The above exception was the direct cause)/;

/** What a row says went wrong; of a long one, as far as its beginning says so. */
export function kindOf(text: string): Kind | null {
  const begin = text.length > LOOKED_AT ? text.slice(0, LOOKED_AT) : text;
  if (TRACEBACK.test(begin) || PANIC.test(begin)) return "traceback";
  if (ERRORS.some((error) => error.test(begin)) && !NO_ERROR.test(begin)) return "error";
  return WARNING.test(begin) ? "warning" : null;
}

/** The number behind the last row of the error that begins at row `from`: of a traceback, behind its last word. */
export function endOfError(lines: Lines, from: number): number {
  if (kindOf(lines.row(from)?.text ?? "") !== "traceback") return from + 1;
  const until = Math.min(lines.last, from + LONGEST_TRACEBACK);
  for (let at = from + 1; at < until; at++) {
    const text = lines.row(at)?.text ?? "";
    if (text === "" || /^[\s|+]/.test(text) || FOLLOWED.test(text) || TRACEBACK.test(text)) continue;
    // The exception's own line; another traceback may follow from it.
    if (!FOLLOWED.test(lines.row(at + 2)?.text ?? "")) return at + 1;
  }
  return until;
}

/** The nearest row after (`step` 1) or before (-1) `from` where an error begins, if one is held. */
export function nextError(lines: Lines, from: number, step: 1 | -1): number | undefined {
  if (step === 1) {
    for (
      let at = from < lines.first ? lines.first : Math.max(from + 1, endAround(lines, from));
      at < lines.last;
      at++
    ) {
      if (isError(lines, at)) return at;
    }
    return undefined;
  }
  for (let at = Math.min(from, lines.last) - 1; at >= lines.first; at--) {
    if (isError(lines, at)) return beginAround(lines, at);
  }
  return undefined;
}

function isError(lines: Lines, at: number): boolean {
  const kind = kindOf(lines.row(at)?.text ?? "");
  return kind === "error" || kind === "traceback";
}

/** Where the traceback that row `at` is in began; `at` itself when it is in none. */
export function beginAround(lines: Lines, at: number): number {
  let begin = at;
  for (let row = at; row >= lines.first && row > at - LONGEST_TRACEBACK; row--) {
    if (kindOf(lines.row(row)?.text ?? "") === "traceback" && endOfError(lines, row) > at) begin = row;
  }
  return begin;
}

function endAround(lines: Lines, at: number): number {
  return endOfError(lines, beginAround(lines, at));
}
