"""From a stored run to a sidecar at work: write its spec, claim it, launch it."""

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from jupyter_ra_jobs_sidecar import procs, spec
from msgspec import Struct, structs

from jupyter_ra_jobs.errors import Conflict, RaJobsError, Unavailable
from jupyter_ra_jobs.executors.base import SERVER_SECRETS, Executor
from jupyter_ra_jobs.files import Files, Staged
from jupyter_ra_jobs.folders import Folders
from jupyter_ra_jobs.layout import Layout, disk_errors, make_folder, remove_half_made, write_private
from jupyter_ra_jobs.models import Run
from jupyter_ra_jobs.prometheus import LAUNCH_FAILURES, LAUNCHES
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store

T = TypeVar("T")

# Facts of the server's own terminal or process, which would mislead a run that inherits them.
_NOT_INHERITED = {
    "COLUMNS",
    "JPY_PARENT_PID",
    "LINES",
    "OLDPWD",
    "PWD",
    "SHLVL",
    "STY",
    "TERM",
    "TERMCAP",
    "TMUX",
    "TMUX_PANE",
    "_",
    *SERVER_SECRETS,
}

_TRIES = 20


class LaunchSettings(Struct, frozen=True, kw_only=True):
    """What a site decides about launches; times are seconds; 0 as a maximum means no limit."""

    shell: str
    capture: str
    max_running: int
    interrupt_grace: float
    terminate_grace: float
    leftover_grace: float
    max_log_bytes: int


