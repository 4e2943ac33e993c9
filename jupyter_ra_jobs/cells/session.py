"""The functions that cells call: `ra.run`, `ra.sweep`, `ra.runs`, `ra.get`, `ra.connect`."""

import contextlib
import itertools
import math
import os
import shlex
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from jupyter_ra_jobs import grids, models
from jupyter_ra_jobs.cells import surroundings
from jupyter_ra_jobs.cells.bars import tell
from jupyter_ra_jobs.cells.runs import Run, RunList
from jupyter_ra_jobs.cells.sweeps import Sweep, SweepList
from jupyter_ra_jobs.client import Address, Client, ids
from jupyter_ra_jobs.client.names import name_of
from jupyter_ra_jobs.client.times import seconds
from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.tracebacks import shortening

Content = bytes | str | os.PathLike[str]
"""A file to be given to a run: what is in it, or the path where it is."""
_lock = threading.Lock()
_client: Client | None = None
_JSON_TYPES = {str, int, float, bool, list, tuple, dict, type(None)}
_MOST_VALUES = 1_000_000  # of a parameter: far beyond any sweep, and an end of what has none


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held it


os.register_at_fork(after_in_child=_after_fork)


def connect(
    url: str | None = None, token: str | None = None, *, workdir: str | os.PathLike[str] | None = None
) -> Client:
    """Say which server is meant from now on: by the URL of Jupyter or of our routes, or by its workdir.

    Without one it is found anew. Raises NoServer when there is none, Forbidden when the token is wrong; then
    all stays as it was.
    """
    global _client
    folder = None if workdir is None else Path(workdir).expanduser()
    made = Client(url, token, workdir=folder, tell=tell)
    try:
        made.runs(limit=1)  # health would answer without a login
    except BaseException:
        made.close()
        raise
    with _lock:
        old, _client = _client, made
    if old is not None:
        old.close()
    return made


def disconnect(address: Address) -> None:
    """Look for a server anew at the next call, if it was this one that was meant."""
    global _client
    with _lock:
        old = _client
        if old is None or (old.address.pid, old.address.pid_start) != (address.pid, address.pid_start):
            return
        _client = None
    old.close()


def client() -> Client:
    """The client that all cells share; it finds its server at its first call."""
    global _client
    with _lock:
        if _client is None:
            _client = Client(tell=tell)
        return _client


def run(
    command: str,
    *,
    name: str | None = None,
    start: bool = True,
    workdir: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    tags: Sequence[str] = (),
    notes: str | None = None,
    timeout: float | str | None = None,
    priority: int = 0,
    after: "Run | str | Iterable[Run | str]" = (),
    max_retries: int = 0,
    gpus: int | None = None,
    files: "Mapping[str, Content] | None" = None,
) -> Run:
    """Create a run of a shell command and start it; returns at once.

    It has this kernel's environment and folder, its Python the first on PATH, as `!command` would; `env` says
    what is to be different. `timeout` is its time limit, in seconds or as "2h"; `after` are runs that must
    have finished first; `gpus` how many of the server's GPUs it is to have for itself. `files`, each a path
    on this machine or bytes, are copied to its folder `$RA_FILES_DIR`, under their names. Raises BadInput,
    with what would be right.
    """
    env = _hidden(env)
    new = models.NewRun(
        name=_checked_name(name) or name_of(_checked_command(command)),
        command=_checked_command(command),
        workdir=_workdir(workdir),
        env=_environment(env),
        tags=_tags(tags),
        notes=notes,
        timeout_seconds=_timeout(timeout),
        priority=priority,
        after=_after(after),
        max_retries=max_retries,
        gpus=gpus,
        files=_uploaded(files),
        auto_start=start,
    )
    with _told_of_if_interrupted("run", new.name):
        made = client().create_run(new)
    return Run(made, client())


