"""Python functions as runs: `ra.submit`, `ra.options(…).submit`, and as sweeps: `ra.map`."""

import inspect
import json
import linecache
import math
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import cloudpickle

from jupyter_ra_jobs import _call_worker
from jupyter_ra_jobs.cells.plain import clip
from jupyter_ra_jobs.cells.results import CALL
from jupyter_ra_jobs.cells.runs import Run
from jupyter_ra_jobs.cells.session import Content, checked_grid, client, run, sweep
from jupyter_ra_jobs.cells.sweeps import Sweep
from jupyter_ra_jobs.errors import BadInput

_SHOWN = 40  # signs of an argument in a run's name
_LONGEST_NAME = 80
_SECRET = re.compile("key|token|secret|password", re.IGNORECASE)  # as parameters are named
_PLAIN = (bool, int, float, str, type(None))


class Options:
    """Options of `ra.run` for functions to be submitted with."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def submit(self, func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Run:
        """As `ra.submit`, with these options."""
        _check_call(func, args, kwargs)
        given = {**self._options}
        given["name"] = given["name"] or _shown(func, args, kwargs)
        given["files"] = {**_checked_files(given["files"]), **_files(func, args, kwargs)}
        return run(_command(func), **given)


def submit(func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Run:
    """Call `func(*args, **kwargs)` in a run of its own; returns at once, and `.result()` waits for it.

    All arguments are the function's, as in concurrent.futures; what is said of the run goes through
    `ra.options(gpus=1).submit(func, …)`. Raises BadInput for what can't be sent there.
    """
    return options().submit(func, *args, **kwargs)


def options(
    *,
    name: str | None = None,
    start: bool = True,
    workdir: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    tags: Sequence[str] = (),
    notes: str | None = None,
    timeout: float | str | None = None,
    priority: int = 0,
    after: "Iterable[Run | str]" = (),
    max_retries: int = 0,
    gpus: int | None = None,
    files: Mapping[str, Content] | None = None,
) -> Options:
    """What `ra.run` takes, for functions: `ra.options(timeout=60).submit(func, 1, lr=0.1)`."""
    given = dict(locals())
    return Options({**given, "after": list(after)})  # of use for several functions


def map(  # noqa: A001 - as ra.map, beside ra.submit, it is known from concurrent.futures
    func: Callable[..., Any],
    grid: Mapping[str, Iterable[Any]],
    *,
    name: str | None = None,
    parallel: int = 1,
    start: bool = True,
    method: Literal["grid", "random", "zip"] = "grid",
    max_runs: int | None = None,
    seed: int | None = None,
    workdir: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    goal: str | None = None,
    tags: Sequence[str] = (),
    timeout: float | str | None = None,
    priority: int = 0,
    after: "Iterable[Run | str]" = (),
    max_retries: int = 0,
    gpus: int | None = None,
    files: Mapping[str, Content] | None = None,
) -> Sweep:
    """Call `func(**cell)` in a run for each combination of `grid`, `parallel` at a time.

    Returns at once; `.results()` waits for all. Values arrive equal to what they are here; BadInput for what
    JSON can't hold. The options are those of `ra.sweep`.
    """
    lists = checked_grid(grid)
    for key, values in lists.items():
        for value in values:
            _check_held(key, value)
    _check_call(func, (), dict.fromkeys(lists))
    return sweep(
        _command(func) + " {**}",
        lists,
        name=name or _name_of(func),
        parallel=parallel,
        start=start,
        method=method,
        max_runs=max_runs,
        seed=seed,
        workdir=workdir,
        env=env,
        goal=goal,
        tags=tags,
        timeout=timeout,
        priority=priority,
        after=after,
        max_retries=max_retries,
        gpus=gpus,
        files={**_checked_files(files), **_files(func, (), {})},
    )


# -- what goes to the run -----------------------------------------------------------------------------


def _command(func: object) -> str:
    """By this kernel's Python, where the server is on this machine; else by the one that the server finds.

    The function's name is for who reads it.
    """
    here = client().address.workdir is not None
    python = shlex.quote(sys.executable) if here and sys.executable else "python3"
    return f'{python} "$RA_FILES_DIR/call.py" {shlex.quote(clip(_name_of(func), _LONGEST_NAME))}'


def _files(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Content]:
    try:
        call = cloudpickle.dumps((func, args, kwargs))
    except Exception as problem:
        raise BadInput(
            f"{_name_of(func)} can't be sent to a run, since it or an argument can't be pickled: {problem}; "
            "open files, locks and connections have to be made within the function"
        ) from problem
    here = client().address.workdir is not None
    about = {
        "python": list(sys.version_info[:2]),
        "cloudpickle": cloudpickle.__version__,
        "path": [os.path.abspath(each) for each in sys.path if each] if here else [],  # noqa: PTH100 - no "~"
        "sources": _sources(func),
    }
    return {
        "call.py": Path(_call_worker.__file__).read_bytes(),
        "call.json": json.dumps(about).encode(),
        CALL: call,
    }


def _sources(func: Callable[..., Any]) -> dict[str, str]:
    """The text of the notebook's cell, which is no file that the run could read."""
    name = getattr(getattr(func, "__code__", None), "co_filename", None)
    if name is None or Path(name).exists():
        return {}
    lines = linecache.getlines(name)
    return {name: "".join(lines)} if lines else {}


