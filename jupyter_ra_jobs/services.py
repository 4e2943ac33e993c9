"""The parts that do the work, built once and handed to whoever needs them."""

import asyncio
import contextlib
import gc
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_ra_jobs_sidecar import procs
from msgspec import Struct

from jupyter_ra_jobs import jobs_json
from jupyter_ra_jobs.alerts import Alerts
from jupyter_ra_jobs.artifacts import Artifacts
from jupyter_ra_jobs.changes import Changes
from jupyter_ra_jobs.cluster import ClusterInfo
from jupyter_ra_jobs.complaints import Complaints
from jupyter_ra_jobs.errors import RaJobsError, StorageFull
from jupyter_ra_jobs.executors.base import Executor
from jupyter_ra_jobs.feed import Feed
from jupyter_ra_jobs.files import Files
from jupyter_ra_jobs.folders import Folders
from jupyter_ra_jobs.gpus import Gpus
from jupyter_ra_jobs.launcher import Launcher, LaunchSettings
from jupyter_ra_jobs.layout import Layout, put_object, read_object
from jupyter_ra_jobs.log_search import LogSearch
from jupyter_ra_jobs.log_streams import LogStreams
from jupyter_ra_jobs.logs import LogWatcher
from jupyter_ra_jobs.metrics import Metrics
from jupyter_ra_jobs.observer import CloseLooks, Observer, Watching
from jupyter_ra_jobs.prometheus import show_runs
from jupyter_ra_jobs.reports import Patience, Reports
from jupyter_ra_jobs.rules import RULES, Limits, too_few_gpus
from jupyter_ra_jobs.run_verbs import Runs
from jupyter_ra_jobs.scheduler import Scheduler
from jupyter_ra_jobs.store import Store
from jupyter_ra_jobs.sweep_table import SweepTables
from jupyter_ra_jobs.sweep_verbs import Sweeps
from jupyter_ra_jobs.terminals import Terminals

_LAUNCH_PATIENCE = 5.0
_STOP_MARGIN = 30.0
_ANNOUNCING = "sidecars aren't told where the server is"


class Settings(Struct, frozen=True, kw_only=True):
    """What a site decides beyond launches."""

    auto_start_queued: bool
    log_page_bytes: int
    log_page_max_bytes: int
    log_stream_bytes: int
    log_search_seconds: float
    max_sweep_runs: int
    gpus: list[str] | None
    """Their ids; None: those that are found."""
    alert_rules: list[str]
    stalled_after: float
    disk_low_bytes: int
    max_streams: int
    stream_patience: float
    max_file_bytes: int


