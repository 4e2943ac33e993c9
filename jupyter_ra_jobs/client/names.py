"""What a run or a sweep is called that was given no name."""

_LONGEST = 80


def name_of(command: str) -> str:
    """Its command's first line, or the beginning of that."""
    first = (command.strip().splitlines() or [""])[0]
    return first if len(first) <= _LONGEST else first[: _LONGEST - 1] + "…"