def sweep(
    command: str,
    parameters: Mapping[str, Iterable[Any]],
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
    after: "Run | str | Iterable[Run | str]" = (),
    max_retries: int = 0,
    gpus: int | None = None,
    files: "Mapping[str, Content] | None" = None,
) -> Sweep:
    """Create a run for each combination of `parameters`, and start them, `parallel` at a time.

    Returns at once. A run's command is `command --key=value …`, or `command` with its `{key}` replaced.
    `method="zip"` takes the first values together, then the second; `"random"` draws `max_runs` combinations
    by `seed`, also of ranges, as `{"lr": {"min": 1e-5, "max": 1e-1, "log": True}}`. The rest is as for `run`.
    A `{word}` that names no parameter is warned of, and stays as it is.
    """
    env = _hidden(env)
    grid = _arguments(checked_grid(parameters, ranges=method == "random"))
    for said in grids.warnings(_checked_command(command), grid):
        warnings.warn(said, stacklevel=2)
    new = models.NewSweep(
        name=_checked_name(name) or name_of(command),
        base_command=command,
        parameters=grid,
        parallel=parallel,
        method=method,
        max_runs=max_runs,
        seed=seed,
        workdir=_workdir(workdir),
        env=_environment(env),
        goal=goal,
        tags=_tags(tags),
        timeout_seconds=_timeout(timeout),
        priority=priority,
        after=_after(after),
        max_retries=max_retries,
        gpus=gpus,
        files=_uploaded(files),
        auto_start=start,
    )
    with _told_of_if_interrupted("sweep", new.name):
        made = client().create_sweep(new)
    return Sweep(made, client())


def runs(
    *,
    status: str | Iterable[str] | None = None,
    sweep: "Sweep | str | None" = None,
    search: str | None = None,
    archived: bool = False,
    limit: int = 50,
) -> RunList:
    """Runs, newest first: of this `status`, or several; `search` is looked for in names and commands.

    With `archived` those too.
    """
    sweep_id = _sweep_id(sweep)
    found = client().runs(
        status=status,
        sweep_id=sweep_id,
        q=search,
        archived=archived,
        limit=limit,
    )
    if not found and sweep_id is not None and sweep_id == sweep:
        client().sweep(sweep_id)  # raises NotFound for one that there is not
    return RunList([Run(record, client()) for record in found])


def sweeps(*, limit: int = 50) -> SweepList:
    """Sweeps, newest first; 1,000 at most."""
    return SweepList([Sweep(record, client()) for record in client().sweeps(limit=limit)])


@shortening
def get(id: str) -> Run | Sweep:  # noqa: A002 - what it is called everywhere
    """The run or sweep that has this id, or the one that alone begins so; raises NotFound."""
    record = ids.find(client(), id, "ra.runs() lists the newest runs")
    return Run(record, client()) if isinstance(record, models.Run) else Sweep(record, client())


@contextlib.contextmanager
def _told_of_if_interrupted(kind: str, name: str) -> Iterator[None]:
    """Says that there may be something that nobody was given."""
    try:
        yield
    except KeyboardInterrupt:
        why = "interrupted before the server had answered"
        print(f"{why}: the {kind} {name!r} may be there; ra.{kind}s() tells", file=sys.stderr, flush=True)
        raise


# -- what callers give, as the server takes it --------------------------------------------------------


def _checked_command(command: object) -> str:
    if isinstance(command, list | tuple) and all(isinstance(part, str) for part in command):
        raise BadInput(f"the command must be a string, as a shell takes it: {shlex.join(command)!r}")
    if not isinstance(command, str):
        raise BadInput(f"the command must be a string, as a shell takes it, not {command!r:.100}")
    if not command.strip():
        raise BadInput("the command is empty")
    if "\0" in command:  # a name is made of it, and that would be blamed
        raise BadInput("command: a NUL character cannot be part of it")
    return command


def _checked_name(name: object) -> str | None:
    if name is not None and not isinstance(name, str):
        raise BadInput(f"name: must be a string, not {name!r:.100}")
    return name


def _tags(given: object) -> list[str]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise BadInput(f"tags: must be a list of strings, as [{given!r:.100}]")
    return list(given)


def _after(given: "Run | str | Iterable[Run | str]") -> list[str]:
    if isinstance(given, Run | str):
        given = [given]
    if not isinstance(given, Iterable):
        raise BadInput(f"after: must be runs or their ids, not {given!r:.100}")
    return [_run_id(each) for each in given]


def _run_id(given: object) -> str:
    if isinstance(given, str) and len(given) != ids.WHOLE:
        given = get(given)
        if isinstance(given, Sweep):
            raise BadInput(f"after: {given.id} is a sweep; its runs are ra.get({given.id!r}).runs")
    if not isinstance(given, Run | str):
        raise BadInput(f"after: must be runs or their ids, not {given!r:.100}")
    return given.id if isinstance(given, Run) else given