class Services:
    """Everything behind the routes of one workdir. Raises StorageFull or RaJobsError when built in vain."""

    def __init__(
        self,
        layout: Layout,
        executor: Executor,
        settings: Settings,
        launching: LaunchSettings,
        log: logging.Logger,
        on_tick: Callable[[int], None],
    ) -> None:
        self.layout = layout
        self.settings = settings
        self.log = log
        self._on_tick = on_tick
        self._where: dict[str, Any] = {}
        self._for_kernels: Path | None = None
        self.owners_token = secrets.token_urlsafe(32)
        """Logs in whoever can read our user's files, as that user; good for as long as this server lives."""
        self._announced = False
        self._tidying: asyncio.Task[None] | None = None
        self._complaints = Complaints(log)
        self._shown = contextlib.ExitStack()
        layout.create()
        self.changes = Changes()
        self.store = Store(layout.database, layout.runs, self.changes.ring)
        layout.create_runs(self.store.active_count())
        imported = jobs_json.import_once(self.store, layout)
        if imported:
            log.info("imported %s", imported)
        if settings.auto_start_queued:
            self.store.queue.request_all()
        self.open_streams = 0
        self.log_watcher = LogWatcher()
        self.log_streams = LogStreams(
            self.store, self.log_watcher, self.changes, begin_bytes=settings.log_stream_bytes
        )
        self.log_search = LogSearch()
        folders = Folders()
        self.artifacts = Artifacts(self.store, layout, folders, log)
        self.files = Files(self.store, layout, max_bytes=settings.max_file_bytes, log=log)
        self.launcher = Launcher(self.store, executor, layout, self.files, folders, launching, log)
        self.terminals = Terminals(self.store, executor)
        stop_patience = launching.interrupt_grace + launching.terminate_grace + _STOP_MARGIN
        self.reports = Reports(
            self.store,
            executor,
            layout,
            Patience(launch=_LAUNCH_PATIENCE, stop=stop_patience),
            log,
            self._noted,
        )
        self.gpus = Gpus(settings.gpus, log)
        self.scheduler = Scheduler(self.store, self.launcher, self.reports, self.gpus, log, self._ticked)
        self.runs = Runs(
            self.store,
            self.launcher,
            layout,
            self.files,
            folders,
            self.gpus,
            auto_start_queued=settings.auto_start_queued,
            wake=self.scheduler.wake,
        )
        self.sweeps = Sweeps(
            self.store, self.runs, self.gpus, most_runs=settings.max_sweep_runs, wake=self.scheduler.wake
        )
        self.metrics = Metrics(self.store, layout, self.artifacts)
        self.sweep_tables = SweepTables(self.store, self.metrics, most_runs=settings.max_sweep_runs)
        self.feed = Feed(self.store, self.sweeps)
        self.alerts = Alerts(self.store, self.runs, layout, log)
        self.cluster = ClusterInfo(self.store)
        self.observer = Observer(
            self.store,
            layout,
            folders,
            Watching(
                rules=tuple(RULES[name] for name in settings.alert_rules),
                limits=Limits(stalled_after=settings.stalled_after, disk_low_bytes=settings.disk_low_bytes),
            ),
            self.alerts.propose,
            CloseLooks(artifacts=self.artifacts.discover, metrics=self.metrics.refresh),
            log,
        )

    async def start(self, where: dict[str, Any], runtime_dir: Path) -> None:
        """Take up the runs there are, tell their sidecars and our kernels where we are, begin to schedule.

        `runtime_dir` is where Jupyter's servers and kernels tell of themselves.
        """
        own = {"workdir": str(self.layout.workdir), "token": self.owners_token}
        self._where = {**where, **own, **procs.name_myself()}
        other = self.layout.other_server()
        if other is not None:
            self.log.warning(
                "another server (pid %s, port %s) works on %s too; each may start what the other queued",
                other.get("pid"),
                other.get("port"),
                self.layout.workdir,
            )
        await self.scheduler.adopt()
        self._announce()
        self._tell_kernels(runtime_dir)
        self.gpus.look(then=self._gpus_known)
        self.scheduler.start()
        self.observer.start()
        self._tidying = asyncio.get_running_loop().create_task(self.files.tidy())
        self._shown.callback(show_runs(self.store.counts))
        if not gc.get_freeze_count():
            # A collection need not look at what a server holds anyway: that held up the loop for 0.1 s.
            gc.collect()
            gc.freeze()

    def _gpus_known(self) -> None:
        """An earlier server may have had more of them; who waits for those is to be told of, not silent."""
        there = len(self.gpus.known)
        try:
            if waiting := self.store.queue.beyond(there):
                self.alerts.propose(waiting[0], too_few_gpus(len(waiting), there))
        except RaJobsError as problem:
            self.log.warning("%s", problem)
        self.scheduler.wake()

    def _ticked(self, active: int) -> None:
        if not self.changes.closed:
            self._announce()
        self._on_tick(active)

    def _announce(self) -> None:
        """Say where we are, unless another server that lives says it; again, should the file be lost."""
        try:
            said = self.layout.server()
            if said != self._where and (self.layout.other_server() is None or not self._announced):
                self.layout.write_server_file(self._where)
            self._announced = True
            self._complaints.over(_ANNOUNCING)
        except StorageFull as problem:  # the spools tell all; the next tick tries again
            self._complaints.about(_ANNOUNCING, problem)

    def _tell_kernels(self, folder: Path) -> None:
        """Kernels know which process started them, and look for its file; those of servers that died go."""
        space = _pid_namespace()
        file = folder / f"ra-jobs-{self._where['pid']}-{self._where['pid_start']}.json"
        try:
            for other in folder.glob("ra-jobs-*.json"):
                said = read_object(other) or {}
                # A folder on a network may hold those of other machines, whose processes nobody sees here.
                if (said.get("boot_id"), said.get("pid_namespace")) != (self._where["boot_id"], space):
                    continue
                if not procs.still_lives(said):
                    other.unlink(missing_ok=True)
            put_object(file, {**self._where, "pid_namespace": space})
            self._for_kernels = file
        except (OSError, StorageFull) as problem:
            self.log.warning("kernels can't find this server by themselves: %s", problem)

    async def close(self) -> None:
        """End politely, within seconds: streams end, runs go on."""
        self._shown.close()  # once, however often we are closed
        self.changes.close()
        if self.layout.server() == self._where:  # first of all: our port is free already, for anybody
            self.layout.server_file.unlink(missing_ok=True)
        if self._for_kernels is not None:
            with contextlib.suppress(OSError):
                self._for_kernels.unlink(missing_ok=True)
        self.log_watcher.close()
        self.log_search.close()
        self.metrics.close()
        await self.scheduler.close()
        await self.observer.close()
        await self.reports.close()
        await self.artifacts.close()
        if self._tidying is not None:
            self._tidying.cancel()
            await asyncio.wait([self._tidying])
        self.launcher.close()
        self.store.close()

    def _noted(self, run_id: str) -> None:
        self.log_watcher.wake(self.layout.log(run_id))
        self.log_watcher.wake(self.layout.sidecar_log(run_id))
        self.observer.note(run_id)
        self.scheduler.wake()  # a slot may be free, or a stop wait for the sidecar


def _pid_namespace() -> str:
    """Another one in each container, where pids mean other processes."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