class Launcher:
    """Starts runs. A run is started at most once, however many callers and servers try."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        layout: Layout,
        files: Files,
        folders: Folders,
        settings: LaunchSettings,
        log: logging.Logger,
    ) -> None:
        self._store = store
        self._executor = executor
        self._layout = layout
        self._files = files
        self._settings = settings
        self._log = log
        self._umask = _umask()
        self._folders = folders
        # One thread: tmux serves one client after the other anyway, and so no two of ours ever
        # create the session at the same time.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ra-jobs-executor")
        self.held_up = False
        """Whether the executor refused the last launch, as it would the next one."""

    def close(self) -> None:
        """Let go of the thread; a launch under way ends first."""
        self._thread.shutdown(wait=True)

    async def check(self) -> str:
        """What the executor is, or Unavailable; no run is touched."""
        # In no queue behind a launch: this only looks, and remembers what it saw.
        executor = await asyncio.to_thread(self._executor.check)
        if shutil.which(self._settings.shell) is None:
            raise Unavailable(f"there is no shell {self._settings.shell!r} here; set RaJobsApp.shell to one")
        return executor

    @property
    def max_active(self) -> int | None:
        """How many runs may be active at once; None means no limit."""
        return self._settings.max_running or None

    async def prepare(self, run: Run, env: Mapping[str, str], gpu_ids: list[str] | None = None) -> "Prepared":
        """Do everything that a launch can fail at before the store knows of it.

        `gpu_ids` are the GPUs that it is to have; None leaves that to its environment.
        Raises Unavailable, StorageFull, FileGone, and BadInput when the workdir's file system hangs. `launch`
        takes what this returns; else `discard` it.
        """
        await self.check()
        real_workdir = await self._folders.real(Path(run.workdir))
        return await asyncio.to_thread(self._write_spec, run, env, gpu_ids, real_workdir)

    async def launch(self, run_id: str, prepared: "Prepared") -> bool:
        """Launch a `ready` or `queued` run; False when no slot is free, or one of its GPUs is not, and then
        nothing has changed.

        A claimed run whose sidecar the executor would not start stays `launching`, its `error` says why,
        and is launched again by and by: nothing of that is the command's fault, and no try of the run's own.
        Raises Conflict when the run is beyond that (somebody was quicker).
        """
        now = self._store.run(run_id)
        if (now.command, now.workdir) != prepared.work:
            await asyncio.to_thread(prepared.discard)
            raise Conflict(f"run {run_id} was edited while it was being started; start it again")
        try:
            claimed = self._store.move(
                run_id,
                RunStatus.LAUNCHING,
                max_active=self.max_active,
                gpu_ids=prepared.gpu_ids,
                token_hash=prepared.token_hash,
                real_workdir=prepared.real_workdir,
                start_requested=0,
                **structs.asdict(self._executor.handle(run_id)),
            )
        except RaJobsError:  # the store takes nothing
            await asyncio.to_thread(prepared.discard)
            raise
        if claimed:
            try:
                await self._start_sidecar(run_id, prepared)
            except RaJobsError as problem:
                self._log.warning("run %s waits to be launched: %s", run_id, problem)
            return True
        status = self._store.status(run_id)
        if status in (RunStatus.READY, RunStatus.QUEUED):
            return False
        await asyncio.to_thread(prepared.discard)
        raise Conflict(f"run {run_id} is {status} and cannot be started")

    async def relaunch(self, run_id: str) -> None:
        """Launch a run that was claimed and perhaps never launched: an earlier server's, or one refused.

        Harmless if it was: a sidecar that finds a spool in the run dir leaves it alone.
        Raises what `prepare` does; it may be tried again then, but for FileGone: it can't any more.
        """
        run = self._store.run(run_id)
        prepared = await self.prepare(run, self._store.env(run_id), run.gpu_ids)
        changes = {"token_hash": prepared.token_hash, "launched_at": time.time()}
        changes |= structs.asdict(self._executor.handle(run_id))
        if not self._store.change(run_id, only_from=[RunStatus.LAUNCHING], **changes):
            # Its sidecar has spoken meanwhile, and goes on with the token that it has.
            await asyncio.to_thread(prepared.discard)
            return
        await self._start_sidecar(run_id, prepared)

    async def _start_sidecar(self, run_id: str, prepared: "Prepared") -> None:
        self.held_up = False
        try:
            with disk_errors(self._layout.run_dir(run_id)):
                await asyncio.to_thread(prepared.publish)
            pane = await self._in_thread(self._executor.launch, run_id, self._layout.run_dir(run_id))
        except RaJobsError as problem:
            LAUNCH_FAILURES.inc()
            self.held_up = isinstance(problem, Unavailable)
            self._store.change(run_id, only_from=[RunStatus.LAUNCHING], error=f"not launched yet: {problem}")
            raise
        LAUNCHES.inc()
        self._store.change(run_id, tmux_pane=pane)

    def _write_spec(
        self, run: Run, env: Mapping[str, str], gpu_ids: list[str] | None, real_workdir: str
    ) -> "Prepared":
        token = secrets.token_urlsafe(32)
        run_dir = self._layout.run_dir(run.id)
        the_spec = spec.Spec(
            run_id=run.id,
            command=run.command,
            shell=self._settings.shell,
            workdir=run.workdir,
            env=self._environment(run.id, env, gpu_ids),
            umask=self._umask,
            token=token,
            server_file=str(self._layout.server_file),
            capture=self._settings.capture,
            interrupt_grace=self._settings.interrupt_grace,
            terminate_grace=self._settings.terminate_grace,
            leftover_grace=self._settings.leftover_grace,
            timeout=run.timeout_seconds or 0,
            max_log_bytes=self._settings.max_log_bytes,
        )
        path, artifacts = run_dir / spec.FILE, self._layout.artifacts(run.id)
        with disk_errors(run_dir), contextlib.ExitStack() as undone:
            undone.callback(_remove_unused, artifacts)
            beside = _write_beside(path, the_spec.to_json())
            undone.callback(beside.unlink, missing_ok=True)
            staged = self._files.stage(run.id, run.files)
            undone.callback(staged.discard)
            make_folder(artifacts)
            undone.pop_all()
        work = (run.command, run.workdir)
        return Prepared(path, beside, staged, artifacts, hash_token(token), work, real_workdir, gpu_ids)

    def _environment(
        self, run_id: str, given: Mapping[str, str], gpu_ids: list[str] | None
    ) -> dict[str, str]:
        """The caller's over the server's, and what tells the command who it is.

        W&B writes into the run dir, unless somebody told it otherwise.
        """
        inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        own = {
            procs.RUN_ID_VARIABLE: run_id,
            "RA_RUN_DIR": str(self._layout.run_dir(run_id)),
            "RA_ARTIFACTS_DIR": str(self._layout.artifacts(run_id)),
            "RA_FILES_DIR": str(self._layout.files_of(run_id)),
        }
        if gpu_ids is not None:
            own["CUDA_VISIBLE_DEVICES"] = ",".join(gpu_ids)
            own["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # as nvidia-smi counts them
        return {"WANDB_DIR": str(self._layout.run_dir(run_id)), **inherited, **given, **own}

    async def _in_thread(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)


class Prepared:
    """A spec and files on the disk, beside their places: all that can fail before a launch has been done."""

    def __init__(
        self,
        path: Path,
        beside: Path,
        staged: Staged,
        artifacts: Path,
        token_hash: str,
        work: tuple[str, str],
        real_workdir: str,
        gpu_ids: list[str] | None,
    ) -> None:
        self._path = path
        self._beside = beside
        self._staged = staged
        self._artifacts = artifacts
        self.token_hash = token_hash
        self.work = work
        """Command and workdir, as they were written."""
        self.real_workdir = real_workdir
        """Where the workdir is, before the run could make it a link to somewhere else."""
        self.gpu_ids = gpu_ids

    def publish(self) -> None:
        """Put all in its place."""
        self._staged.publish()
        self._beside.replace(self._path)

    def discard(self) -> None:
        """Take it away, and the run dir if nothing else is there. Blocks: its files may be large."""
        self._staged.discard()
        self._beside.unlink(missing_ok=True)
        _remove_unused(self._artifacts)


def _write_beside(path: Path, content: bytes) -> Path:
    """What `write_private` does, in a folder that is made; another start may take that away as it fails."""
    tries = _TRIES
    while True:
        tries -= 1
        try:
            make_folder(path.parent)
            path.parent.chmod(0o700)
            remove_half_made(path)  # of a server that was killed before it put that in its place
            return write_private(path, content)
        except FileNotFoundError:
            if not tries:
                raise


def _remove_unused(artifacts: Path) -> None:
    """Take away this folder and its run dir, unless something is in them: another start may be at work."""
    run_dir = artifacts.parent
    with contextlib.suppress(OSError):
        if {path.name for path in run_dir.iterdir()} - {artifacts.name}:
            return
        with contextlib.suppress(FileNotFoundError):
            artifacts.rmdir()
        try:
            run_dir.rmdir()
        except OSError:  # one has just come: it has its folder back
            artifacts.mkdir(mode=0o700, exist_ok=True)


def hash_token(token: str) -> str:
    """What the store keeps of a token. It has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def _umask() -> int:
    """This process's umask, read without the race of setting it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    return 0o022
