"""The process that searches one log, newest lines first; `log_search.py` starts it.

A process of its own, since a regular expression may run for ever and holds the GIL meanwhile. It runs under
`python -I -S` and imports the standard library alone. Its `Task` comes as JSON on stdin, the log as an open
descriptor, so that it is the file that was checked. On stdout it writes a JSON object a line:

    {"at": 4096}                                 every line that begins here or later has been searched
    {"match": {"offset": 4000, "line": "..."}, "end": 4018}   so has this one, up to `end`, and it matches
    {"bad": "..."}                               what is wrong with the pattern
    {"complete": true}                           the last word: whether it came to the log's beginning

The first `at` says where it starts. SIGALRM kills it when its time is over, whatever it is doing.

Lines end at "\\n" alone. A pattern sees one line at a time without its "\\n" or "\\r\\n", decoded as UTF-8
with a lone surrogate for each byte that is not, so that nothing a log holds stops a search. A line longer
than a block is seen in pieces of a block and an overlap, each as if it were a line, since a loop that only
prints "\\r" makes a line of any length. So a match longer than the overlap may be missed there, and "^"
and "$" also hold where a piece was cut.
"""

import codecs
import json
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

SHOWN = 2_000
"""Characters of a found line that are shown, at most."""
MEMORY = 1 << 29
"""Bytes of address space, or a pattern could backtrack into all of the machine's memory."""
REPORT = 0.1
"""Seconds between two `at`, at most; the first come closer, to tell on which line a pattern hangs."""
EQUALS_ASCII = {"i": "\u0130\u0131", "s": "\u017f", "k": "\u212a"}
"""What equals an ASCII letter when case is ignored: the two i of Turkish, the long s, the Kelvin sign."""

Found = Iterator[tuple[int, int, re.Match[str]]]
"""Where a line begins, where it ends, and the first match in it."""


class Task(NamedTuple):
    """What to search for, and in what. Offsets and sizes are bytes; `before` is None for the end.

    The `gap`, from its first number up to its second, is not looked into: no line goes over it.
    """

    descriptor: int
    gap: tuple[int, int]
    query: str
    regex: bool
    ignore_case: bool
    before: int | None
    limit: int
    budget: float
    block: int
    overlap: int


def main() -> None:
    """Do what stdin says."""
    for number in (signal.SIGALRM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if most < 0 else min(MEMORY, most), most))
    task = Task(**json.loads(sys.stdin.buffer.read()))
    signal.setitimer(signal.ITIMER_REAL, task.budget)
    try:
        say(complete=Search(task).run())
    except (re.error, RecursionError, OverflowError) as error:
        say(bad=f"not a regular expression: {error}")
    except MemoryError:
        say(bad="the pattern takes too much memory; simplify it")


def say(**word: object) -> None:
    """One line to the server."""
    os.write(sys.stdout.fileno(), json.dumps(word).encode() + b"\n")