def _checked_files(files: Mapping[str, Content] | None) -> Mapping[str, Content]:
    taken = {"call.py", "call.json", CALL} & set(files or ())
    if taken:
        raise BadInput(f"files: {', '.join(sorted(taken))} is a name that the function itself is sent by")
    return files or {}


# -- checks ----------------------------------------------------------------------------------------------


def _check_call(func: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Whether the function takes these arguments, as far as that can be known."""
    if not callable(func):
        raise BadInput(f"the first argument must be a function to call, not {func!r:.100}")
    try:
        signature = inspect.signature(func)
    except (TypeError, ValueError):  # some built-in ones don't tell
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as problem:
        option = next((name for name in kwargs if name in inspect.signature(options).parameters), None)
        hint = f"; an option of the run goes as ra.options({option}=…).submit(…)" if option else ""
        raise BadInput(f"{_name_of(func)}{signature} can't be called so: {problem}{hint}") from None


def _check_held(key: str, value: Any) -> None:
    """Raise BadInput for a value that JSON doesn't hold as it is."""
    why = ""
    if isinstance(value, float) and not math.isfinite(value):
        why = "JSON has no such number"
    elif isinstance(value, int) and not -(2**63) <= value < 2**64:
        why = "more than 64 bits"
    elif isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            why = "half a character"
    elif isinstance(value, list):
        for each in value:
            _check_held(key, each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if not isinstance(name, str):
                why = f"its key {name!r:.40} would arrive as a text"
            _check_held(key, each)
    elif isinstance(value, tuple):
        why = "a tuple would arrive as a list; write a list"
    elif not isinstance(value, _PLAIN):
        why = f"JSON has no {type(value).__name__}; give a text or a number from which the function makes it"
    if why:
        raise BadInput(f"{key}: {value!r:.100} can't be a value of a grid: {why}")


def _name_of(func: object) -> str:
    name = getattr(func, "__qualname__", None) or type(func).__name__
    return str(name).rpartition("<locals>.")[2]


def _shown(func: object, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """A name for a run: the call, as far as it is short, without secrets."""
    parts = [_brief(key, value) for key, value in zip(_names(func, len(args)), args, strict=True)]
    parts += [f"{key}={_brief(key, value)}" for key, value in kwargs.items()]
    text = f"{_name_of(func)}({', '.join(parts)})"
    return text if len(text) <= 80 else text[:79] + "…"


def _names(func: Any, count: int) -> list[str]:
    """The parameters that so many positional arguments are for, as far as that can be known."""
    try:
        parameters = inspect.signature(func).parameters.values()
    except (TypeError, ValueError):  # some built-in ones don't tell
        return [""] * count
    rest = next((each.name for each in parameters if each.kind is each.VAR_POSITIONAL), "")
    known = [each.name for each in parameters if each.kind <= each.POSITIONAL_OR_KEYWORD]
    return [*known, *[rest] * count][:count]


def _brief(key: str, value: Any) -> str:
    # Of anything else a repr may be long, and take long.
    text = repr(value) if isinstance(value, _PLAIN) and not _SECRET.search(key) else "…"
    return text if len(text) <= _SHOWN else "…"
