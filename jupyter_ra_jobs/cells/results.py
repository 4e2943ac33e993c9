"""What came of a function that a run called: returned, raised, or why there is nothing."""

import contextlib
import json
import pickle
import sys
import tempfile
from typing import IO, Any

from jupyter_ra_jobs import models
from jupyter_ra_jobs._call_worker import RESULT
from jupyter_ra_jobs.cells.plain import clean
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.errors import BadInput, Conflict, NoResult, NotFound
from jupyter_ra_jobs.states import RunStatus

CALL = "call.pkl"
"""The file of a run with the function that it calls."""
_SMALL = 1 << 20
_TAIL = 5
_TIME_LIMIT = "time limit"  # how the reason of a run begins that was ended for it


class RemoteTraceback(Exception):
    """Where in its run a function raised; the `__cause__` of what it raised, as in concurrent.futures."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def check(run: models.Run) -> None:
    """Raise BadInput for a run that calls no function."""
    if CALL not in run.files:
        raise BadInput(
            f"run {run.id} is of a command, which has no result: see its tail(), metrics() and artifacts(); "
            "ra.submit(func, …) makes runs that have one"
        )


def fetch(client: Client, run: models.Run) -> Any:
    """What the function of a run that has ended returned; raises what it raised.

    NoResult when there is neither: it was stopped, killed, lost, or what it gave can't be brought here.
    """
    with tempfile.SpooledTemporaryFile(max_size=_SMALL) as file:
        try:
            client.download(run.id, RESULT, file.write)
        except (NotFound, Conflict):
            raise NoResult(_why_not(client, run)) from None
        file.seek(0)
        said = json.loads(file.readline())
        if said["kind"] == "value" and not _was_ended(run):
            return _loaded(file, said, run)
        if said["kind"] == "exception" and not _was_ended(run):
            raise _exception(file, said, run)
    raise NoResult(_why_not(client, run, said.get("message")))


def _was_ended(run: models.Run) -> bool:
    """Whether it was stopped, or met its time limit: then nothing counts that it may have left."""
    return run.status is RunStatus.STOPPED or (run.error or "").startswith(_TIME_LIMIT)


def of_cells(client: Client, sweep_id: str) -> list[models.Run]:
    """The runs of a sweep that stand for its cells, in their order: of one that was retried the last try."""
    runs: list[models.Run] = []
    before: str | None = None
    while page := client.runs(sweep_id=sweep_id, archived=True, limit=1000, before=before):
        runs += page
        before = page[-1].id
    runs = [run for run in reversed(runs) if CALL in run.files]
    known = {run.id for run in runs}
    again = {run.parent_run_id: run for run in runs}
    cells = [run for run in runs if run.parent_run_id not in known]
    for place, run in enumerate(cells):
        last = run
        while last.id in again:
            last = again[last.id]
        cells[place] = last
    if not cells:
        raise BadInput(
            f"sweep {sweep_id} is of a command, which has no results; ra.map(func, grid) makes one"
        )
    return cells


def _loaded(file: IO[bytes], said: dict[str, Any], run: models.Run) -> Any:
    _check_python(said, run)
    try:
        return pickle.load(file)  # noqa: S301 - trusted as the run is: SECURITY.md
    except Exception as problem:
        raise NoResult(
            f"the result of run {run.id} is there, but can't be loaded here: {type(problem).__name__}: "
            f"{problem}; the modules that it needs must be importable"
        ) from problem


def _exception(file: IO[bytes], said: dict[str, Any], run: models.Run) -> Exception:
    cause = RemoteTraceback(clean(f"in run {run.id}, {run.name}\n{said['traceback']}"))
    try:
        _check_python(said, run)
        found = pickle.load(file)  # noqa: S301 - as above
    except Exception:  # noqa: BLE001 - then its words must do
        found = None
    if isinstance(found, Exception):
        problem = found
    else:
        problem = NoResult(f"run {run.id} raised what can't be loaded here: {clean(said['message'])}")
    BaseException.__setattr__(problem, "__cause__", cause)  # also where attributes are frozen
    with contextlib.suppress(AttributeError):  # there are notes from Python 3.11 on
        problem.add_note(clean(f"raised in run {run.id}, {run.name}"))  # type: ignore[attr-defined]
    return problem


def _check_python(said: dict[str, Any], run: models.Run) -> None:
    if said["python"] != list(sys.version_info[:2]):
        theirs, ours = (".".join(map(str, each[:2])) for each in (said["python"], sys.version_info))
        raise NoResult(
            f"the result of run {run.id} was pickled by Python {theirs}, and this is {ours}; "
            "get it where the minor version is the same"
        )


def _why_not(client: Client, run: models.Run, said: str | None = None) -> str:
    """Why a run that has ended has no result."""
    if run.status is RunStatus.STOPPED:
        return f"run {run.id} was stopped, so there is no result"
    if said is not None:
        return f"run {run.id} has no result: {clean(said)}"
    if run.status is RunStatus.FINISHED:
        return f"the result of run {run.id} is gone from its artifacts"
    if run.status is not RunStatus.FAILED:
        return f"run {run.id} is {run.status}, and has no result yet"
    signal = f", {run.signal}" if run.signal and run.signal not in (run.error or "") else ""
    tail = clean(client.tail(run.id, _TAIL)).strip()
    end = f"; its output ends with:\n{tail}" if tail else ""
    why = clean(run.error or f"exit code {run.exit_code}")
    returned = "" if _was_ended(run) else " before the function returned"  # else it may have
    return f"run {run.id} failed{returned}: {why}{signal}{end}"
