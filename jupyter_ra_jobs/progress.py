"""How far a run is, from the last progress bar in its log's tail. Pure, and never slow.

The tail is folded into rows as a terminal would: bars are redrawn with `\\r`, nested ones with the cursor
moved up. Of several bars the outer one counts:

- tqdm and pip leave the cursor on the outer bar's row, so rows below the cursor are inner bars;
- rich draws all of its rows again, and ends below them: the first that is not complete counts;
- in an epoch of a known number of epochs, a bar or a step is that epoch's part: 45% of epoch 3/10 is 24.5%.
  The epoch is named on the bar's line or on one above it (Keras). An epoch without a total (Lightning's
  `Epoch 3:  45%|`) says nothing of the whole, so its own bar is all there is.
- A counter alone counts as reached: `Epoch 3/10` is 30%.

A percentage in a sentence (`acc: 97.5%`) is no progress: there must be a bar, a counter with its name, or
a bare number that is redrawn with `\\r`.
"""

import re
from typing import Literal, NamedTuple

TAIL = 8_192
"""Bytes of a log's end that are looked at."""

_WIDEST = 1_000  # characters of a row that are looked at
_MOST_ROWS = 60

_ENDS = re.compile(r"[\r\n]")
# A CSI sequence (parameters, final letter), another escape sequence, or a backspace.
_CONTROL = re.compile(
    r"\x1b\[([0-?]{0,32})[ -/]{0,4}([@-~]?)"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]{0,4}[0-~]?|(\x08)"
)
_NUMBER = r"(\d{1,3}(?:\.\d{1,9})?)"
_TQDM = re.compile(  # `37%|###   | 37/100 [`, and without the bar `37% 37/100 [00:01<`
    r"(?<![\d.])(\d{1,3})%(?:\|(?=[^|])[#=>*\u2580-\u259f]{0,400}\d?[ .\-]{0,400}(?:\||\Z)"
    r"|(?=\s{1,9}\S{1,30}/\S{1,30} \[\d{1,4}:\d\d))(?:\s{0,9}\d{1,18}/(\d{1,18})\b)?",
    re.ASCII,
)
_RICH = re.compile(rf"[━╸╺]{{5,400}}\s{{1,9}}(?:{_NUMBER}%|([\d.]{{1,18}})/([\d.]{{1,18}})\b)", re.ASCII)
_KERAS = re.compile(r"\s{0,9}(\d{1,12})/(\d{1,12})\s{1,9}(?:\[[=>.]{5,}|━{5,})", re.ASCII)
_GLYPHS = r"#=+>*.\-\u2580-\u259f\u25a0\u25a1"
_BRACKETED = re.compile(  # `[####    ] 45%`
    rf"[\[|(](?=[ .\-]{{0,400}}[#=+>*\u2580-\u25a1])[ {_GLYPHS}]{{5,400}}[\])|]\s{{0,9}}{_NUMBER}\s?%",
    re.ASCII,
)
_WGET = re.compile(rf"(?<![\d.]){_NUMBER}%\s?\[(?=[=>#+])[ {_GLYPHS}]{{5,400}}\]", re.ASCII)
_CURL = re.compile(rf"[#=O-]{{0,400}}#\s{{1,200}}{_NUMBER}%\s{{0,9}}\Z", re.ASCII)
_SAID = re.compile(rf"\bprogress\b[^%\d]{{0,20}}{_NUMBER}\s?%", re.ASCII | re.IGNORECASE)
_BARE = re.compile(rf"\s{{0,80}}{_NUMBER}\s?%\s{{0,80}}\Z", re.ASCII)
_COUNTER = re.compile(
    r"\b(epochs?|steps?|iter(?:ation)?s?|batch(?:es)?)\b"
    r"[\s:=#]{0,4}(?:\[\d{1,9}\]\s?)?[\[(]?\s{0,9}(\d{1,12})\s?(?:/|of\s)\s?(\d{1,12})(?![\d.]|\])?",
    re.ASCII | re.IGNORECASE,
)
_COUNTED = ("epoch", "step", "iter", "batch")
_SIGNS = tuple(sign.encode() for sign in ("%", "━", "[=", "[>", "[.", *_COUNTED))  # without any, no bar
_UNTOTALLED = re.compile(r"\bepoch[\s:=#]{0,4}\[?\d{1,9}\]?(?:\s?\[|\s{0,4}[:|])", re.ASCII | re.IGNORECASE)
_STEP_OF_EPOCH = re.compile(r"\bepoch[\s:=#]{0,4}\[\d{1,9}\]\s?\[", re.ASCII | re.IGNORECASE)