class Search:
    """One pass through a log, from its end to its beginning. re.error for a bad pattern."""

    def __init__(self, task: Task) -> None:
        flags = re.IGNORECASE if task.ignore_case else 0
        self._task = task
        self._gap_start, self._gap_end = task.gap
        self._search = re.compile(task.query if task.regex else re.escape(task.query), flags).search
        self._needle = needle_of(task)
        letters = set(self._needle.decode()) if task.ignore_case else set()
        self._strange = [
            c.encode() for letter, equal in EQUALS_ASCII.items() if letter in letters for c in equal
        ]
        self._pause = REPORT / 1024
        self._due = 0.0

    def run(self) -> bool:
        """Search and say what was found; whether there is nothing left to search."""
        start = self._start()
        say(at=start)
        for number, (begin, end, match) in enumerate(self._matches(start), 1):
            say(match={"offset": begin, "line": shown(match)}, end=end)
            if number == self._task.limit:
                return begin == 0
        return True

    def _start(self) -> int:
        """The end of the last line to look at."""
        size = os.fstat(self._task.descriptor).st_size
        if self._task.before is None or self._task.before >= size:
            return size
        before = self._over_gap(self._task.before)
        return before if before == self._gap_start else self._line_start(before)

    def _over_gap(self, at: int) -> int:
        """Where to go on backwards from here."""
        return self._gap_start if self._gap_start <= at <= self._gap_end else at

    def _low(self, at: int) -> int:
        """The beginning of the bytes without a gap that end here."""
        return self._gap_end if at > self._gap_end else 0

    def _read(self, begin: int, end: int) -> bytes:
        return os.pread(self._task.descriptor, end - begin, begin)

    def _line_start(self, at: int) -> int:
        """The last offset up to `at` at which a line begins."""
        low = self._low(at)
        while at > low:
            begin = max(low, at - self._task.block)
            newline = self._read(begin, at).rfind(b"\n")
            if newline >= 0:
                return begin + newline + 1
            at = begin
        return low

    def _matches(self, end: int) -> Found:
        while (end := self._over_gap(end)) > 0:
            low = self._low(end)
            begin = max(low, end - self._task.block)
            data = self._read(begin, end)
            if len(data) < end - begin:  # somebody cut the log
                end = begin + len(data)
                continue
            whole = data.find(b"\n", 0, -1) + 1 if begin > low else 0
            if begin > low and not whole:
                begin = self._line_start(begin)
                yield from self._in_long_line(begin, end)
            else:
                begin += whole
                yield from self._in_lines(data[whole:], begin)
            end = begin
            self._report(end)

    def _in_lines(self, data: bytes, base: int) -> Found:
        haystack, needle = self._sieve(data)
        if needle:
            return self._in_lines_with(needle, haystack, data, base)
        return self._in_each_line(data, base)

    def _in_lines_with(self, needle: bytes, haystack: bytes, data: bytes, base: int) -> Found:
        end = len(data)
        while (hit := haystack.rfind(needle, 0, end)) >= 0:
            start = data.rfind(b"\n", 0, hit) + 1
            newline = data.find(b"\n", hit)
            stop = newline if newline >= 0 else len(data)
            match = self._search(decoded(data[start:stop]))
            if match:
                yield base + start, base + stop, match
            self._report(base + start)
            end = start

    def _in_each_line(self, data: bytes, base: int) -> Found:
        # As much as can be in C: a log of 1 GB has ten million lines.
        text = data.removesuffix(b"\n").decode("utf-8", "surrogateescape")
        lines = text.split("\n")
        if "\r" in text:
            lines = [line.removesuffix("\r") for line in lines]
        starts: list[int] = []
        clock = time.monotonic
        for back, match in enumerate(map(self._search, reversed(lines)), 1):
            if match or clock() >= self._due:
                starts = starts or [0, *accumulate(len(line) + 1 for line in data.split(b"\n"))]
                start = base + starts[len(lines) - back]
                if match:
                    yield start, base + starts[len(lines) - back + 1] - 1, match
                self._report(start)

    def _in_long_line(self, start: int, end: int) -> Found:
        for begin in range(start, end, self._task.block):
            data = self._read(begin, min(end, begin + self._task.block + self._task.overlap))
            last = begin + len(data) >= end or not data
            if begin > start:  # what is left of a character was in the piece before
                data = data[next((n for n, byte in enumerate(data[:3]) if byte & 0xC0 != 0x80), 3) :]
            haystack, needle = self._sieve(data)
            match = self._search(decoded(data.removesuffix(b"\n"), last=last)) if needle in haystack else None
            if match:
                yield start, end, match
            if match or last:
                return

    def _sieve(self, data: bytes) -> tuple[bytes, bytes]:
        """Where to look, and for what, to skip lines without a match at a tenth of a match's cost.

        As bytes: what is valid UTF-8 is found, in any bytes, exactly where its characters are.
        """
        if not self._needle or not self._task.ignore_case:
            return data, self._needle
        # A byte of each first: memchr is ten times as fast.
        if not data.isascii() and any(c[-2] in data and c in data for c in self._strange):
            return data, b""
        return data.lower(), self._needle

    def _report(self, at: int) -> None:
        now = time.monotonic()
        if now >= self._due:
            say(at=at)
            self._pause = min(2 * self._pause, REPORT)
            self._due = now + self._pause


def needle_of(task: Task) -> bytes:
    """Bytes that each matching line holds, lowered when case is ignored; empty when none are known."""
    if task.regex:
        return b""
    if not task.ignore_case:
        return task.query.encode()
    ascii_parts = "".join(c if c.isascii() else "\n" for c in task.query).split("\n")
    return max(ascii_parts, key=len).lower().encode()


def decoded(line: bytes, *, last: bool = True) -> str:
    """What a pattern sees of a line; of a piece that is not the `last` also without a character cut short."""
    return codecs.utf_8_decode(line.removesuffix(b"\r"), "surrogateescape", last)[0]


def shown(match: re.Match[str]) -> str:
    """The line of a match, cut around it, as a page of the log would show it."""
    begin = max(0, min(match.start() - SHOWN // 4, len(match.string) - SHOWN))
    return match.string[begin : begin + SHOWN].encode("utf-8", "surrogateescape").decode("utf-8", "replace")


if __name__ == "__main__":
    main()
