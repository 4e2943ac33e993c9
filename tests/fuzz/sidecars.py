"""An executor whose sidecars are objects with real spools; and a server that can die at any step."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, TypeVar

from jupyter_ra_jobs_sidecar import procs
from jupyter_ra_jobs_sidecar.spool import Event, Spool, Taken
from msgspec import structs

from jupyter_ra_jobs.errors import Unavailable
from jupyter_ra_jobs.executors.base import Handle
from jupyter_ra_jobs.launcher import LaunchSettings
from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.models import SidecarIdentity
from jupyter_ra_jobs.reports import Patience
from jupyter_ra_jobs.services import Services, Settings

T = TypeVar("T")
Outcome = Literal["begins", "is slow", "vanishes", "fails", "is missing"]
GPUS = ["0", "1"]
SLOTS = 3


class Crash(BaseException):  # what an `except Exception` catches is no crash
    """The server is gone, at once."""


class Sidecar:
    """One that was launched, with the command that it runs."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.spool: Spool | None = None
        self.events: list[Event] = []
        self.alive = True
        self.to_stop = False

    @property
    def runs(self) -> bool:
        """Whether its command is at work."""
        return self.alive and bool(self.events)

    def begin(self, number: int) -> bool:
        """Let the command go, unless another one has; then leave."""
        try:
            self.spool = Spool(str(self.run_dir))
        except Taken:
            self.alive = False
            return False
        identity = SidecarIdentity(
            pid=number, pid_start=1, pgid=number, pgid_start=1, boot_id=procs.boot_id()
        )
        self.say("running", sidecar=structs.asdict(identity))
        return True

    def say(self, status: str, **details: object) -> None:
        """An event, on the spool."""
        assert self.spool is not None
        self.events.append(self.spool.add(status, **details))

    def end(self, code: int) -> None:
        """The command has ended, or was stopped."""
        how = "stopped" if self.to_stop else "finished" if code == 0 else "failed"
        self.say(how, exit_code=code)
        self.alive = False


class Sidecars:
    """An executor: what it started outlives any server. `next` is what becomes of the next launches."""

    def __init__(self) -> None:
        self.next: list[Outcome] = []
        self.launched: dict[str, list[Sidecar]] = {}
        self.commands: dict[str, Sidecar] = {}
        """Which sidecar has let the run's command go; never two."""

    def check(self) -> str:
        """It is there, unless the next launch is to find it missing."""
        if self.next[:1] == ["is missing"]:
            self.next.pop(0)
            raise Unavailable("no executor")
        return "objects"

    def handle(self, run_id: str) -> Handle:
        """Names that say nothing."""
        return Handle(tmux_window=run_id, attach_command="attach")

    def launch(self, run_id: str, run_dir: Path) -> str:
        """Whatever `next` says."""
        outcome = self.next.pop(0) if self.next else "begins"
        if outcome in ("fails", "is missing"):
            raise Unavailable("no sidecar today")
        if outcome != "vanishes":
            sidecar = Sidecar(run_dir)
            self.launched.setdefault(run_id, []).append(sidecar)
            if outcome == "begins":
                self.begin(run_id, sidecar)
        return "%1"

    def begin(self, run_id: str, sidecar: Sidecar) -> None:
        """A sidecar comes to its start."""
        if sidecar.begin(number=len(self.commands) + 1):
            assert run_id not in self.commands, "started twice"
            self.commands[run_id] = sidecar

    def alive(self, runs: Sequence[tuple[str, SidecarIdentity | None]]) -> set[str]:
        """By identity, else by what was launched."""
        return {
            run_id
            for run_id, identity in runs
            if (
                any(sidecar.alive for sidecar in self.launched.get(run_id, []))
                if identity is None
                else run_id in self.commands and self.commands[run_id].alive
            )
        }

    def command_lives(self, sidecar: SidecarIdentity) -> bool:
        """As long as its sidecar: one that does not stop in time."""
        return True

    def stop(self, run_id: str, sidecar: SidecarIdentity) -> None:
        """It will end when it will."""
        if self.commands[run_id].alive:
            self.commands[run_id].to_stop = True

    def end(self, run_id: str, sidecar: SidecarIdentity | None) -> None:
        """As SIGKILL does."""
        for one in self.launched.get(run_id, []):
            one.alive = False

    def close(self) -> None:
        """Let go of the spools, as the processes do that they stand for."""
        for one in self.commands.values():
            assert one.spool is not None
            os.close(one.spool._fd)


