"""Files that a run, or somebody else, can write: whatever is in them, the reader says what it makes of it."""

import asyncio
import json
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ra_jobs import jobs_json
from jupyter_ra_jobs.artifacts import Artifacts
from jupyter_ra_jobs.errors import Conflict, NotFound, RaJobsError
from jupyter_ra_jobs.folders import Folders
from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store
from tests.fuzz import profile
from tests.unit.records import make_run

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
words = st.sampled_from(
    ["runs", "sweeps", "a", "b", "name", "command", "status", "after", "ready", "queued", "failed"]
)
records = st.fixed_dictionaries(
    {
        "name": st.just("x"),
        "command": st.just("y"),
        "status": st.sampled_from(["ready", "queued", "failed"]) | leaves,
    },
    optional=dict.fromkeys(
        ("created_at", "parent_run_id", "sweep_id", "tags", "gpus", "env"), leaves | anything
    )
    | {"after": st.lists(st.sampled_from("abc"), max_size=2), "attempt": st.integers(-1, 3)},
)
files = st.fixed_dictionaries(
    {"runs": st.dictionaries(st.sampled_from("abc") | words, records, max_size=3)},
    optional={"sweeps": st.dictionaries(words, anything, max_size=2)},
)


@profile(100)
@given(st.binary(max_size=40) | (files | anything).map(lambda content: json.dumps(content).encode()))
def test_jobs_json(content: bytes) -> None:
    """All of it is imported, or nothing, with an error that names the file."""
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        layout.create()
        layout.jobs_json.write_bytes(content)
        store = Store(layout.database, layout.runs)
        try:
            jobs_json.import_once(store, layout)
            given: Any = json.loads(content)
            assert len(store.runs(limit=-1)) == len(given.get("runs") or {})
            assert jobs_json.export(store)["runs"].keys() == (given.get("runs") or {}).keys()
        except RaJobsError as problem:
            if f"{layout.jobs_json} could not be imported" not in str(problem) or store.runs(limit=1):
                raise
        finally:
            store.close()


@profile(100)
@given(
    st.binary(max_size=40)
    | st.fixed_dictionaries(
        {}, optional={"pid": leaves, "port": leaves, "path": leaves, "host": anything}
    ).map(lambda said: json.dumps(said).encode())
    | anything.map(lambda said: json.dumps(said).encode())
)
def test_server_json(content: bytes) -> None:
    """Whatever it says, it says of another server that there is none, or one with a pid."""
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        layout.create()
        layout.server_file.write_bytes(content)
        other = layout.other_server()
        assert other is None or isinstance(other["pid"], int)


record_bytes = st.binary(max_size=60) | anything.map(lambda said: json.dumps(said).encode())
artifacts = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.text(max_size=8),
            "path": st.sampled_from(["/etc/passwd", "../../x", "", "/", "a", "\0", "jobs.db"])
            | st.text(max_size=8),
            "type": st.sampled_from(["other", "wandb"]) | leaves,
            "size": st.integers(0, 10) | leaves,
            "modified_at": st.floats(0, 1e12) | leaves,
            "certain": st.booleans() | leaves,
        }
    ),
    max_size=3,
)
records_found = artifacts.map(lambda found: json.dumps({"final": True, "artifacts": found}).encode())


@profile(100)
@given(record_bytes | records_found, st.text(max_size=8))
def test_found_json(content: bytes, name: str) -> None:
    """A forged record lists nothing that is not the run's, and opens nothing."""

    async def look() -> None:
        names = {artifact.name for artifact in (await artifacts_of.listing(run.id)).artifacts}
        for each in {name, *names}:
            try:
                (await artifacts_of.open(run.id, each)).close()
            except (NotFound, Conflict):
                continue
            raise AssertionError(each)
        await artifacts_of.close()

    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        layout.create()
        store = Store(layout.database, layout.runs)
        now = time.time()
        run = make_run(
            workdir=folder, status=RunStatus.FINISHED, launched_at=now, started_at=now, ended_at=now
        )
        store.add(run)
        layout.run_dir(run.id).mkdir()
        layout.found(run.id).write_bytes(content)
        artifacts_of = Artifacts(store, layout, Folders(), logging.getLogger("fuzz"))
        asyncio.run(look())
        store.close()
