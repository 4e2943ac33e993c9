"""What callers can do with runs: create, edit, queue, start, stop, rerun, archive."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from msgspec import UNSET, structs

from jupyter_ra_jobs.errors import BadInput, Conflict, FileGone, NotFound
from jupyter_ra_jobs.files import Files
from jupyter_ra_jobs.folders import Folders
from jupyter_ra_jobs.gpus import Gpus
from jupyter_ra_jobs.launcher import Launcher, Prepared
from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.models import NewRun, RerunOptions, Run, RunEdit, RunOptions
from jupyter_ra_jobs.states import ACTIVE, RunStatus
from jupyter_ra_jobs.store import Store, in_slices

# Linux hands a program no single argument beyond this (MAX_ARG_STRLEN, with its final NUL).
MAX_COMMAND_BYTES = 128 * 1024 - 1
MAX_ENV_BYTES = 512 * 1024
MAX_TAGS = 100
MAX_LISTED = 1_000
_FILE_BYTES = 100  # of a file's name and hash, as they are listed
_PAGE_BYTES = 8 * 1024 * 1024  # of commands in a page; the next page has the others
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Runs:
    """The verbs of a run. `wake` tells the scheduler that there may be something to do."""

    def __init__(
        self,
        store: Store,
        launcher: Launcher,
        layout: Layout,
        files: Files,
        folders: Folders,
        gpus: Gpus,
        *,
        auto_start_queued: bool,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._layout = layout
        self._files = files
        self._gpus = gpus
        self._auto_start_queued = auto_start_queued
        self._wake = wake
        self._folders = folders

    # -- looking -----------------------------------------------------------------------------------

    def get(self, run_id: str) -> Run:
        """One run, or NotFound."""
        return self._store.run(run_id)

    async def page(
        self,
        *,
        limit: int,
        archived: bool = False,
        status: Iterable[RunStatus] | None = None,
        sweep_id: str | None = None,
        id_prefix: str | None = None,
        parent_run_id: str | None = None,
        text: str | None = None,
        before: str | None = None,
    ) -> tuple[list[Run], bool]:
        """A page of runs, newest first, and whether older ones follow: less than `limit` when they are long.

        `archived` takes the archived ones too; `text` looks in names and commands; `before` is the id of
        the last run of the page before. Raises BadInput for a `before` that is no run.
        """
        try:
            number = self._store.number(before) if before else None
        except NotFound as problem:
            raise BadInput(f"before: {problem}") from problem
        filters: dict[str, Any] = {
            "archived": archived,
            "status": status,
            "sweep_id": sweep_id,
            "id_prefix": id_prefix,
            "parent_run_id": parent_run_id,
        }
        slices = in_slices(self._store, number, limit + 1, **filters)
        if text:
            slices = self._search(text, number, filters)
        found, size = list[Run](), 0
        async for some in slices:
            for run in some:
                if len(found) == limit or size > _PAGE_BYTES:
                    return found, True
                found.append(run)
                size += len(run.command) + _FILE_BYTES * len(run.files)
        return found, False

    async def _search(
        self, text: str, before: int | None, filters: dict[str, Any]
    ) -> AsyncIterator[list[Run]]:
        low = self._store.next_number() if before is None else before
        while low > 0:
            ids, low = self._store.scan(text, before=low)
            async for some in in_slices(self._store, ids=ids, **filters):
                yield some
            await asyncio.sleep(0)  # a search through 100,000 runs lets others in

    # -- making and changing -----------------------------------------------------------------------

    async def create(self, new: NewRun, claim: Callable[[], bool] = lambda: True) -> Run:
        """Create a run, `ready`, or started when `auto_start` asks for it.

        `claim` is part of the transaction that stores it: Conflict when it says no.
        Raises BadInput; with `auto_start` also what `start` raises, and then nothing was created.
        """
        await self._gpus.check(new.gpus)
        run, env = self.build(new, await self.checked_workdir(new.workdir)), checked_env(new.env)
        self._files.check(run.files)
        # Prepared first: what the disk or the machine refuses is known before the store has the run.
        prepared = await self._prepare(run, env) if new.auto_start else None
        try:
            with self._store.transaction():
                if not claim():
                    raise Conflict("somebody else was quicker")
                self._store.queue.check_after(run.after)
                self._files.check(run.files)
                self._store.add(run, env)
        except BaseException:
            if prepared is not None:
                await asyncio.to_thread(prepared.discard)
            raise
        return await self._start(run, prepared) if new.auto_start else run

    def build(self, new: NewRun, workdir: str) -> Run:
        """The run that `new` describes, checked but not stored; its `workdir` was. Raises BadInput."""
        if new.sweep_id is not None and not self._store.sweeps.has(new.sweep_id):
            raise BadInput(f"sweep_id: there is no sweep {new.sweep_id}")
        if new.parent_run_id is not None:
            try:
                self._store.number(new.parent_run_id)
            except NotFound as problem:
                raise BadInput(f"parent_run_id: {problem}") from problem
        run_id = secrets.token_hex(6)
        return Run(
            id=run_id,
            name=checked_text("name", new.name),
            command=checked_command(new.command),
            workdir=workdir,
            status=RunStatus.READY,
            is_archived=False,
            parent_run_id=new.parent_run_id,
            origin_alert_id=new.origin_alert_id,
            sweep_id=new.sweep_id,
            sweep_params=None,
            chat_session_id=new.chat_session_id,
            created_at=time.time(),
            tmux_window=None,
            tmux_pane=None,
            run_dir=str(self._layout.run_dir(run_id)),
            exit_code=None,
            error=None,
            wandb_dir=None,
            gpuwrap_config=new.gpuwrap_config,
            signal=None,
            progress=None,
            attach_command=None,
            queue_position=None,
            tags=_checked_tags(new.tags),
            notes=new.notes,
            timeout_seconds=new.timeout_seconds,
            priority=new.priority,
            after=list(dict.fromkeys(new.after)),
            max_retries=new.max_retries,
            gpus=new.gpus,
            files=new.files,
        )

    async def edit(self, run_id: str, edit: RunEdit) -> Run:
        """Change what the caller names; Conflict for command or workdir while the run is active."""
        changes = {name: value for name, value in structs.asdict(edit).items() if value is not UNSET}
        if "name" in changes:
            checked_text("name", changes["name"])
        if "command" in changes:
            checked_command(changes["command"])
        if "workdir" in changes:
            changes["workdir"] = await self.checked_workdir(changes["workdir"])
        if "tags" in changes:
            changes["tags"] = _checked_tags(changes["tags"])
        run = self._store.run(run_id)
        if changes:
            touches_work = changes.keys() & {"command", "workdir"}
            allowed = set(RunStatus) - ACTIVE if touches_work else set(RunStatus)
            if not self._store.change(run_id, only_from=allowed, **changes):
                raise Conflict(f"run {run_id} is {run.status}; its command and workdir cannot change now")
        return self._store.run(run_id)

    def queue(self, run_id: str) -> Run:
        """Move a `ready` run to `queued`; it is started when asked to, or by itself if the site says so."""
        self._enqueue(run_id, start=self._auto_start_queued)
        return self._store.run(run_id)

    async def start(self, run_id: str) -> Run:
        """Start a `ready` or `queued` run, or have it wait its turn when it cannot go at once.

        One that needs GPUs, or others to finish first, always takes its turn in the queue.

        Raises Conflict from any other status, Unavailable, StorageFull and BadInput (its workdir or a file of
        it is gone), with nothing changed.
        """
        run = self._store.run(run_id)
        if run.status not in (RunStatus.READY, RunStatus.QUEUED):
            raise Conflict(f"run {run_id} is {run.status} and cannot be started; rerun it to run it again")
        await self.checked_workdir(run.workdir)
        self._files.check(run.files)
        await self._gpus.check(run.gpus)
        return await self._start(run, await self._prepare(run, self._store.env(run_id)))

    async def _prepare(self, run: Run, env: Mapping[str, str]) -> Prepared | None:
        """What a launch needs; None for a run that goes through the queue in any case."""
        if run.gpus or run.after:
            await self._launcher.check()
            return None
        try:
            return await self._launcher.prepare(run, env, [] if run.gpus == 0 else None)
        except FileGone as problem:
            raise BadInput(f"files: {problem}") from problem

    async def _start(self, run: Run, prepared: Prepared | None) -> Run:
        try:
            if prepared is None or not await self._launch(run, prepared):
                self._request_start(run.id)
        finally:
            self._wake()
        return self._store.run(run.id)

    async def _launch(self, run: Run, prepared: Prepared) -> bool:
        """Launch it past the queue, unless others wait there for a slot."""
        others_wait = self._launcher.max_active is not None and self._store.queue.next(1, [])
        if not others_wait and await self._launcher.launch(run.id, prepared):
            return True
        await asyncio.to_thread(prepared.discard)
        return False

    def _request_start(self, run_id: str) -> None:
        if not self._store.change(run_id, only_from=[RunStatus.QUEUED], start_requested=1):
            self._enqueue(run_id, start=True)

    def _enqueue(self, run_id: str, *, start: bool) -> None:
        if not self._store.move(run_id, RunStatus.QUEUED, start_requested=int(start)):
            raise Conflict(f"run {run_id} is {self._store.status(run_id)} and cannot be queued")
        if start:
            self._wake()

    def stop(self, run_id: str) -> tuple[str, Run]:
        """Stop a run that is queued or active; says what was done. Stopping twice is no error.

        An active run is asked to end: its status follows when its processes have ended.
        """
        status = self._store.status(run_id)
        if status is RunStatus.QUEUED and self._store.move(
            run_id, RunStatus.STOPPED, only_from=[RunStatus.QUEUED]
        ):
            self._wake()  # thousands may have waited for it
            return "Removed from the queue", self._store.run(run_id)
        if self._store.request_stop(run_id):
            self._wake()  # its next look asks the sidecar, and goes on asking
            return "Stopping", self._store.run(run_id)
        run = self._store.run(run_id)
        if run.status is RunStatus.STOPPED:
            return "Stopped already", run
        if run.status is RunStatus.READY:
            raise Conflict(f"run {run_id} was not started, so there is nothing to stop")
        raise Conflict(f"run {run_id} has ended already: {run.status}")

    async def rerun(
        self, run_id: str, options: RerunOptions, claim: Callable[[], bool] = lambda: True
    ) -> Run:
        """A new run of the same command, or of another in its place; the first stays as it is.

        `claim` is that of `create`.
        """
        run = self._store.run(run_id)
        new = NewRun(
            name=f"{run.name} (Rerun)"[-500:],
            command=options.command or run.command,
            workdir=run.workdir,
            parent_run_id=run.id,
            origin_alert_id=options.origin_alert_id,
            chat_session_id=run.chat_session_id,
            auto_start=options.auto_start,
            gpuwrap_config=options.gpuwrap_config or run.gpuwrap_config,
            env=self._store.env(run_id),
            **_options(run),
        )
        return await self.create(new, claim)

    def again(self, run: Run) -> Run:
        """A new run that repeats one of a sweep in the sweep, not stored yet; its workdir was checked."""
        again = NewRun(
            name=run.name,
            command=run.command,
            workdir=run.workdir,
            sweep_id=run.sweep_id,
            parent_run_id=run.id,
            chat_session_id=run.chat_session_id,
            gpuwrap_config=run.gpuwrap_config,
            **_options(run),
        )
        return structs.replace(self.build(again, run.workdir), sweep_params=run.sweep_params)

    def archive(self, run_id: str, archived: bool) -> Run:
        """Hide a run from the default list, or show it again; nothing of it is removed."""
        run = self._store.run(run_id)
        if run.is_archived != archived:
            self._store.change(
                run_id, is_archived=int(archived), archived_at=time.time() if archived else None
            )
        return self._store.run(run_id)

    # -- checks ------------------------------------------------------------------------------------

    def check_files(self, files: Mapping[str, str]) -> None:
        """Raise BadInput for files that a run can't be given."""
        self._files.check(files)

    async def checked_workdir(self, given: str | None) -> str:
        """An absolute path to a folder that is there; relative ones start at the server's workdir.

        Raises BadInput.
        """
        if not given:
            return str(self._layout.workdir)
        checked_text("workdir", given)
        return await self._folders.checked(self._layout.workdir, given)


