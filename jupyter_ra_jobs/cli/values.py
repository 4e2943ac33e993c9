"""A sweep's parameters, from `-p lr=1e-3,1e-2` and files of JSON."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from jupyter_ra_jobs.errors import BadInput

_RANGE = re.compile(r"([+-]?\d+):([+-]?\d+)(?::([+-]?\d+))?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)  # that JSON writes otherwise
_FRACTIONS = re.compile(r"{0}:{0}(:{0})?".format(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"), re.ASCII)
_MOST = 1_000_000


def parameters(words: Iterable[str], grid: str | None) -> dict[str, Any]:
    """Values by name, as POST /sweeps takes them: lists, and ranges for random ones. Raises BadInput."""
    found = {} if grid is None else _of_file(grid)
    for word in words:
        name, given, text = word.partition("=")
        if not given or not name:
            raise BadInput(f"-p {word}: say its values too, as in -p {name or 'lr'}=0.1,0.01")
        if name in found:
            raise BadInput(
                f"-p {word}: {name} has values already; write all of them behind one {name}=, with commas"
            )
        found[name] = values(name, text)
    if not found:
        raise BadInput(
            "there are no parameters; say them as in -p lr=0.1,0.01 -p seed=0:3, or by --grid FILE.json"
        )
    return found


def values(name: str, text: str) -> Any:
    """`1,2`, `0:3` (as Python's range: 0, 1, 2), a JSON list, or a JSON object, for the server."""
    if text.startswith(("[", "{")):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError as problem:
            raise BadInput(
                f"-p {name}: {text} is no JSON ({problem}); other values may not begin so"
            ) from problem
    if found := _RANGE.fullmatch(text):
        start, stop, step = int(found[1]), int(found[2]), int(found[3] or 1)
        numbers = range(start, stop, step) if step else range(0)
        if not numbers:
            raise BadInput(f"-p {name}: there is no number in {text}; 0:3 is 0, 1, 2, and 6:0:-2 is 6, 4, 2")
        if len(numbers) > _MOST:
            raise BadInput(f"-p {name}: {text} are {len(numbers):,} numbers; that many are no sweep")
        return list(numbers)
    if _FRACTIONS.fullmatch(text):
        raise BadInput(
            f"-p {name}: a range is of whole numbers, and {text} has others; write the values, as in "
            f"{name}=0.1,0.2,0.3, or '{name}=[\"{text}\"]' if the text itself is meant"
        )
    items = text.split(",")
    if "" in items:
        raise BadInput(
            f"-p {name}: there is an empty value in {text!r}; if it is meant, say it in JSON: '{name}=[\"\"]'"
        )
    return [_value(item) for item in items]


def _value(text: str) -> Any:
    """A number, true, false, null, or a text in quotes, as JSON has them; else the text as it is."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return float(text) if _NUMBER.fullmatch(text) else text


def _of_file(grid: str) -> dict[str, Any]:
    try:
        text = sys.stdin.buffer.read() if grid == "-" else Path(grid).read_bytes()
        found = msgspec.json.decode(text)
    except OSError as problem:
        raise BadInput(f"--grid: {problem}") from problem
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadInput(f"--grid: {grid} is no JSON: {problem}") from problem
    if not isinstance(found, dict):
        raise BadInput(f'--grid: {grid} must hold an object of lists, as in {{"lr": [0.1, 0.01]}}')
    return found
