"""The metrics of runs: read as they grow, shown, added to, and summed up in the store.

What was read stays in memory, of the runs that were looked at last. The store has each run's summary, so
that a table of a thousand runs opens no file, and that the values a run ended with stay when its files don't.
"""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple
from weakref import WeakValueDictionary

import msgspec

from jupyter_ra_jobs.artifacts import Artifacts
from jupyter_ra_jobs.belongings import below, last_moment
from jupyter_ra_jobs.errors import BadInput, StorageFull, Unavailable
from jupyter_ra_jobs.layout import LONGEST_ROW, METRICS, Layout, append_private, disk_errors
from jupyter_ra_jobs.metric_files import CHANGED, SHARED, RunReader, Source, Summary, kind_of
from jupyter_ra_jobs.metric_library import Library
from jupyter_ra_jobs.metric_rows import loss_keys, wrong_step
from jupyter_ra_jobs.models import Artifact, LossPoint, MetricPoint, Run, RunMetrics
from jupyter_ra_jobs.series import KeySummary, Point
from jupyter_ra_jobs.states import TERMINAL
from jupyter_ra_jobs.store import Store

MOST_STORED = 200
"""Metrics of a run that its summary in the store holds, and so a sweep's table."""
MOST_READ = 50
"""Ended runs without a summary that one table reads."""

_MOST_READERS = 200
_MOST_HELD = 5_000_000  # points in memory, 16 bytes each, but for the newest run's
_MOST_SHOWN = 200_000  # points in one answer
_AT_ONCE = 2
_NAMED = 5  # metrics that a note names
_PAGE = 25  # summaries that are taken from the store in one go

_IS_LOST = KeySummary.__struct_fields__.index("is_lost")
Which = Literal["last", "min", "max"]


class _Known(NamedTuple):
    """What was read of a run, and its summary together with what the store has."""

    reader: RunReader
    summary: Summary


class Metrics:
    """The verbs of metrics. `close()` ends what reads."""

    def __init__(self, store: Store, layout: Layout, artifacts: Artifacts) -> None:
        self._store = store
        self._layout = layout
        self._artifacts = artifacts
        self._runs = Path(os.path.realpath(layout.runs))
        self._library = Library()
        self._readers: OrderedDict[str, RunReader] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def close(self) -> None:
        """Kill the processes that read."""
        self._library.close()

    async def refresh(self, run_id: str) -> Summary:
        """Read what is new, and store the summary where it changed. NotFound when there is no such run.

        A look reads a bounded number of bytes: of a summary that is not `complete`, ask again.
        """
        return (await self._look(run_id)).summary

    async def shown(self, run_id: str, *, points: int, keys: Sequence[str]) -> msgspec.Raw:
        """A `RunMetrics`, encoded, with about `points` points of each series, or of those in `keys`.

        An answer has 200,000 points at most; of very many series each then gets fewer.
        """
        known = await self._look(run_id)
        return await asyncio.to_thread(_encoded, known, points, keys)

    async def append(self, run_id: str, rows: list[dict[str, Any]]) -> str:
        """Add rows to the run's own metrics.jsonl, all of them or none; they are in the file then.

        BadInput for a row that holds nothing or too much, or whose step is no number; Conflict when the file
        is no file.
        """
        is_ended = self._store.status(run_id) in TERMINAL
        await asyncio.to_thread(_append, self._layout.metrics(run_id), rows)
        if is_ended:  # nobody looks at it by himself any more
            await self.refresh(run_id)
        return f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'} added"

    async def of_runs(self, runs: Sequence[Run], which: Which) -> dict[str, dict[str, float | None]]:
        """Of each run the last, lowest or highest value of each metric, as far as the store has it.

        The last value is None where that is no finite number.
        Ended runs of which the store lacks the last word are read first, `MOST_READ` of them a call: those
        that ended while no server was there. The others' turn comes with the next calls.
        """
        stored: dict[str, dict[str, Any]] = {}
        for start in range(0, len(runs), _PAGE):
            stored |= self._store.metrics([run.id for run in runs[start : start + _PAGE]])
            await asyncio.sleep(0)  # that took milliseconds: let others in
        unread = [
            run.id
            for run in runs
            if run.status in TERMINAL
            and run.started_at is not None
            and not stored.get(run.id, {}).get("final", False)
        ][:MOST_READ]
        if unread:
            await asyncio.gather(*map(self.refresh, unread))
            stored |= self._store.metrics(unread)
        return await asyncio.to_thread(_values, stored, which)

    async def _look(self, run_id: str) -> _Known:
        lock = self._locks.setdefault(run_id, asyncio.Lock())
        async with lock:
            is_ended = self._store.status(run_id) in TERMINAL  # asked first, or the last rows are lost
            reader = self._readers.setdefault(run_id, RunReader(self._library))
            self._readers.move_to_end(run_id)
            async with self._slots:
                await asyncio.to_thread(reader.look, await self._sources(run_id), is_ended)
            self._forget_oldest()
            return _Known(reader, self._keep(run_id, reader))

    async def _sources(self, run_id: str) -> list[Source]:
        """What callers sent, then what the run left, its own before what was found elsewhere."""
        run_dir = self._runs / run_id
        last = last_moment(self._store.activity(run_id))  # asked first: an end meanwhile is the next look's
        left = await self._artifacts.sources(run_id)
        found = [_source(each, None if below(each.path, str(run_dir)) else last) for each in left]
        return [Source(run_dir / METRICS, "jsonl"), *(source for source in found if source is not None)]

    def _forget_oldest(self) -> None:
        held = sum(reader.size for reader in self._readers.values())
        while len(self._readers) > 1 and (held > _MOST_HELD or len(self._readers) > _MOST_READERS):
            _, oldest = self._readers.popitem(last=False)
            held -= oldest.size

    def _keep(self, run_id: str, reader: RunReader) -> Summary:
        """Store a summary that says more than the stored one; part of a file says less than all of it."""
        stored = self._store.metrics([run_id]).get(run_id)
        before = None if stored is None else msgspec.convert(stored, Summary)
        summary = _together(before, reader)
        if before is None or summary.complete or not before.complete:
            few = msgspec.structs.replace(summary, keys=dict(list(summary.keys.items())[:MOST_STORED]))
            if few != before:
                with suppress(StorageFull, Unavailable):  # the next look tries again; the files have it all
                    self._store.set_metrics(run_id, msgspec.to_builtins(few))
        return summary


