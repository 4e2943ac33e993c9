"""Write what this version stores and answers, for later versions to be tested with: part of a release.

    python -m tests.upgrade.dump        writes tests/upgrade/schema-N.sql and schema-N.json

Everything in it was done by a real server, to runs of all statuses, sweeps and alerts.
"""

import hashlib
import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from jupyter_ra_jobs_sidecar import procs

from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import SCHEMA_VERSION, Store
from tests.conftest import Server, World, wait_for

HERE = Path(__file__).parent
WORKDIR = "/WORKDIR"
"""Stands in the dump for where it was made."""


def live(server: Server) -> None:
    """A run of each status but `launching`; sweeps that ended, are on their way, or not begun; alerts."""
    rows = """echo '{"step": 1, "loss": 0.5}' > $RA_ARTIFACTS_DIR/metrics.jsonl; echo '50%'"""
    finished = server.launch(rows, tags=["a", "é"])
    failed = server.launch("echo no; exit 3", notes="two\nlines", env={"SECRET": "s"})
    for run_id in (finished, failed):
        server.ended(run_id)
    wait_for(lambda: "loss" in (server.get(f"/runs/{finished}/metrics").json["metrics"] or {}), "read")
    server.post(f"/runs/{failed}/rerun")
    archived = server.launch("true")
    server.ended(archived)
    server.post(f"/runs/{archived}/archive")
    stopped, running = (
        server.launch("echo on; exec sleep 1000", name=name) for name in ("stopped", "running")
    )
    for run_id in (stopped, running):
        server.until(run_id, "running")
        wait_for(lambda run_id=run_id: server.log(run_id) == b"on\n", "it is at work")  # type: ignore[misc]
    server.post(f"/runs/{stopped}/stop")
    server.ended(stopped)
    file = hashlib.sha256(b"text").hexdigest()
    assert server.request("PUT", f"/files/{file}", b"text").status == 200
    options = {"timeout_seconds": 60, "max_retries": 2, "gpus": 0, "files": {"a.txt": file}}
    ready = server.create("echo ready", **options)["id"]
    queued = server.create("echo queued", priority=3, after=[ready])["id"]
    assert server.post(f"/runs/{queued}/queue").status == 200
    sweep = {"base_command": "echo {x}; exit {x}", "parameters": {"x": [0, 1, 2]}}
    for name in ("started", "not started"):
        made = server.post("/sweeps", name=name, **sweep)
        if name == "started":
            server.post(f"/sweeps/{made.json['id']}/start?parallel=1")
            for run_id in made.json["run_ids"]:
                server.ended(run_id)
    on_its_way = server.post(
        "/sweeps",
        name="on its way",
        base_command="echo {x}; sleep {x}",
        parameters={"x": [1000, 0, 0.01]},
    ).json
    server.post(f"/sweeps/{on_its_way['id']}/start?parallel=1")
    server.until(on_its_way["run_ids"][0], "running")
    for message in ("answered", "pending"):
        raised = server.post(f"/runs/{running}/alerts", message=message, choices=["Wait", "Stop run"])
        if message == "answered":
            server.post(f"/alerts/{raised.json['alert_id']}/respond", choice="Wait")


def answers(server: Server) -> dict[str, Any]:
    """What a server says of all that is stored."""
    paths = {
        "runs": "/runs?archived=true&limit=1000",
        "shown": "/runs",
        "sweeps": "/sweeps",
        "alerts": "/alerts",
    }
    said = {name: server.get(path) for name, path in paths.items()}
    assert {answer.status for answer in said.values()} == {200}
    return {name: answer.json for name, answer in said.items()}


def main() -> None:
    """Do all of it in a world of its own."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            server = Server(world).start()
            live(server)
            claimed = server.create("echo launched", name="claimed")["id"]
            said = answers(server)
            server.kill()
            layout = Layout(world.workdir)
            with closing(Store(layout.database, layout.runs)) as store:
                assert store.move(claimed, RunStatus.LAUNCHING)
            with closing(sqlite3.connect(layout.database)) as db:
                statements = [*db.iterdump(), f"PRAGMA user_version = {SCHEMA_VERSION};"]
        finally:
            world.end()
    for name, text in (("sql", "\n".join(statements)), ("json", json.dumps(said, indent=1))):
        for here, there in {str(world.workdir): WORKDIR, procs.boot_id(): "a-boot-long-ago"}.items():
            text = text.replace(here, there)
        (HERE / f"schema-{SCHEMA_VERSION}.{name}").write_text(text + "\n")


if __name__ == "__main__":
    main()
