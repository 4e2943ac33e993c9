"""Which GPUs there are to give to runs."""

import asyncio
import contextlib
import logging
import os
import shutil
import subprocess
from collections.abc import Callable

from jupyter_ra_jobs.errors import BadInput

_ANSWERS_WITHIN = 10.0  # nvidia-smi wakes sleeping drivers


class Gpus:
    """The GPUs of the machine, by the ids that CUDA_VISIBLE_DEVICES takes.

    `given` names them; None means those that the server itself may use: of its own CUDA_VISIBLE_DEVICES,
    else all that nvidia-smi lists.
    """

    def __init__(self, given: list[str] | None, log: logging.Logger) -> None:
        self._given = None if given is None else list(dict.fromkeys(given))  # one given twice is one
        self._log = log
        self._found: asyncio.Task[list[str]] | None = None

    def look(self, then: Callable[[], None]) -> None:
        """Begin to look for them; `then` is called when they are known."""
        if self._given is not None:
            then()
        else:
            self._found = asyncio.get_running_loop().create_task(asyncio.to_thread(self._find))
            self._found.add_done_callback(lambda _: then())

    @property
    def known(self) -> list[str]:
        """All of them; none while they are looked for."""
        if self._given is not None:
            return self._given
        return self._found.result() if self._found is not None and self._found.done() else []

    async def check(self, wanted: int | None) -> None:
        """Raises BadInput for a number of GPUs that a run can never get here."""
        if wanted and self._found is not None:
            await asyncio.shield(self._found)
        if wanted and wanted > (there := len(self.known)):
            raise BadInput(
                f"gpus: {wanted} are more than this server can give ({there}); "
                "RaJobsApp.gpus names them if they were not found"
            )

    def _find(self) -> list[str]:
        allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
        if allowed is not None:
            named = (gpu.strip() for gpu in allowed.split(","))
            return list(dict.fromkeys(gpu for gpu in named if gpu not in ("", "-1")))
        found = nvidia_gpus()
        self._log.info("GPUs for runs: %s", ", ".join(found) or "none")
        return found


def nvidia_gpus() -> list[str]:
    """The indices that nvidia-smi lists; none where it is missing or fails. Blocks, for seconds perhaps."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            [tool, "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWERS_WITHIN,
            check=True,
        )
        lines = (line.strip() for line in done.stdout.splitlines())
        return [line for line in lines if line.isdecimal()]  # a broken GPU is a sentence there
    return []
