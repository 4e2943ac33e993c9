"""A program's output as a terminal would show it in the end: no escape sequences, no redrawn bars. Pure."""

import re

_TOKEN = re.compile(
    r"\x1b\[([0-?]*)[ -/]*([@-~]?)"  # CSI: parameters, final letter
    r"|\x1b\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)?"  # OSC: titles, links
    r"|\x1b[PX^_][^\x1b\r\n]*(?:\x1b\\)?"  # strings to the terminal
    r"|\x1b[ -/]*[0-~]?"
    r"|([\r\n\b])"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]"
)
_WIDEST = 1_000  # columns that a sequence may go to the right


def fold(text: str) -> list[str]:
    """The rows that are left of `text`, without trailing blanks; what was overwritten is gone.

    Takes time in proportion to the text, whatever it holds.
    """
    screen = _Screen()
    start = 0
    for found in _TOKEN.finditer(text):
        if start < found.start():
            screen.write(text[start : found.start()])
        start = found.end()
        parameters, letter, sign = found.groups()
        if sign:
            screen.take(sign)
        elif letter:
            screen.control(parameters, letter)
    screen.write(text[start:])
    rows = ["".join(row).rstrip() for row in screen.rows]
    return rows if rows[-1] else rows[:-1]


def plain(text: str) -> str:
    """The same as one text."""
    return "\n".join(fold(text))


def shorten(line: str, most: int) -> str:
    """A line of `most` characters at most, and how many were left out."""
    return line if len(line) <= most else f"{line[:most]}… [{len(line) - most:,} more characters]"


class _Screen:
    """Rows without a width, and a cursor."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = [[]]
        self.at = self.column = 0

    def write(self, text: str) -> None:
        row = self.rows[self.at]
        if text and self.column > len(row):
            row.extend(" " * (self.column - len(row)))
        row[self.column : self.column + len(text)] = text
        self.column += len(text)

    def take(self, sign: str) -> None:
        """A carriage return, a newline, a backspace."""
        if sign == "\b":
            self.column = max(0, self.column - 1)
            return
        self.column = 0
        if sign == "\n":
            self.at += 1
            if self.at == len(self.rows):
                self.rows.append([])

    def control(self, parameters: str, letter: str) -> None:
        """A sequence: what moves the cursor, or wipes; colours and all else do nothing."""
        given = int(parameters) if parameters.isdecimal() and len(parameters) < 4 else None
        count = given or 1
        if letter in "AF":
            self.at = max(0, self.at - count)
        elif letter in "BE":
            self.at = min(len(self.rows) - 1, self.at + count)
        elif letter == "C":
            self._go(self.column + count)
        elif letter == "D":
            self.column = max(0, self.column - count)
        elif letter == "G":
            self._go(count - 1)
        elif letter in "Hf" and self.rows[-1]:  # somewhere on a screen that is not ours: begin anew
            self.rows.append([])
            self.at, self.column = len(self.rows) - 1, 0
        elif letter == "K":
            self._wipe(given or 0)
        elif letter == "J" and not given:
            self._wipe(0)
            del self.rows[self.at + 1 :]
        if letter in "EF":
            self.column = 0

    def _go(self, column: int) -> None:
        self.column = min(column, max(_WIDEST, len(self.rows[self.at])))

    def _wipe(self, how: int) -> None:
        row = self.rows[self.at]
        if how == 0:
            del row[self.column :]
        elif how == 1:
            row[: self.column] = " " * min(self.column, len(row))
        elif how == 2:
            row.clear()
