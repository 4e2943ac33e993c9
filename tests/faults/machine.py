"""What happens to a machine as a whole, done to one world of it: its clock, its boot, its process numbers."""

import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.conftest import World, wait_for

HOUR = 3600
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
_TRIES = 1_000


class Clock:
    """A wall clock of the world's own, for all that is started in it from now on."""

    def __init__(self, world: World) -> None:
        if shutil.which("cc") is None:
            pytest.skip("there is no compiler here")
        self._file = world.root / "clock"
        self.set(0)
        self.library = world.root / "clock.so"
        source = Path(__file__).with_name("clock.c")
        define = f'-DCLOCK="{self._file}"'
        if not self.library.exists():  # a program that is starting may be reading it
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", define, "-o", self.library, source], check=True)
        world.env["LD_PRELOAD"] = str(self.library)

    def set(self, ahead: int) -> None:
        """So many seconds before or behind the right time."""
        beside = self._file.with_suffix(".new")
        beside.write_text(str(ahead))
        beside.replace(self._file)


def rebooted(world: World) -> list[str]:
    """What to start a program with so that it finds another boot id; for `Server.inside`. Else it skips."""
    file = world.root / "boot_id"
    file.write_text(f"{uuid.uuid4()}\n")
    script = f'mount --bind "$0" {_BOOT_ID} && exec "$@"'
    inside = ["unshare", "--mount", "sh", "-c", script, str(file)]
    if subprocess.run([*inside, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no other boot id may be mounted here")
    return inside


def end_tmux(world: World) -> None:
    """As a crash; returns when it is gone, and all that it had opened is closed."""
    process = psutil.Process(int(world.tmux("display-message", "-p", "#{pid}").stdout))
    process.kill()
    wait_for(lambda: process not in world.processes(), "tmux is gone")


def free_number(process: psutil.Process) -> None:
    """kill -9; returns when its pid can be another's."""
    parent = process.parent()
    process.kill()

    def is_free() -> bool:
        if process.is_running() and parent is not None:
            with suppress(psutil.NoSuchProcess):
                parent.send_signal(signal.SIGCHLD)  # tmux 3.3a leaves a zombie now and then
        return not process.is_running()

    wait_for(is_free, f"{process.pid} is free")


@contextmanager
def holder_of(pid: int) -> Iterator[subprocess.Popen[bytes]]:
    """An innocent process that got this pid, which was free. It ends by any signal. Skips if somebody
    else gets the number."""
    for _ in range(_TRIES):
        try:
            _LAST_PID.write_text(str(pid - 1))
        except OSError:
            pytest.skip("the next process number may not be chosen here")
        process = subprocess.Popen(["sleep", "1000"])
        try:
            if process.pid == pid:
                yield process
                return
        finally:
            process.kill()
            process.wait()
    pytest.skip(f"some other program of this machine has got {pid}")