class Epoch(NamedTuple):
    """The epoch that a log was last seen in, counted from 1."""

    number: int
    total: int


class Bar(NamedTuple):
    """What one row says: `done` of 1, and what is known about where it belongs."""

    done: float
    kind: Literal["tqdm", "rich", "bar", "counter", "epoch"]
    total: int | None = None
    epoch: Epoch | None = None
    alone: bool = False  # its line says that it is no part of a known number of epochs


def progress(tail: bytes) -> float | None:
    """0..100 from the last progress bar in the last 8 KB of a log, None when there is none."""
    return look(tail, None)[0]


def look(tail: bytes, epoch: Epoch | None) -> tuple[float | None, Epoch | None]:
    """The same, for who looks again and again: the last look's epoch goes in, this one's comes out.

    An inner bar's redraws soon push the line that named the epoch out of the tail. None means that this tail
    does not say: what was known still holds.
    """
    lower = tail.lower()
    if not any(sign in lower for sign in _SIGNS):
        return None, epoch
    screen = _Screen(tail)
    at, bar = screen.outer()
    if bar is None:
        return None, epoch
    if bar.kind == "epoch":
        return _percent(bar.done), bar.epoch
    if bar.epoch is None and not bar.alone:
        above = screen.epoch_above(at) or epoch
        if above is not None and (bar.kind != "tqdm" or bar.total != above.total):
            bar = bar._replace(epoch=above)
    if bar.epoch is None:
        return _percent(bar.done), epoch
    done = (max(bar.epoch.number - 1, 0) + bar.done) / bar.epoch.total
    return _percent(done), bar.epoch


def _percent(done: float) -> float:
    return round(100 * done, 2)


class _Screen:
    """The rows that a tail leaves on a terminal, each with all that was written to it in turn."""

    def __init__(self, tail: bytes) -> None:
        self._rows: dict[int, list[tuple[str, bool]]] = {}
        self._fresh: set[int] = set()  # written since the cursor last went up
        self._left: set[int] = set()  # the cursor went up from there
        self.cursor = 0
        text = tail[-TAIL:].decode("utf-8", "replace")
        if len(tail) >= TAIL:  # it begins in the middle of something
            begin = _ENDS.search(text)
            text = text[begin.start() :] if begin else ""
        for number, line in enumerate(text.split("\n")):
            self.cursor += number > 0
            for place, piece in enumerate(line.split("\r")):
                if "\x1b" in piece or "\b" in piece:
                    self._draw(piece, place > 0)
                else:
                    self._write(piece, place > 0)

    def _draw(self, piece: str, redrawn: bool) -> None:
        """What is written with escape sequences or backspaces in it."""
        written, start = "", 0
        for found in _CONTROL.finditer(piece):
            written += piece[start : found.start()]
            start = found.end()
            parameters, letter, back = found.groups()
            if not back and letter not in set("ABEF"):
                continue
            self._write(written, redrawn)
            written = ""
            if letter:
                count = int(parameters) if parameters.isdigit() and len(parameters) < 4 else 1
                if letter in "AF":
                    self._left.add(self.cursor)
                    self._fresh.clear()
                self.cursor += -count if letter in "AF" else count
        self._write(written + piece[start:], redrawn)

    def _write(self, text: str, redrawn: bool) -> None:
        if text.strip():
            self._rows.setdefault(self.cursor, []).append((text[:_WIDEST], redrawn))
            self._fresh.add(self.cursor)

    def _bar(self, row: int) -> Bar | None:
        """The last bar that was written to this row, even if it was wiped away since."""
        for text, redrawn in reversed(self._rows.get(row, [])):
            if bar := _read(text, redrawn):
                return bar
        return None

    def outer(self) -> tuple[int, Bar | None]:
        """The row that tells how far the whole is, and what it says."""
        rows = sorted((row for row in self._rows if row <= self.cursor), reverse=True)[:_MOST_ROWS]
        for row in rows:
            bar = self._bar(row)
            if bar is None:
                continue
            if bar.kind == "rich":
                return self._first_of_frame(row, bar)
            if bar.kind == "tqdm" and row in self._left:  # an inner one, half-way through its redraw
                above = self._bar(row - 1)
                if above is None or above.done < 1:
                    return row - 1, above
            return row, bar
        return 0, None

    def _first_of_frame(self, row: int, last: Bar) -> tuple[int, Bar]:
        frame = [(row, last)]
        while row - 1 in self._fresh and (bar := self._bar(row - 1)) is not None and bar.kind == "rich":
            row -= 1
            frame.append((row, bar))
        return next(((at, bar) for at, bar in reversed(frame) if bar.done < 1), frame[0])

    def epoch_above(self, row: int) -> Epoch | None:
        """The epoch that the nearest line above names."""
        for at in sorted((each for each in self._rows if each < row), reverse=True)[:_MOST_ROWS]:
            for text, _ in reversed(self._rows[at]):
                if (epoch := _epoch(text)) is not None:
                    return epoch
        return None