def _source(artifact: Artifact, until: float | None) -> Source | None:
    kind = kind_of(artifact.name)
    if kind is None:
        return None
    doubt = None if artifact.certain else SHARED
    if until is not None and artifact.modified_at > until:
        doubt = CHANGED
    return Source(Path(artifact.path), kind, until, doubt)


def _together(before: Summary | None, reader: RunReader) -> Summary:
    """What was read, with what was stored `before` of files that have gone or changed since the run's end.

    The values that a run ended with stay; only what nobody but the run and callers write may change them.
    """
    now = reader.summary
    if before is None or not (before.final or reader.has_changed):
        return now
    new = {
        key: one
        for key, one in now.keys.items()
        if key not in before.keys or not before.final or (now.complete and key in reader.own_keys)
    }
    return Summary(
        keys=before.keys | new,
        non_finite=before.non_finite | now.non_finite,
        complete=now.complete,
        final=before.final or now.final,
    )


def _values(stored: dict[str, dict[str, Any]], which: Which) -> dict[str, dict[str, float | None]]:
    place = KeySummary.__struct_fields__.index(which)
    return {
        run_id: {
            key: None if which == "last" and one[_IS_LOST] else one[place]
            for key, one in summary["keys"].items()
        }
        for run_id, summary in stored.items()
    }


def _append(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = [msgspec.json.encode(row) for row in rows]
    for place, (row, line) in enumerate(zip(rows, lines, strict=True)):
        if not row:
            raise BadInput(f"rows[{place}]: holds nothing")
        if wrong := wrong_step(row):
            raise BadInput(f"rows[{place}]: {wrong}")
        if len(line) > LONGEST_ROW:
            raise BadInput(f"rows[{place}]: holds {len(line):,} bytes; {LONGEST_ROW:,} are the most")
    with disk_errors(path):
        append_private(path, b"\n".join([*lines, b""]))


def _encoded(known: _Known, most: int, keys: Sequence[str]) -> msgspec.Raw:
    reader, summary = known
    lost = {
        key: step
        for key, step in summary.non_finite.items()
        if (key not in summary.keys or summary.keys[key].is_lost) and (not keys or key in keys)
    }
    notes = reader.notes + ([_lost_note(lost)] if lost else [])
    if not summary.keys and not notes and summary.complete:
        return msgspec.Raw(b"{}")
    wanted = [key for key in summary.keys if not keys or key in keys]
    most = max(10, min(most, _MOST_SHOWN // max(len(wanted), 1)))
    points = reader.points(wanted, most)
    shown = RunMetrics(
        metric_series={
            key: [MetricPoint(step=_whole(step), value=value) for step, value in some]
            for key, some in points.items()
        },
        metric_keys=list(summary.keys),
        loss_history=_loss_history(reader, most),
        metrics={key: one.last for key, one in summary.keys.items() if not one.is_lost},
        complete=summary.complete,
        notes=notes,
        non_finite=lost,
    )
    return msgspec.Raw(msgspec.json.encode(shown))


def _lost_note(lost: dict[str, int]) -> str:
    some = ", ".join(f"{key} (first at step {step})" for key, step in list(lost.items())[:_NAMED])
    more = f" and {len(lost) - _NAMED:,} more" if len(lost) > _NAMED else ""
    return f"the newest value is NaN or infinite, of {some}{more}"


def _loss_history(reader: RunReader, most: int) -> list[LossPoint]:
    train, val = loss_keys({key: one.count for key, one in reader.summary.keys.items()})
    if train is None:
        return []
    found = reader.points([key for key in (train, val) if key is not None], most)
    return join_losses(found[train], found[val] if val is not None else [])


def join_losses(train: Sequence[Point], val: Sequence[Point]) -> list[LossPoint]:
    """Both by step, of a step that came twice the later value.

    A validation loss between two training losses stands with the one before it, one before all with the
    first: the training loss may be taken less often, or its point there was left out.
    """
    train_at = dict(train)
    val_at = dict(val) if train else {}
    history = []
    trained = train_at[min(train_at)] if train_at else 0.0
    for step in sorted(train_at.keys() | val_at.keys()):
        trained = train_at.get(step, trained)
        history.append(LossPoint(step=_whole(step), train_loss=trained, val_loss=val_at.get(step)))
    return history


def _whole(step: float) -> int | float:
    return int(step) if step.is_integer() else step
