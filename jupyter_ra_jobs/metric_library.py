"""Reading WandB and TensorBoard files, in a process that can be killed: `_metrics_worker.py` does it."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from importlib import invalidate_caches
from importlib.util import find_spec
from io import FileIO
from subprocess import DEVNULL, PIPE, Popen

import msgspec
from msgspec import Struct

_SECONDS = 30.0
_GRACE = 2.0  # seconds beyond that after which a worker is killed that its own alarm did not end
_ENV = {"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true", "OPENBLAS_NUM_THREADS": "1"}


class _End(Struct, frozen=True):
    """A worker's last line."""

    end: int
    more: bool
    bad: str | None


class Piece(Struct, frozen=True):
    """Some of a file: its rows as lines of JSON, where it ends, whether more follows, what is wrong there."""

    rows: bytes
    end: int
    more: bool
    bad: str | None


class Library:
    """Reads `wandb` and `tensorboard` files. Blocks: call it in a thread; `close()` ends all workers."""

    def __init__(self) -> None:
        self._running: set[Popen[bytes]] = set()
        self._closed = False

    @staticmethod
    def has(kind: str) -> bool:
        """Whether the library is installed. A mere folder of that name, as WandB makes them, is none."""
        spec = find_spec(kind)
        if spec is None:
            invalidate_caches()  # it may have been installed since the server started
            spec = find_spec(kind)
        return spec is not None and spec.origin is not None

    def read(self, file: FileIO, kind: str, offset: int, limit: int) -> Piece:
        """Up to about `limit` bytes of whole records, from the end of an earlier piece on."""
        task = {
            "kind": kind,
            "descriptor": file.fileno(),
            "offset": offset,
            "limit": limit,
            "seconds": _SECONDS,
        }
        worker = Popen(
            [sys.executable, "-W", "ignore", "-m", "jupyter_ra_jobs._metrics_worker"],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd="/",  # the first place where a module is looked for: not one that a run can write to
            env={**os.environ, **_ENV},
            pass_fds=[file.fileno()],
        )
        self._running.add(worker)
        try:
            if self._closed:
                worker.kill()
            out, _ = worker.communicate(json.dumps(task).encode(), _SECONDS + _GRACE)
        except subprocess.TimeoutExpired:
            out = b""
        finally:
            worker.kill()
            worker.communicate()
            self._running.discard(worker)
        with suppress(msgspec.DecodeError):
            rows, _, last = out.removesuffix(b"\n").rpartition(b"\n")
            end = msgspec.json.decode(last, type=_End)
            return Piece(rows, end.end, end.more, end.bad)
        return Piece(b"", offset, False, f"its reader ended with exit code {worker.returncode}")

    def close(self) -> None:
        """Kill all workers; who waits for one gets a piece without rows."""
        self._closed = True
        for worker in list(self._running):
            worker.kill()