def _sweep_id(given: "Sweep | str | None") -> str | None:
    if isinstance(given, str) and len(given) != ids.WHOLE:
        found = get(given)
        if isinstance(found, Run):
            raise BadInput(f"sweep: {found.id} is a run")
        return found.id
    return given.id if isinstance(given, Sweep) else given


def _timeout(given: float | str | None) -> float | None:
    if not isinstance(given, str):
        return given
    try:
        return seconds(given)
    except BadInput as problem:
        raise BadInput(f"timeout: {problem}") from None


def _workdir(given: str | os.PathLike[str] | None) -> str | None:
    """Relative to this kernel's folder, where the server is on this machine; else the server's own."""
    if given is not None and not isinstance(given, str | os.PathLike):
        raise BadInput(f"workdir: must be a path, not {given!r:.100}")
    if client().address.workdir is None:
        return None if given is None else os.fspath(given)
    try:
        return str(Path(given or ".").expanduser().absolute())
    except (OSError, RuntimeError) as problem:  # our own folder was removed, or ~nobody has none
        raise BadInput(f"workdir: {given or 'the current folder'}: {problem}; say another one") from problem


def _hidden(env: Any) -> Any:
    return surroundings.Hidden(env) if isinstance(env, Mapping) else env


def _environment(given: Mapping[str, str] | None) -> dict[str, str]:
    """This kernel's, where the server is on this machine; over it what the caller gave."""
    if not isinstance(given, Mapping | None):
        raise BadInput(f"env: must be a dict of strings, as {{'SEED': '1'}}, not {given!r:.100}")
    for name, value in (given or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise BadInput(f"env: the value of {name} must be a string, as {str(value)!r:.100}")
    address = client().address
    if address.workdir is None:
        return surroundings.Hidden(given or {})
    servers = surroundings.environment_of(address.pid)
    return surroundings.Hidden({**surroundings.environment(os.environ, servers), **(given or {})})


def _uploaded(files: Mapping[str, Content] | None) -> dict[str, str]:
    if files is not None and not isinstance(files, Mapping):
        raise BadInput(f"files must be a dict, as {{'data.csv': 'path/to/data.csv'}}, not {files!r:.100}")
    return {name: client().put_file(content) for name, content in (files or {}).items()}


def checked_grid(parameters: object, *, ranges: bool = False) -> dict[str, Any]:
    """Lists of plain values, of whatever can be iterated: ranges, arrays, columns."""
    if not isinstance(parameters, Mapping):
        raise BadInput(
            f"parameters must be a dict of lists, as {{'lr': [0.1, 0.01]}}, not {parameters!r:.100}"
        )
    grid: dict[str, Any] = {}
    for name, values in parameters.items():
        if not isinstance(name, str):
            raise BadInput(f"parameters: {name!r:.100} is no name; a parameter's name is a string")
        if ranges and isinstance(values, Mapping):
            grid[name] = {key: _plain(value) for key, value in values.items()}
        else:
            grid[name] = [_plain(value) for value in _listed(name, values)]
    return grid


def _listed(name: str, values: Any) -> list[Any]:
    wrong = f"{name}: {values!r:.100} is no list of values; for one value write [{values!r:.100}]"
    if isinstance(values, str | bytes | Mapping):
        raise BadInput(wrong)
    try:
        listed = list(itertools.islice(values, _MOST_VALUES + 1))
    except TypeError:
        raise BadInput(wrong) from None
    if len(listed) > _MOST_VALUES:
        raise BadInput(f"{name}: more than {_MOST_VALUES:,} values, if there is an end of them")
    return listed


def _plain(value: Any) -> Any:
    """A NumPy scalar as the number that it is."""
    if type(value) not in _JSON_TYPES:
        with contextlib.suppress(AttributeError, TypeError, ValueError, RuntimeError):
            return value.item()
    return value


def _arguments(grid: dict[str, Any]) -> dict[str, Any]:
    """A grid whose values can be arguments of a command."""
    return {
        name: [_argument(name, value) for value in values] if isinstance(values, list) else values
        for name, values in grid.items()
    }


def _argument(name: str, value: Any) -> Any:
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInput(f"{name}: {value!r} is no number that JSON has; write it as a text, {str(value)!r}")
    if type(value) not in _JSON_TYPES:
        kind = type(value).__name__
        raise BadInput(f"{name}: {value!r:.100} is a {kind}; a value is a number, a string, a bool or None")
    return value
