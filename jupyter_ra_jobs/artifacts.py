"""What runs left behind: found while they are active and once after their end, recorded, listed, served.

The record is `found.json` in the run dir. A run that has ended is listed from its record alone, each file
asked for once: no folder is looked through. Served is what is recorded, which says whose it is, and what the
run kept in its own `artifacts/`, whether there was room for it on the record or not.
"""

import asyncio
import logging
import math
import os
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec
from msgspec import Struct, structs

from jupyter_ra_jobs.belongings import (
    Ground,
    Look,
    is_unchanged,
    judge,
    kind_of,
    look,
    open_artifact,
    open_kept,
    put_links,
    still_there,
)
from jupyter_ra_jobs.errors import NotFound, StorageFull, Unavailable
from jupyter_ra_jobs.folders import Folders
from jupyter_ra_jobs.layout import Layout, disk_errors, write_private
from jupyter_ra_jobs.logs import open_log
from jupyter_ra_jobs.models import Activity, Artifact
from jupyter_ra_jobs.store import Store
from jupyter_ra_jobs.walks import BOUNDS, YOUNG, Walks

MOST = 10_000
"""Artifacts recorded of a run."""
_MOST_MET = "artifacts"
_BOUNDS = {*BOUNDS, _MOST_MET}

P = ParamSpec("P")
T = TypeVar("T")

_MOST_OTHERS = 2_000
_LONGEST_RECORD = 64 * 1024 * 1024


class Record(Struct, frozen=True, kw_only=True):
    """What is known of a run's artifacts."""

    final: bool = False
    """Whether it was made after the run's end."""
    left_out: list[str] = []
    """Which bounds were met: those of a walk, or `artifacts`."""
    artifacts: list[Artifact] = []


