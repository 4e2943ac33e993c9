"""jobs.json, the earlier server's file: imported once, exported on demand.

Its form is `{"runs": {id: {...}}, "sweeps": {id: {...}}}` with the contract's field names.
"""

import json
import re
from typing import Any

import msgspec

from jupyter_ra_jobs.errors import RaJobsError
from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.models import Run, RunOptions, StoredSweep
from jupyter_ra_jobs.states import ACTIVE, RunStatus
from jupyter_ra_jobs.store import Store
from jupyter_ra_jobs.sweep_verbs import assemble

_NOT_STARTED = (RunStatus.READY, RunStatus.QUEUED)
_IMPORTED = "jobs_json_imported"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_EXPORT_PAGE = 1_000
_MALFORMED = (
    OSError,
    ValueError,
    AttributeError,
    TypeError,
    OverflowError,
    RecursionError,
    msgspec.ValidationError,
)
_LOST = "imported from jobs.json as {}; how it ended was not recorded"
_IN_VAIN = "imported from jobs.json, where it waited for runs that can't finish any more"


def import_once(store: Store, layout: Layout) -> str:
    """Take over the earlier server's file, all of it or nothing; says what came, "" when nothing did.

    The file stays as it is. A second start imports nothing. Raises RaJobsError when the file is no
    jobs.json, or holds a record that can't be understood: better no start than half a history.
    """
    if store.get_meta(_IMPORTED) is not None or not layout.jobs_json.exists():
        return ""
    try:
        # What is no number is no value: Python's json may have written it.
        content = json.loads(layout.jobs_json.read_bytes(), parse_constant=lambda _: None)
        runs = [_run(run_id, record, layout) for run_id, record in (content.get("runs") or {}).items()]
        sweeps = [
            _sweep(sweep_id, record, layout) for sweep_id, record in (content.get("sweeps") or {}).items()
        ]
        with store.transaction():
            _check_new([run.id for run in store.runs(limit=1, ids=[run.id for run in runs])])
            _check_new([sweep.id for sweep in store.sweeps.some([sweep.id for sweep in sweeps])])
            store.add_all(*_with_awaited(sorted(runs, key=lambda run: run.created_at)))
            for sweep in sorted(sweeps, key=lambda sweep: sweep.created_at):
                store.sweeps.add(sweep)
            store.set_meta(_IMPORTED, f"{len(runs)} runs and {len(sweeps)} sweeps")
    except _MALFORMED as problem:
        raise RaJobsError(
            f"{layout.jobs_json} could not be imported: {problem}; mend it or move it away"
        ) from problem
    return f"{len(runs)} runs and {len(sweeps)} sweeps from {layout.jobs_json}"


def export(store: Store) -> dict[str, Any]:
    """Everything in the form of jobs.json, in the order of creation."""
    runs: dict[str, Any] = {}
    before: int | None = None
    while page := store.runs(limit=_EXPORT_PAGE, before=before):
        runs |= {run.id: msgspec.to_builtins(run) for run in page}
        before = store.number(page[-1].id)
    stored = store.sweeps.page()
    run_ids, counts = (
        store.sweeps.run_ids([s.id for s in stored]),
        store.sweeps.counts([s.id for s in stored]),
    )
    sweeps = {s.id: msgspec.to_builtins(assemble(s, run_ids[s.id], counts[s.id])) for s in stored}
    return {"runs": dict(reversed(runs.items())), "sweeps": dict(reversed(sweeps.items()))}


def _run(run_id: str, record: dict[str, Any], layout: Layout) -> Run:
    defaults: dict[str, Any] = dict.fromkeys(Run.__struct_fields__)
    defaults |= {
        "workdir": str(layout.workdir),
        "is_archived": False,
        "tags": [],
        "created_at": 0.0,
        "priority": 0,
        "after": [],
        "files": {},
        "max_retries": 0,
        "attempt": 1,
    }
    given = {name: value for name, value in record.items() if name in defaults and value is not None}
    computed = {"id": _checked_id(run_id), "run_dir": str(layout.run_dir(run_id)), "queue_position": None}
    run = msgspec.convert({**defaults, **given, **computed}, Run)
    msgspec.convert({name: given[name] for name in RunOptions.__struct_fields__ if name in given}, RunOptions)
    if any("\0" in text for text in (run.name, run.command, run.workdir)):
        raise ValueError(f"run {run_id} holds a NUL character")
    run = msgspec.structs.replace(run, sweep_id=run.sweep_id or None)
    if run.status is RunStatus.QUEUED and run.queued_at is None:
        return msgspec.structs.replace(run, queued_at=run.created_at)
    if run.status in ACTIVE:  # no sidecar of ours has it
        return msgspec.structs.replace(
            run, status=RunStatus.FAILED, error=run.error or _LOST.format(run.status)
        )
    return run


def _with_awaited(runs: list[Run]) -> tuple[list[Run], dict[str, list[str]]]:
    """The runs, and for whom each has to wait; who waits in vain, for itself perhaps, has failed.

    Who waited for one that was tried again waits for the last try.
    """
    known = {run.id: run for run in runs}
    again = {run.parent_run_id: run.id for run in runs if _is_retry(run, known.get(run.parent_run_id or ""))}
    awaited: dict[str, list[str]] = {}
    followers: dict[str, list[str]] = {}
    for run in runs:
        for each in dict.fromkeys(run.after if run.status in _NOT_STARTED else ()):
            last = each
            while last in again:
                last = again[last]
            if last not in known or known[last].status is not RunStatus.FINISHED:
                awaited.setdefault(run.id, []).append(last)
                followers.setdefault(last, []).append(run.id)
    left = {run_id: len(after) for run_id, after in awaited.items()}
    able = [run.id for run in runs if run.status in _NOT_STARTED and run.id not in left]
    for run_id in able:  # it grows meanwhile
        for follower in followers.get(run_id, ()):
            left[follower] -= 1
            if not left[follower]:
                able.append(follower)
    in_vain = {run_id for run_id, count in left.items() if count}
    failed = {"status": RunStatus.FAILED, "error": _IN_VAIN}
    checked = [msgspec.structs.replace(run, **failed) if run.id in in_vain else run for run in runs]
    return checked, {run_id: after for run_id, after in awaited.items() if run_id not in in_vain}


def _is_retry(run: Run, of: Run | None) -> bool:
    return of is not None and of.status is RunStatus.FAILED and run.attempt == of.attempt + 1


def _check_new(known: list[str]) -> None:
    if known:
        raise ValueError(f"{known[0]!r} is there already")


def _sweep(sweep_id: str, record: dict[str, Any], layout: Layout) -> StoredSweep:
    defaults = {"workdir": str(layout.workdir), "parameters": {}, "created_at": 0.0}
    given = {
        name: value
        for name, value in record.items()
        if name in StoredSweep.__struct_fields__ and value is not None
    }
    sweep = msgspec.convert({**defaults, **given, "id": _checked_id(sweep_id)}, StoredSweep)
    if sweep.parallel is not None and sweep.parallel < 1:
        raise ValueError(f"sweep {sweep_id} may have {sweep.parallel} runs at a time, and so none ever")
    status = record.get("status", "draft")
    if status == "draft":
        return msgspec.structs.replace(sweep, is_draft=True)
    if status == "canceled":
        return msgspec.structs.replace(sweep, canceled_at=record.get("completed_at") or sweep.created_at)
    return sweep


def _checked_id(given: str) -> str:
    if not _ID.match(given):
        raise ValueError(f"{given!r} is no id")
    return given
