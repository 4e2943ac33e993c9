"""What lies on the disk is its owner's alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_ra_jobs.errors import StorageFull
from jupyter_ra_jobs.layout import Layout, write_private
from jupyter_ra_jobs.store import Store
from tests.unit.disk import no_file_grows_beyond


@pytest.fixture(autouse=True, params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever the server was started with."""
    was = os.umask(request.param)
    yield
    os.umask(was)


def modes(folder: Path) -> dict[str, int]:
    """Each file and folder below, with its rights."""
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}


def test_rights(tmp_path: Path) -> None:
    """Folders 0700, files 0600."""
    layout = Layout(tmp_path)
    layout.create()
    layout.write_server_file({"port": 1})
    store = Store(layout.database, layout.runs)
    store.set_meta("key", "value")
    assert modes(tmp_path) == {
        ".agents": 0o700,
        ".agents/runs": 0o700,
        ".agents/server.json": 0o600,
        ".agents/jobs.db": 0o600,
        ".agents/jobs.db-wal": 0o600,
        ".agents/jobs.db-shm": 0o600,
    }
    store.close()


def test_taken_over(tmp_path: Path) -> None:
    """A folder that others may read, as the earlier server left it, shows them nothing of ours."""
    (tmp_path / ".agents").mkdir(mode=0o755)
    (tmp_path / ".agents" / "jobs.json").write_text("{}")
    layout = Layout(tmp_path)
    layout.create()
    store = Store(layout.database, layout.runs)
    store.set_meta("key", "value")
    found = modes(tmp_path / ".agents")
    del found["jobs.json"]
    assert found == {"runs": 0o700, "jobs.db": 0o600, "jobs.db-wal": 0o600, "jobs.db-shm": 0o600}
    layout.create()
    store.close()


def test_written_beside(tmp_path: Path) -> None:
    """The file is whole before it takes its place, and private from its first byte."""
    path = tmp_path / "spec.json"
    path.write_bytes(b"old")
    beside = write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert (beside.parent, beside.read_bytes()) == (tmp_path, b"new")
    assert beside.stat().st_mode & 0o777 == 0o600


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    """A write that fails half-way takes its half away."""
    path = tmp_path / "spec.json"
    path.write_bytes(b"old")
    with no_file_grows_beyond(10_000), pytest.raises(OSError, match="too large"):
        write_private(path, b"x" * 20_000)
    assert [file.name for file in tmp_path.iterdir()] == ["spec.json"]


def test_a_workdir_that_takes_nothing(tmp_path: Path) -> None:
    """StorageFull names the place."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageFull, match=str(tmp_path / "file" / ".agents")):
        Layout(tmp_path / "file").create()
