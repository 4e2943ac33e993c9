"""From parameters to cells: grid, zip and random. A cell is one value for each parameter.

Nothing is ever built beyond what is asked for: a grid of 8^8 cells, cut to ten, costs ten.
"""

import difflib
import itertools
import json
import math
import random
import re
import shlex
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

from jupyter_ra_jobs.errors import BadInput

Method = Literal["grid", "random", "zip"]
Cell = dict[str, Any]

USUAL_MOST = 10_000
"""How many runs a sweep may have, unless the server's `max_sweep_runs` says otherwise."""
_MOST_DRAWN = 1_000_000  # for a preview: far beyond any sweep, and not yet beyond a laptop

_BAD_KEY = re.compile(r"[\s=\0'\"{}]")
# Of any name: an alternative for each of thousands would be tried at each brace.
_PLACE = re.compile(r"(?<!\$)\{([^\s=\0'\"{}]+)\}")

_WORD = re.compile(r"[^\W\d][\w.-]*")  # unlike a shell's {1..3}


def cells(
    parameters: Mapping[str, Any], method: Method, *, most: int, max_runs: int | None, seed: int | None
) -> tuple[list[Cell], int | None]:
    """The cells of a sweep, and how many combinations there are in all (None: no end of them).

    `grid` takes every combination, the last parameter moving fastest; `zip` takes the first values, then the
    second; `random` draws `max_runs` cells, none twice where all parameters are lists. Values are lists, for
    `random` also ranges `{"min", "max", "log"?, "int"?}`. More than `max_runs` are cut; without it more than
    `most` are refused. Raises BadInput.
    """
    for key in parameters:
        if not key or _BAD_KEY.search(key):
            raise BadInput(f"parameters: {key!r} is no name of a parameter")
        if key.startswith("-"):
            raise BadInput(f"parameters: {key!r}: say {key.lstrip('-')!r}; the dashes are added")
    if method == "random":
        return _random(parameters, max_runs, seed, most)
    lists = {key: _values(key, values) for key, values in parameters.items()}
    if method == "zip":
        lengths = {len(values) for values in lists.values()}
        if len(lengths) > 1:
            shown = ", ".join(f"{key} has {len(values)}" for key, values in lists.items())
            raise BadInput(f"parameters: zip needs as many values for each; {shown}")
        total = lengths.pop() if lengths else 1
        rows: Iterator[tuple[Any, ...]] = zip(*lists.values(), strict=True) if lists else iter([()])
    else:
        total = math.prod(len(values) for values in lists.values())
        rows = itertools.product(*lists.values())
    wanted = _wanted(total, max_runs, most)
    return [dict(zip(lists, row, strict=True)) for row in itertools.islice(rows, wanted)], total


def preview(
    parameters: Mapping[str, Any], method: Method, *, first: int, max_runs: int | None, seed: int | None
) -> tuple[list[Cell], int, int | None]:
    """The first cells of a sweep, how many there would be, and how many combinations (None: no end of them).

    How many the server takes, it says itself. Raises BadInput as `cells`.
    """
    drawn = method == "random"
    # Another number of cells would be another draw; of a grid the first are the first.
    made = max_runs if drawn else min(first, max_runs or first)
    found, total = cells(parameters, method, most=_MOST_DRAWN, max_runs=made, seed=seed)
    runs = len(found) if drawn or total is None else min(total, max_runs or total)
    return found[:first], runs, total


def _wanted(total: int, max_runs: int | None, most: int) -> int:
    wanted = total if max_runs is None else min(total, max_runs)
    if wanted > most:
        advice = "give max_runs, or fewer values" if max_runs is None else "ask for fewer"
        raise BadInput(f"parameters: {wanted:,} runs are more than a sweep may have ({most:,}); {advice}")
    return wanted


def _values(key: str, values: Any) -> Sequence[Any]:
    if not isinstance(values, list):
        raise BadInput(f"parameters.{key}: must be a list of values, not {json.dumps(values)[:100]}")
    if not values:
        raise BadInput(f"parameters.{key}: has no values")
    return values


