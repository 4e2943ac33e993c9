"""spec.json: what a sidecar needs to know of its run. Written by the server, mode 0600."""

import json
import os

FILE = "spec.json"
LOG = "run.log"
GAP = ".gap"
"""Ends the name of the file beside a log that says which part of it was given back to the disk."""
SIDECAR_LOG = "sidecar.log"
SPOOL = "events.jsonl"
PIPE_DONE = "pipe.done"


class Spec:
    """One run as its sidecar sees it. Times are seconds; 0 as `timeout` or `max_log_bytes` means no limit."""

    __slots__ = (
        "capture",
        "command",
        "env",
        "interrupt_grace",
        "leftover_grace",
        "max_log_bytes",
        "run_id",
        "server_file",
        "shell",
        "terminate_grace",
        "timeout",
        "token",
        "umask",
        "workdir",
    )

    def __init__(
        self,
        *,
        run_id: str,
        command: str,
        shell: str,
        workdir: str,
        env: dict[str, str],
        umask: int,
        token: str,
        server_file: str,
        capture: str,
        interrupt_grace: float,
        terminate_grace: float,
        leftover_grace: float,
        timeout: float,
        max_log_bytes: int,
    ) -> None:
        self.run_id = run_id
        self.command = command
        self.shell = shell
        self.workdir = workdir
        self.env = env
        self.umask = umask
        self.token = token
        self.server_file = server_file
        self.capture = capture
        self.interrupt_grace = interrupt_grace
        self.terminate_grace = terminate_grace
        self.leftover_grace = leftover_grace
        self.timeout = timeout
        self.max_log_bytes = max_log_bytes

    def to_json(self) -> bytes:
        """As it stands in the file. Bytes of the environment that are not UTF-8 stay as they are."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}).encode()


def read(run_dir: str) -> Spec:
    """The spec in `run_dir`; raises OSError, ValueError or TypeError when there is no good one."""
    with open(os.path.join(run_dir, FILE), "rb") as file:
        return Spec(**json.load(file))