def _options(run: Run) -> dict[str, Any]:
    """How it ran, for one that repeats it; what it had to wait for has happened."""
    return {name: getattr(run, name) for name in RunOptions.__struct_fields__ if name != "after"}


def checked_text(field: str, text: str) -> str:
    if "\0" in text:
        raise BadInput(f"{field}: a NUL character cannot be part of it")
    if not text.strip():
        raise BadInput(f"{field}: must not be empty")
    return text


def checked_command(command: str) -> str:
    checked_text("command", command)
    size = len(command.encode())
    if size > MAX_COMMAND_BYTES:
        raise BadInput(
            f"command: {size:,} bytes are more than a program can be given ({MAX_COMMAND_BYTES:,}); "
            "put it in a script and run that"
        )
    return command


def checked_env(env: Mapping[str, str] | None) -> dict[str, str]:
    for name, value in (env or {}).items():
        if not _VARIABLE.match(name):
            raise BadInput(f"env: {name!r} is no name of a variable")
        if "\0" in value:
            raise BadInput(f"env: the value of {name} holds a NUL character")
    size = sum(len(name) + len(value.encode()) + 2 for name, value in (env or {}).items())
    if size > MAX_ENV_BYTES:
        raise BadInput(f"env: {size:,} bytes are more than {MAX_ENV_BYTES:,}")
    return dict(env or {})


def _checked_tags(tags: list[str]) -> list[str]:
    if len(tags) > MAX_TAGS:
        raise BadInput(f"tags: {len(tags)} are more than {MAX_TAGS}")
    return list(dict.fromkeys(checked_text("tags", tag) for tag in tags))