def _random(
    parameters: Mapping[str, Any], max_runs: int | None, seed: int | None, most: int
) -> tuple[list[Cell], int | None]:
    if max_runs is None:
        raise BadInput("max_runs: is missing; a random sweep needs to know how many runs to draw")
    rng = random.Random(seed)  # noqa: S311 - no secret
    if all(isinstance(values, list) for values in parameters.values()):
        lists = {key: _values(key, values) for key, values in parameters.items()}
        total = math.prod(len(values) for values in lists.values())
        places = _distinct(rng, total, _wanted(total, max_runs, most))
        return [_cell_at(lists, place) for place in places], total
    wanted = _wanted(max_runs, max_runs, most)
    return [{key: _draw(key, given, rng) for key, given in parameters.items()} for _ in range(wanted)], None


def _distinct(rng: random.Random, total: int, wanted: int) -> list[int]:
    """Different numbers below `total`, which may be beyond what a range can hold."""
    if total <= sys.maxsize:
        return rng.sample(range(total), wanted)
    places: dict[int, None] = {}
    while len(places) < wanted:
        places[rng.randrange(total)] = None
    return list(places)


def _cell_at(lists: dict[str, Sequence[Any]], place: int) -> Cell:
    """The grid's cell number `place`, without making those before it."""
    cell: Cell = {}
    for key in reversed(lists):
        place, index = divmod(place, len(lists[key]))
        cell[key] = lists[key][index]
    return {key: cell[key] for key in lists}


def _draw(key: str, given: Any, rng: random.Random) -> Any:
    if isinstance(given, list):
        return rng.choice(_values(key, given))
    if not isinstance(given, dict) or not {"min", "max"} <= given.keys() <= {"min", "max", "log", "int"}:
        raise BadInput(
            f'parameters.{key}: must be a list, or a range like {{"min": 1e-5, "max": 1e-1, "log": true}} '
            'or {"min": 1, "max": 8, "int": true}'
        )
    low, high = given["min"], given["max"]
    numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high))
    if not numbers or not low <= high or (given.get("log") and low <= 0):
        raise BadInput(f"parameters.{key}: min and max must be numbers, min the smaller, above 0 for log")
    value = (
        math.exp(rng.uniform(math.log(low), math.log(high))) if given.get("log") else rng.uniform(low, high)
    )
    if given.get("int"):
        return min(max(round(value), math.ceil(low)), math.floor(high))
    return min(max(value, low), high)


def command(base: str, cell: Mapping[str, Any]) -> str:
    """The command of one cell: each value where `{key}` stands, else appended as ` --key=value`.

    `{**}` stands for all of them, as one JSON object. Values are quoted for the shell where needed. `${key}`
    is the shell's own, and stays.
    """
    placed: set[str] = set()

    def place(found: re.Match[str]) -> str:
        if found[1] == "**" and "**" not in cell:
            placed.update(cell)
            return shlex.quote(json.dumps(cell))
        if found[1] not in cell:
            return found[0]
        placed.add(found[1])
        return shlex.quote(as_argument(cell[found[1]]))

    filled = _PLACE.sub(place, base)
    appended = [
        shlex.quote(f"--{key}={as_argument(value)}") for key, value in cell.items() if key not in placed
    ]
    return " ".join([filled, *appended])


def warnings(base: str, names: Collection[str]) -> list[str]:
    """What looks like a parameter's place in a base command, and is none; it stays as it is."""
    found = dict.fromkeys(place for place in _PLACE.findall(base) if _WORD.fullmatch(place))
    said = []
    for place in found:
        if place not in names:
            near = difflib.get_close_matches(place, list(names), 1)
            advice = f"; did you mean {{{near[0]}}}?" if near else ""
            said.append(f"{{{place}}} is no parameter and stays as it is{advice}")
    return said


def joined(words: Sequence[str], names: Collection[str]) -> str:
    """Words as one base command, quoted for the shell, but for the places of these parameters."""
    return " ".join(_quoted(word, names) for word in words)


def _quoted(word: str, names: Collection[str]) -> str:
    parts, rest = [], 0
    for place in _PLACE.finditer(word):
        if place[1] in names:
            parts += [word[rest : place.start()], place[0]]
            rest = place.end()
    parts.append(word[rest:])
    quoted = [part if at % 2 else shlex.quote(part) for at, part in enumerate(parts) if part]
    return "".join(quoted) or "''"


def as_argument(value: Any) -> str:
    """A value as a program is given it: text as it is, anything else as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value)