def _read(text: str, redrawn: bool) -> Bar | None:
    """What one row says, None when it is no bar. The cheap questions come first: most rows are none."""
    percent, of = "%" in text, "/" in text
    if not (percent or of or " of " in text):
        return None
    lower = text.lower()
    alone = "epoch" in lower and _UNTOTALLED.search(text) is not None
    if percent and (found := _TQDM.search(text)):
        total = int(found[2]) if found[2] else None
        return _part(float(found[1]), 100, "tqdm", total, text, alone)
    if "━" in text and (found := _RICH.search(text)):
        if found[1]:
            return _part(float(found[1]), 100, "rich", None, text, alone)
        return _part(_float(found[2]), _float(found[3]), "rich", None, text, alone)
    if of and (found := _KERAS.match(text)):
        return _part(float(found[1]), float(found[2]), "bar", int(found[2]), text, alone)
    if percent and (found := _drawn(text, lower, redrawn)):
        return _part(float(found[1]), 100, "bar", None, text, alone)
    return _counted(text) if any(word in lower for word in _COUNTED) else None


def _drawn(text: str, lower: str, redrawn: bool) -> re.Match[str] | None:
    """A percentage with a bar of signs, with the word for it, or redrawn all alone."""
    found = None
    if "]" in text or "|" in text or ")" in text:
        found = _BRACKETED.search(text) or _WGET.search(text)
    if found is None and "progress" in lower:
        found = _SAID.search(text)
    return found or _CURL.match(text) or (_BARE.match(text) if redrawn else None)


def _counted(text: str) -> Bar | None:
    """`Epoch 3/10`, `Step 100/1000`, `Epoch [3/10], Step [100/600]`, `Epoch: [3][ 45/100]`."""
    epoch, step = _epoch(text), None
    for found in _COUNTER.finditer(text):
        if not found[1].lower().startswith("epoch") or _STEP_OF_EPOCH.match(text, found.start()):
            step = found
    if step is not None:
        alone = _STEP_OF_EPOCH.match(text, step.start()) is not None
        return _part(float(step[2]), float(step[3]), "counter", None, text, alone)
    if epoch is None:
        return None
    return Bar(epoch.number / epoch.total, "epoch", epoch=epoch)


def _part(
    done: float,
    total: float,
    kind: Literal["tqdm", "rich", "bar", "counter"],
    steps: int | None,
    text: str,
    alone: bool,
) -> Bar | None:
    if not 0 <= done <= total or total <= 0:
        return None
    epoch = _epoch(text)
    return Bar(done / total, kind, steps, epoch, alone and epoch is None)


def _epoch(text: str) -> Epoch | None:
    if "poch" not in text and "POCH" not in text:
        return None
    for found in _COUNTER.finditer(text):
        number, total = int(found[2]), int(found[3])
        if (
            found[1].lower().startswith("epoch")
            and not _STEP_OF_EPOCH.match(text, found.start())
            and 0 <= number <= total
            and total > 0
        ):
            return Epoch(number, total)
    return None


def _float(text: str) -> float:
    """-1 for what is none, such as 1.2.3."""
    try:
        return float(text)
    except ValueError:
        return -1.0
