"""A run's sidecar in a window of a world's tmux, without any Jupyter server."""

import contextlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupyter_ra_jobs_sidecar
import psutil
from jupyter_ra_jobs_sidecar.spec import Spec

from tests.conftest import World, wait_for

SIDECAR = [sys.executable, "-I", "-S", str(Path(jupyter_ra_jobs_sidecar.__file__).parent)]
SESSION = "sidecars"
TERMINAL = {"finished", "failed", "stopped"}
TOKEN = "a-secret-run-token"


class Run:
    """One run, from its spec to its last event. `details` replace what the spec says."""

    def __init__(self, world: World, command: str, runs: Path | None = None, **details: Any) -> None:
        self.world = world
        self.id = os.urandom(6).hex()
        self.dir = (runs or world.root / "runs") / self.id
        self.dir.mkdir(parents=True)
        self.window = f"{SESSION}:ra-job-{self.id}"
        self.env = {
            "PATH": os.environ["PATH"],
            "RA_RUN_ID": self.id,
            "TMUX_TMPDIR": str(world.tmux_tmpdir),  # what a world knows its processes by
            **details.pop("env", {}),
        }
        given: dict[str, Any] = {
            "shell": "bash",
            "workdir": str(world.workdir),
            "umask": 0o022,
            "server_file": str(self.dir / "server.json"),
            "capture": "sidecar",
            "interrupt_grace": 10.0,
            "terminate_grace": 10.0,
            "leftover_grace": 0.0,
            "timeout": 0,
            "max_log_bytes": 0,
        }
        self.capture = details.get("capture", "sidecar")
        spec = Spec(run_id=self.id, command=command, env=self.env, token=TOKEN, **{**given, **details})
        (self.dir / "spec.json").write_bytes(spec.to_json())

    def start(self) -> "Run":
        """Open the window with the sidecar in it."""
        command = [*SIDECAR, str(self.dir)]
        if self.capture == "pipe-pane":
            pipe = "exec " + shlex.join([*SIDECAR, "--pipe", str(self.dir)])
            command += [";", "pipe-pane", "-t", self.window, pipe]
        if self.world.tmux("has-session", "-t", SESSION).returncode:
            self.world.tmux("new-session", "-d", "-s", SESSION, "-x", "80", "-y", "24", "cat")
        opened = self.world.tmux("new-window", "-d", "-t", f"{SESSION}:", "-n", f"ra-job-{self.id}", *command)
        assert not opened.returncode, opened.stderr
        return self

    def start_another(self, *prefix: str) -> int:
        """A sidecar on the same run dir, outside any window, started by a command; its exit code."""
        command = [*prefix, *SIDECAR, str(self.dir)]
        ended = subprocess.run(command, env=self.world.env, stdin=subprocess.DEVNULL, check=False)
        return ended.returncode

    def events(self) -> list[dict[str, Any]]:
        """What is on the spool."""
        with contextlib.suppress(FileNotFoundError):
            return [json.loads(line) for line in (self.dir / "events.jsonl").read_text().splitlines()]
        return []

    def running(self) -> "Run":
        """Wait until the command runs."""
        wait_for(self.events, "the command runs")
        return self

    def end(self) -> dict[str, Any]:
        """The last event, once it is there."""

        def last() -> dict[str, Any] | None:
            events = self.events()
            return events[-1] if events and events[-1]["status"] in TERMINAL else None

        return wait_for(last, f"the run ends; its sidecar's story: {self.story}")

    def ended(self) -> tuple[str, int | None]:
        """Its final status and exit code."""
        end = self.end()
        return end["status"], end["exit_code"]

    @property
    def log(self) -> bytes:
        """The output, as far as it is on disk."""
        path = self.dir / "run.log"
        return path.read_bytes() if path.exists() else b""

    def says(self, text: bytes) -> "Run":
        """Wait until the log ends so."""
        wait_for(lambda: self.log.endswith(text), f"the log ends with {text!r}; {self.story}")
        return self

    @property
    def story(self) -> str:
        """The sidecar's own log."""
        path = self.dir / "sidecar.log"
        return path.read_text() if path.exists() else ""

    @property
    def sidecar(self) -> psutil.Process:
        """The sidecar's process; the command has to run."""
        return psutil.Process(self.events()[0]["sidecar"]["pid"])

    def stop(self) -> "Run":
        """As the server does: SIGTERM to the sidecar."""
        self.running().sidecar.terminate()
        return self

    def processes(self) -> list[psutil.Process]:
        """What lives of the run: what bears its id."""
        return self._of_world(lambda process: process.environ().get("RA_RUN_ID") == self.id)

    def sidecars(self) -> list[psutil.Process]:
        """The sidecars, and pipes, that live on this run dir."""
        return self._of_world(lambda process: str(self.dir) in process.cmdline())

    def _of_world(self, wanted: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
        found = []
        for process in self.world.processes():
            with contextlib.suppress(psutil.Error):
                if wanted(process):
                    found.append(process)
        return found

    def keys(self, *keys: str) -> None:
        """Type into the window."""
        assert not self.world.tmux("send-keys", "-t", self.window, *keys).returncode

    def screen(self) -> str:
        """What the window shows."""
        return self.world.tmux("capture-pane", "-p", "-t", self.window).stdout