class Artifacts:
    """The artifacts of all runs. To be used from the event loop; `close()` at the end."""

    def __init__(self, store: Store, layout: Layout, folders: Folders, log: logging.Logger) -> None:
        self._store = store
        self._layout = layout
        self._folders = folders
        self._log = log
        self._data = os.path.realpath(layout.data)
        self._walks = Walks(lambda path: kind_of(path) != "other", folders)
        self._under_way: dict[str, asyncio.Task[Record]] = {}

    async def close(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def discover(self, run_id: str) -> Record:
        """Look at what the run has left until now, and record it; who asks meanwhile gets the same answer.

        To be called now and then while it is active, and once after its end. NotFound if there is no such
        run, Unavailable while its workdir's file system hangs. What the disk does not take is logged, and is
        tried again by the next call.
        """
        ended = self._store.activity(run_id).ended is not None
        while True:
            task = self._under_way.get(run_id)
            if task is None:
                task = asyncio.get_running_loop().create_task(self._discover(run_id))
                self._under_way[run_id] = task
                task.add_done_callback(lambda _: self._under_way.pop(run_id))
            record = await asyncio.shield(task)
            if record.final or not ended:  # else it had begun before the run's end
                return record

    async def listing(self, run_id: str) -> Record:
        """The artifacts as they are now, what has gone aside. Raises what `discover` does."""
        activity = self._store.activity(run_id)
        if activity.began is None:
            return Record()
        record = await asyncio.to_thread(self._read, run_id) if activity.ended is not None else None
        if record is None or not record.final:
            return await self.discover(run_id)
        ground = self._ground(activity)
        there = await self._in_workdir(activity, still_there, ground, activity, record.artifacts)
        return Record(final=True, left_out=record.left_out, artifacts=there)

    async def sources(self, run_id: str) -> list[Artifact]:
        """The files with a run's metrics (.jsonl, .csv, TensorBoard's, W&B's), its own before those found."""
        record = await self.listing(run_id)
        return [each for each in record.artifacts if each.type == "metrics" or each.name.endswith(".wandb")]

    async def open(self, run_id: str, name: str) -> FileIO:
        """An artifact, open to read. NotFound if there is no such run or artifact, or no file any more.

        Conflict if it may be another run's by now, Unavailable while its file system hangs.
        """
        activity = self._store.activity(run_id)
        record = await asyncio.to_thread(self._read, run_id) or Record()
        found = _named(record, name)
        if found is None and activity.began is not None:
            kept = await asyncio.to_thread(open_kept, self._ground(activity), activity, name)
            if kept is not None:
                return kept
        if found is None and not record.final:
            record = await self.discover(run_id)
            found = _named(record, name)
        if found is not None:
            return await self._in_workdir(activity, open_artifact, self._ground(activity), activity, found)
        if any(artifact.name.startswith(name.rstrip("/") + "/") for artifact in record.artifacts):
            raise NotFound(f"{name} is a folder; its files are artifacts of their own, {name}/… each")
        raise NotFound(f"run {run_id} has no artifact {name}")

    async def _in_workdir(
        self, activity: Activity, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._folders.visit(Path(activity.workdir), work, *args, **kwargs)

    def _ground(self, activity: Activity) -> Ground:
        return Ground(data=self._data, run_dir=f"{self._data}/runs/{activity.id}", workdir=activity.workdir)

    async def _discover(self, run_id: str) -> Record:
        activity = self._store.activity(run_id)  # asked before the walk: after the end, it must see all
        if activity.began is None:
            return Record(final=activity.ended is not None)
        now, ground = time.monotonic(), self._ground(activity)
        walked = await self._walks.of(ground.workdir, now if activity.ended is not None else now - YOUNG)
        was = await asyncio.to_thread(self._read, run_id) or Record()
        known = {artifact.path: artifact for artifact in was.artifacts}
        seen = await self._in_workdir(activity, look, ground, activity, walked.files, known)
        if _MOST_MET in was.left_out:  # the oldest had no room, and need not be judged each time
            found = (each.modified_at for each in was.artifacts if not ground.is_own(each.path))
            oldest = min(found, default=math.inf)
            seen = seen._replace(found=[file for file in seen.found if file.modified_at >= oldest])
        others = self._others(run_id, seen, known)
        artifacts = await asyncio.to_thread(judge, ground, seen, others, known)
        too_many = {_MOST_MET} if len(artifacts) > MOST or _MOST_MET in was.left_out else set()
        record = Record(
            final=activity.ended is not None,
            left_out=sorted(walked.left_out | seen.left_out | too_many),
            artifacts=artifacts[:MOST],
        )
        try:
            if record != was:
                await asyncio.to_thread(self._keep, ground, record, known)
            if seen.wandb_dir is not None and self._store.activity(run_id).wandb_dir is None:
                self._store.change(run_id, wandb_dir=seen.wandb_dir)
        except (StorageFull, Unavailable) as problem:
            self._log.warning("the artifacts of run %s are not recorded: %s", run_id, problem)
        return record

    def _others(self, run_id: str, seen: Look, known: dict[str, Artifact]) -> list[Activity] | None:
        """The runs that were active when something was modified of which it is not known yet whose it is.

        None when there are too many.
        """
        new = [
            file.modified_at
            for file in seen.found
            if (was := known.get(file.path)) is None or not is_unchanged(file, was)
        ]
        if not new:
            return []
        active = self._store.active_between(min(new) - 1, max(new) + 1, limit=_MOST_OTHERS + 1)
        if len(active) > _MOST_OTHERS:
            return None
        return [other for other in active if other.id != run_id]

    def _read(self, run_id: str) -> Record | None:
        """The record; None when there is none, or what lies there is none. Blocks."""
        try:
            file = open_log(self._layout.found(run_id))
            if file is None:
                return None
            with file:
                record = msgspec.json.decode(file.read(_LONGEST_RECORD), type=Record)
            # The run can have written it: no more than we would, in no other words.
            known = sorted(_BOUNDS.intersection(record.left_out))
            return structs.replace(record, left_out=known, artifacts=record.artifacts[:MOST])
        except (OSError, NotFound, ValueError, RecursionError):
            return None

    def _keep(self, ground: Ground, record: Record, known: dict[str, Artifact]) -> None:
        """Write the record, and links for what is new in the workdir. Blocks."""
        path = self._layout.found(ground.run_dir.rpartition("/")[2])
        with disk_errors(path):
            path.parent.mkdir(mode=0o700, exist_ok=True)  # an imported run has none
            write_private(path, msgspec.json.encode(record)).replace(path)
        found = (each for each in record.artifacts if not ground.is_own(each.path))
        put_links(ground, (each for each in found if each.path not in known))


def _named(record: Record, name: str) -> Artifact | None:
    return next((artifact for artifact in record.artifacts if artifact.name == name), None)