class Life:
    """How many more steps a server has to live; None: as many as it wants."""

    def __init__(self) -> None:
        self.steps: int | None = None
        self.over = False

    def step(self) -> None:
        """One step: a statement, or a way into a thread or back."""
        if self.steps is not None:
            self.steps -= 1
            self.over = self.over or self.steps < 0
        if self.over:
            raise Crash


class Connection:
    """A store's, which can end before any statement, within a transaction too."""

    def __init__(self, real: sqlite3.Connection, life: Life) -> None:
        self.real = real
        self._life = life

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        """As SQLite's."""
        self._life.step()
        return self.real.execute(sql, values)

    def cursor(self, kind: type[sqlite3.Cursor]) -> sqlite3.Cursor:
        """As SQLite's, for a statement that comes at once."""
        self._life.step()
        return self.real.cursor(kind)

    def executemany(self, sql: str, values: Any) -> sqlite3.Cursor:
        """As SQLite's."""
        self._life.step()
        return self.real.executemany(sql, values)

    @property
    def in_transaction(self) -> bool:
        """The dead undo nothing: the next one to open the file does."""
        return self.real.in_transaction and not self._life.over


class Inline(ThreadPoolExecutor):
    """A thread whose work is done at once, so that nothing is left to chance; the way there is an await."""

    def __init__(self, life: Life) -> None:
        super().__init__(1)
        self._life = life

    def submit(self, call: Callable[..., T], /, *arguments: Any, **named: Any) -> "Future[T]":
        """Do it."""
        done: Future[T] = Future()
        try:
            self._life.step()
            done.set_result(call(*arguments, **named))
            self._life.step()
        except BaseException as problem:  # the caller's, as in a thread
            if done.done():
                raise
            done.set_exception(problem)
        return done


class Server:
    """One server's life on a workdir, on an event loop of its own."""

    def __init__(self, workdir: Path, sidecars: Sidecars, *, auto_start_queued: bool = False) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda *_: None)  # of the tasks that a crash leaves
        self.life = Life()
        log = logging.getLogger("fuzz")
        log.setLevel(logging.CRITICAL)
        settings = Settings(
            auto_start_queued=auto_start_queued,
            log_page_bytes=1000,
            log_page_max_bytes=1000,
            log_stream_bytes=1000,
            log_search_seconds=1,
            max_sweep_runs=20,
            gpus=GPUS,
            alert_rules=[],
            stalled_after=1e9,
            disk_low_bytes=0,
            max_streams=1,
            stream_patience=1e9,
            max_file_bytes=1000,
        )
        launching = LaunchSettings(
            shell="sh",
            capture="sidecar",
            max_running=SLOTS,
            interrupt_grace=1e9,
            terminate_grace=1e9,
            leftover_grace=1,
            max_log_bytes=0,
        )
        self.services = Services(Layout(workdir), sidecars, settings, launching, log, lambda _: None)
        # Threads and time are taken out, so that hypothesis finds the same again.
        self.services.launcher._thread = Inline(self.life)
        self.services.reports._enders = Inline(self.life)
        self.services.reports._patience = Patience(launch=-1, stop=1e9)
        self.loop.set_default_executor(Inline(self.life))
        database = self.services.store._db
        self.connection = Connection(database.connection, self.life)
        database.connection = self.connection  # type: ignore[assignment]

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Have it done; raises Crash when the server died of it."""
        return self.loop.run_until_complete(work)

    def end(self) -> None:
        """As a kill does: nothing is finished, nothing written any more."""
        self.life.over = True
        self.connection.real.close()
