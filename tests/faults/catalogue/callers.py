"""What callers and readers do, by mistake or on purpose."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psutil

from tests.conftest import Server, wait_for
from tests.faults.amid import Amid, fault
from tests.faults.slow import Reader

_MB = 1024 * 1024
_BIG = 16 * _MB
_ABSURD: list[Any] = [
    b"",
    b"[" * 100_000,
    b'{"status": "running", "seq": 1e999}',
    b"\xff\xfe",
    {"status": "ready"},
    {"status": "finished", "seq": -(2**70)},
    {"status": "failed", "seq": 3, "exit_code": "none"},
    {"status": "running", "seq": 4, "sidecar": {"pid": 1}},
    {"status": "stopped", "seq": 5, "time": "now"},
]


def _token(server: Server, run_id: str) -> str:
    spec = json.loads((server.run_dir(run_id) / "spec.json").read_text())
    return str(spec["token"])


@fault
def thousand_callbacks(amid: Amid) -> None:
    """A thousand at once, while four runs end: twice, late, forged, of other runs, absurd."""
    ended, active = amid.ids[0], amid.at_work
    calls: list[tuple[str, str, Any, set[int]]] = []
    for n in range(100):
        run_id, other = active[n % 4], active[(n + 1) % 4]
        token = _token(amid.server, run_id)
        calls += [
            (run_id, token, {"status": "running", "seq": 1}, {200}),
            (run_id, token, {"status": "running", "seq": 1}, {200}),
            (run_id, "forged", {"status": "failed", "seq": 2, "exit_code": 1}, {403}),
            (run_id, "", {"status": "failed", "seq": 2, "exit_code": 1}, {403}),
            (other, token, {"status": "finished", "seq": 2, "exit_code": 0}, {403}),
            (amid.ids[-1], token, {"status": "finished", "seq": 2, "exit_code": 0}, {403}),
            (ended, _token(amid.server, ended), {"status": "running", "seq": 1}, {200}),
            (ended, _token(amid.server, ended), {"status": "failed", "seq": 9, "exit_code": 9}, {200}),
            ("0" * 12, token, {"status": "failed", "seq": 2}, {403}),
            (run_id, token, _ABSURD[n % len(_ABSURD)], {400}),
        ]

    def call(run_id: str, token: str, body: Any, expected: set[int]) -> None:
        answer = amid.server.request("POST", f"/runs/{run_id}/status", body, {"X-RA-Run-Token": token})
        assert answer.status in expected, (body, answer)

    with ThreadPoolExecutor(50) as callers:
        under_way = [callers.submit(call, *each) for each in calls]
        amid.go()
        for each in under_way:
            each.result()


def _big_log(amid: Amid, stack: ExitStack) -> str:
    """A run beside the sweep that has written much; it ends with the fault."""
    quit_file = amid.folder / "quit"
    command = f"head -c {_BIG} /dev/zero | tr '\\0' x; until [ -e {quit_file} ]; do sleep 0.05; done"
    run_id = amid.server.launch(command)

    def end() -> None:
        quit_file.touch()
        assert amid.server.ended(run_id)["status"] == "finished"
        amid.server.post(f"/runs/{run_id}/archive")
        (amid.server.run_dir(run_id) / "run.log").unlink()  # the soak's disk is small

    stack.callback(end)
    wait_for(lambda: len(amid.server.log(run_id)) == _BIG, "it has written")
    return run_id


def _process(amid: Amid) -> psutil.Process:
    assert amid.server.process is not None
    return psutil.Process(amid.server.process.pid)


@fault
def two_hundred_slow_readers(amid: Amid) -> None:
    """Of a log of 16 MB, a few bytes at a time, while all others end; and one reader who is quick."""
    with ExitStack() as stack:
        run_id = _big_log(amid, stack)
        memory = _process(amid).memory_info().rss
        path = f"/runs/{run_id}/logs/stream?offset=0"
        readers = [stack.enter_context(Reader(amid.server, path)) for _ in range(200)]
        stack.enter_context(Reader(amid.server, "/events"))
        for reader in readers:
            reader.take(1000)
        amid.go()
        body = amid.server.get(f"/runs/{amid.at_work[0]}/logs/stream?offset=0").body
        assert body.endswith(b"}\n\n"), "a quick reader has got all of it"
        for reader in readers:
            reader.take(1000)
        assert _process(amid).memory_info().rss - memory < 200 * _MB
        for reader in readers:
            reader.reset()


@fault
def readers_that_never_read(amid: Amid) -> None:
    """Fifty streams and fifty downloads of which nobody takes anything; then they are gone by a reset."""
    with ExitStack() as stack:
        run_id = _big_log(amid, stack)
        readers = [
            stack.enter_context(Reader(amid.server, f"/runs/{run_id}/logs/{what}"))
            for what in ["stream?offset=0", "download"] * 50
        ]
        amid.go()
        for n in amid.at_work:
            amid.server.ended(n)
        for reader in readers:
            reader.reset()


@fault
def bodies_that_never_end(amid: Amid) -> None:
    """Two hundred callers that send half of a request, and no more."""
    with ExitStack() as stack:
        for n in range(200):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", amid.server.port)))
            half.sendall(b"POST /ra-jobs/runs HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            if n % 2:
                half.sendall(b'Content-Length: 1000000\r\n\r\n{"name": ')
        amid.go()
        for run_id in amid.at_work:
            amid.server.ended(run_id)
