"""How what is asked is written: paths, queries and bodies of requests."""

import operator
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from jupyter_ra_jobs import errors
from jupyter_ra_jobs.client.steps import Body, Query

_NO_JSON = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def run_path(run_id: str, verb: str = "") -> str:
    """Where a run is, or a verb of it."""
    return f"/runs/{id_in_path(run_id)}{verb}"


def sweep_path(sweep_id: str, verb: str = "") -> str:
    """Where a sweep is, or a verb of it."""
    return f"/sweeps/{id_in_path(sweep_id)}{verb}"


def id_in_path(given: object) -> str:
    """An id, quoted; BadInput for what can be none."""
    if not isinstance(given, str) or not given or given in {".", ".."}:
        raise errors.BadInput(f"an id is a string of twelve hex digits, not {given!r:.100}")
    return quote(given, safe="", errors="replace")


def name_in_path(given: object) -> str:
    """An artifact's name, quoted but for its slashes; NotFound for one that no artifact can have."""
    if not isinstance(given, str) or not given:
        raise errors.BadInput(f"an artifact's name is a string, not {given!r:.100}; artifacts() lists them")
    if {".", ".."} & set(given.split("/")):  # of an URL those are no names, but ways to another place
        raise errors.NotFound(f"there is no artifact {given!r:.100}; artifacts() lists them")
    return quote(given, safe="/", errors="replace")


def whole_number(name: str, given: object) -> int:
    """An int; BadInput, with what it is for, for what is none."""
    try:
        return operator.index(given)  # type: ignore[arg-type]
    except TypeError:
        raise errors.BadInput(f"{name}: must be a whole number, not {given!r:.100}") from None


def status_words(given: object) -> str | None:
    """A status, or several, as the query has them."""
    if given is None or isinstance(given, str):
        return given
    if not isinstance(given, Iterable):
        raise errors.BadInput(f"status: must be a status, or several in a list, not {given!r:.100}")
    return ",".join(map(str, given))


def query_of(given: Mapping[str, Any]) -> Query:
    """A query of what is not None."""
    return {name: _words(value) for name, value in given.items() if value is not None}


def _words(value: Any) -> str | list[str]:
    if isinstance(value, bool):
        return str(value).lower()
    return [str(each) for each in value] if isinstance(value, list | tuple) else str(value)


def json_of(body: Any) -> Body:
    """A body; BadInput for what JSON has no word for."""
    try:
        return Body(msgspec.json.encode(body, enc_hook=_plain))
    except (TypeError, OverflowError, RecursionError, UnicodeError) as problem:
        raise errors.BadInput(f"this can't be sent as JSON: {problem}") from problem


def _plain(value: Any) -> Any:
    """A number of NumPy or of a tensor library as Python's own."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "size", None) == 1:
        return item()
    raise TypeError(f"{type(value).__name__} is no JSON type")


def number_of(value: Any) -> Any:
    """JSON has no NaN: the server takes it, and the infinities, as texts."""
    if hasattr(value, "item") and not isinstance(value, int | float):
        value = value.item()
    return _NO_JSON.get(str(value), value) if isinstance(value, float) else value
