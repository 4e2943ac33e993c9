"""Tells the server what the spool says: a hint, so that it need not wait for its next look."""

import json
import threading
from collections.abc import Callable

from jupyter_ra_jobs_sidecar import procs
from jupyter_ra_jobs_sidecar.spec import Spec
from jupyter_ra_jobs_sidecar.spool import Event

_TIMEOUT = 5.0
_FIRST_RETRY, _LAST_RETRY = 0.2, 5.0


class Reporter:
    """Posts the newest event from a thread of its own, until the server takes it.

    Earlier ones need no post: the server reads them in the spool. Where the server is, `server.json`
    says, read afresh for each try: a restarted server is found on its new port. One that was killed leaves
    its address there: nobody is called unless the very process that wrote it lives, since whoever has
    the port by then would get the run's token.
    """

    def __init__(self, spec: Spec, log: Callable[[str], None]) -> None:
        self._spec = spec
        self._log = log
        self._changed = threading.Condition()
        self._event: Event | None = None
        self._tries = 0
        self._accepted: Event | None = None
        self._thread: threading.Thread | None = None

    def tell(self, event: Event) -> None:
        """Post this event in place of any that still waits."""
        with self._changed:
            self._event = event
            self._accepted = None
            self._tries = 0
            self._changed.notify_all()
        self._has_begun()

    def settle(self, seconds: float) -> bool:
        """Wait until the last event was answered, or one try was in vain; True when the server has it."""
        if not self._has_begun():
            return False
        with self._changed:
            self._changed.wait_for(lambda: self._event is None or self._tries > 0, seconds)
            self._tries = 0
            return self._event is None and self._accepted is not None

    def _has_begun(self) -> bool:
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="reporter", daemon=True)
            try:
                thread.start()
            except RuntimeError as problem:  # where nobody may have one more: the spool says it all
                self._log(f"no report is posted: {problem}")
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        delay = _FIRST_RETRY
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._event is not None)
                event = self._event
            assert event is not None
            status = self._post(event)
            taken = 0 < status < 500  # a refusal is an answer: asking again would not help
            with self._changed:
                if taken:
                    delay = _FIRST_RETRY
                    if self._event is event:
                        self._event = None
                        self._accepted = event if status == 200 else None
                elif self._event is event:
                    self._tries += 1
                self._changed.notify_all()
                if not taken:
                    # Woken early by a newer event, which is then tried at once.
                    self._changed.wait_for(lambda: self._event is not event, delay)  # noqa: B023
                    delay = min(delay * 2, _LAST_RETRY)

    def _post(self, event: Event) -> int:
        """The HTTP status of the server's answer, 0 when there was none."""
        try:
            with open(self._spec.server_file, "rb") as file:
                server = json.load(file)
            path = f"{server['path']}/runs/{self._spec.run_id}/status"
            status = _exchange(server, _request(path, self._spec.token, json.dumps(event).encode()))
        except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as problem:
            self._log(f"report {event['seq']} not delivered: {problem!r}")
            return 0
        if status != 200:
            self._log(f"report {event['seq']} answered with HTTP status {status}")
        return status


def _request(path: str, token: str, body: bytes) -> bytes:
    head = [
        f"POST {path} HTTP/1.0",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-RA-Run-Token: {token}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def _exchange(server: dict[str, str], request: bytes) -> int:
    """Send a request to our own server, if it lives, and return its answer's status.

    By hand, since importing http.client takes 14 ms and 3 MB more, in each of 20 sidecars a second.
    """
    # After the command has started, and before the look: nothing may take time between that and the call.
    from jupyter_ra_jobs_sidecar.connect import connect

    _check_lives(server)
    with connect(server, _TIMEOUT) as connection:
        _check_lives(server)  # still: so it had its port when we connected, and nobody else
        connection.sendall(request)
        answer = b""
        while b"\r\n" not in answer and (part := connection.recv(4096)):
            answer += part
    return int(answer.split(None, 2)[1])


def _check_lives(server: dict[str, str]) -> None:
    if not procs.still_lives(server):
        raise ConnectionError("the server that server.json names has ended")
