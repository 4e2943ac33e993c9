"""The server is killed while it does something with thousands of runs: all of it has happened, or nothing."""

import contextlib
import http.client
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

from tests.conftest import Server, wait_for

MANY = 5_000


def count(server: Server, status: str) -> int:
    """How many runs the database holds that have this status."""
    path = server.world.workdir / ".agents" / "jobs.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
        return int(db.execute("SELECT count(*) FROM runs WHERE status = ?", (status,)).fetchone()[0])


def kill_amid(server: Server, call: Callable[[], Any], begun: Callable[[], bool]) -> None:
    """Kill the server in the middle of a call; the next one comes."""

    def unanswered() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            call()

    caller = threading.Thread(target=unanswered)
    caller.start()
    wait_for(begun, "it has begun")
    server.kill()
    caller.join()
    server.start()


def test_killed_amid_thousands(server: Server) -> None:
    """A sweep whose making was begun is made; likewise its start, and its stop."""
    sweep = {"name": "many", "base_command": "sleep 600 #", "parameters": {"n": list(range(MANY))}}
    kill_amid(server, lambda: server.post("/sweeps", **sweep), lambda: count(server, "ready") > 0)
    (made,) = server.get("/sweeps").json
    assert (len(made["run_ids"]), made["progress"]["ready"]) == (MANY, MANY)
    assert [server.run(made["run_ids"][n])["name"] for n in (0, MANY - 1)] == ["many #1", f"many #{MANY}"]

    at = f"/sweeps/{made['id']}"
    kill_amid(server, lambda: server.post(f"{at}/start?parallel=1"), lambda: count(server, "queued") > 0)
    wait_for(lambda: server.get(at).json["progress"]["running"] == 1, "one runs")
    assert server.get(at).json["progress"]["queued"] == MANY - 1

    kill_amid(server, lambda: server.post(f"{at}/stop"), lambda: count(server, "stopped") > 0)
    wait_for(lambda: server.get(at).json["progress"]["canceled"] == MANY, "all are stopped")
    assert sum(path.exists() for path in map(server.run_dir, made["run_ids"])) == 1
