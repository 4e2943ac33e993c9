"""What lies on the disk is its owner's alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_ra_jobs.errors import RaJobsError, StorageFull
from jupyter_ra_jobs.layout import Layout, remove_half_made, write_private
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
        ".agents/files": 0o700,
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
    databases = dict.fromkeys(["jobs.db", "jobs.db-wal", "jobs.db-shm"], 0o600)
    assert found == {"files": 0o700, "runs": 0o700, **databases}
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


NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.mark.parametrize("name", [".agents", ".agents/runs"])
def test_a_link_to_a_folder_of_ours(tmp_path: Path, name: str) -> None:
    """Data may lie on another disk: the folder behind the link is made private."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    link = tmp_path / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    Layout(tmp_path).create()
    assert link.is_symlink()
    assert elsewhere.stat().st_mode & 0o777 == 0o700


@as_root
@pytest.mark.parametrize("name", [".agents", ".agents/runs"])
@pytest.mark.parametrize("whose", ["folder", "link", "folder behind a link"])
def test_a_folder_of_somebody_else(tmp_path: Path, name: str, whose: str) -> None:
    """Is refused, untouched: its owner could put commands there that run as us."""
    place, elsewhere = tmp_path / name, tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o777)
    place.parent.mkdir(exist_ok=True)
    if whose == "folder":
        place.mkdir(mode=0o777)
    else:
        place.symlink_to(elsewhere)
    theirs = elsewhere if whose == "folder behind a link" else place
    os.chown(theirs, NOBODY, NOBODY, follow_symlinks=False)
    was = modes(tmp_path)[str(theirs.relative_to(tmp_path))]
    with pytest.raises(RaJobsError, match="belongs to somebody else"):
        Layout(tmp_path).create()
    assert modes(tmp_path)[str(theirs.relative_to(tmp_path))] == was
    assert not any(theirs.iterdir())


@as_root
@pytest.mark.parametrize("name", ["jobs.db", "jobs.db-wal"])
def test_a_store_of_somebody_else(tmp_path: Path, name: str) -> None:
    """So is a database, or a part of one, that somebody else could write."""
    Layout(tmp_path).create()
    theirs = tmp_path / ".agents" / name
    theirs.touch()
    os.chown(theirs, NOBODY, NOBODY)
    with pytest.raises(RaJobsError, match="belongs to somebody else"):
        Layout(tmp_path).create()


@pytest.mark.parametrize("target", ["nowhere", "file", ".agents"])
def test_a_link_to_no_folder(tmp_path: Path, target: str) -> None:
    """Nothing is made where it leads."""
    (tmp_path / "file").touch()
    (tmp_path / ".agents").symlink_to(target)
    with pytest.raises(StorageFull, match="cannot write"):
        Layout(tmp_path).create()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".agents", "file"]


def test_half_made_files_go(tmp_path: Path) -> None:
    """Of a process that was killed; those of one that lives are its own."""
    (tmp_path / ".agents").mkdir()
    path = tmp_path / "spec.json"
    mine = write_private(path, b"{}")
    dead = [tmp_path / f"spec.json.{os.getpid()}.1.abcd", tmp_path / "spec.json.4194304.77.abcd"]
    other = [tmp_path / "spec.json.bak", tmp_path / "spec.json.a.b.c"]
    for left in [*dead, *other]:
        left.touch()
    remove_half_made(path)
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / ".agents", mine, *other])


def test_no_new_store_beside_runs(tmp_path: Path) -> None:
    """A store that is gone, or emptied, is not made anew while there are runs that it knew."""
    layout = Layout(tmp_path)
    layout.create()
    layout.run_dir("of-the-earlier-server").mkdir()
    layout.create()
    layout.run_dir("ours").mkdir()
    (layout.run_dir("ours") / "spec.json").touch()
    with pytest.raises(RaJobsError, match="gone, or empty"):
        layout.create()
    layout.database.unlink()
    with pytest.raises(RaJobsError, match="gone, or empty"):
        layout.create()
    assert not layout.database.exists()
