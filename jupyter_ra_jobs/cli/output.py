"""What goes to a terminal, and what to a pipe: bytes as they are, and text that is fit to be shown."""

import contextlib
import datetime
import os
import sys
import time
import unicodedata
from collections.abc import Sequence

_COLOURS = {
    "running": "36",
    "launching": "36",
    "queued": "33",
    "pending": "33",
    "finished": "32",
    "completed": "32",
    "failed": "31",
    "stopped": "35",
    "canceled": "35",
}


def write(part: bytes) -> None:
    """To stdout, at once; raises BrokenPipeError."""
    sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


def plain(text: str) -> str:
    """Fit for a terminal: what somebody has named a run may hold anything."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def colours() -> bool:
    """Whether stdout is a terminal whose user has nothing against colours (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def status(word: str) -> str:
    """A status in its colour."""
    return f"\x1b[{_COLOURS[word]}m{word}\x1b[0m" if word in _COLOURS else word


def columns() -> int | None:
    """How wide the terminal is; None when the output goes elsewhere."""
    if sys.stdout.isatty():
        with contextlib.suppress(OSError):
            return os.get_terminal_size(sys.stdout.fileno()).columns or None
    return None


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], widest: int, flexible: int) -> list[str]:
    """Lines no wider than `widest`; the column number `flexible` gives way."""
    cells = [list(heads), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(_width(row[at]) for row in cells) for at in range(len(heads))]
    others = sum(widths) - widths[flexible] + 2 * (len(heads) - 1)
    widths[flexible] = max(min(widths[flexible], widest - others), len(heads[flexible]))
    return [
        "  ".join(_fit(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _width(text: str) -> int:
    return sum(_sign_width(sign) for sign in text)


def _sign_width(sign: str) -> int:
    if sign.isascii():
        return 1
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def _fit(text: str, width: int) -> str:
    """Filled up with blanks, or cut."""
    full = _width(text)
    if full > width:
        kept, full = "", 1
        for sign in text:
            if full + _sign_width(sign) > width:
                break
            kept, full = kept + sign, full + _sign_width(sign)
        text = kept + "…"
    return text + " " * (width - full)


def length(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = max(0, round(seconds))
    for unit, size, below, smaller in (("d", 86400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size}{unit}{whole % size // smaller:02}{below}"
    return f"{whole}s"


def age(at: float) -> str:
    """How long ago, in one unit."""
    whole = max(0, int(time.time() - at))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def moment(at: float) -> str:
    """As the user's clock shows it."""
    return datetime.datetime.fromtimestamp(at).astimezone().isoformat(" ", "seconds")
