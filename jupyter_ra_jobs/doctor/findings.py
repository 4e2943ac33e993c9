"""What the doctor says of one thing."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

_SHOWN = 5


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    level: Literal["ok", "warn", "fail"]
    what: str
    says: str
    mend: str | None = None


def ok(what: str, says: str) -> Finding:
    """As it should be."""
    return Finding(level="ok", what=what, says=says)


def warn(what: str, says: str, mend: str) -> Finding:
    """Works, but should be seen to."""
    return Finding(level="warn", what=what, says=says, mend=mend)


def fail(what: str, says: str, mend: str) -> Finding:
    """Does not work, or is open to others."""
    return Finding(level="fail", what=what, says=says, mend=mend)


def size(count: int) -> str:
    """Bytes as people say them."""
    for unit, name, digits in ((1e9, "GB", 1), (1e6, "MB", 0), (1e3, "KB", 0)):
        if count >= unit:
            return f"{count / unit:.{digits}f} {name}"
    return f"{count} bytes"


def some(things: Iterable[object]) -> str:
    """The first of them, and how many there are."""
    listed = [str(thing) for thing in things]
    more = f", and {len(listed) - _SHOWN:,} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
