"""A walk finds what is wanted, and costs no more than its bounds, however large the folder."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from jupyter_ra_jobs import walks
from jupyter_ra_jobs.folders import Folders
from jupyter_ra_jobs.walks import MOST_ENTRIES, Walks, walk


def fill(folder: Path, *names: str) -> None:
    """Put files there."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def names(found: walks.Walk, root: Path) -> set[str]:
    """What was found, below the root."""
    return {file.path[len(str(root)) + 1 :] for file in found.files}


def is_model(path: str) -> bool:
    """What these tests look for."""
    return path.endswith(".pt")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60,000 files in two folders, and a model in a third."""
    root = tmp_path_factory.mktemp("large")
    fill(root, "z/deeper/model.pt")
    for name in ("images", "labels"):
        (root / name).mkdir()
        first = root / name / "0"
        first.touch()
        for n in range(1, 30_000):
            os.link(first, root / name / str(n))
    return root


def test_large_folder(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """20,000 entries are looked at, not 60,000; what lies beside the large folders is found."""
    monkeypatch.setattr(walks, "LONGEST", 60.0)
    found = walk(str(large), is_model)
    assert (found.entries, found.left_out) == (MOST_ENTRIES, {"entries"})
    assert names(found, large) == {"z/deeper/model.pt"}


def test_time(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow disk costs so much time and no more."""
    monkeypatch.setattr(walks, "LONGEST", 0.0)
    found = walk(str(large), is_model)
    assert found.left_out == {"time"}
    assert found.entries < 100


def test_everything_and_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is left and taken up again loses nothing; the last entry is no bound met."""
    monkeypatch.setattr(walks, "_TURN", 7)
    expected = {f"{folder}/{n}.pt" for folder in "abc" for n in range(20)}
    fill(tmp_path, *expected)
    monkeypatch.setattr(walks, "MOST_ENTRIES", 63)
    found = walk(str(tmp_path), is_model)
    assert (names(found, tmp_path), len(found.files), found.left_out) == (expected, 60, frozenset())


def test_what_is_left_alone(tmp_path: Path) -> None:
    """Hidden folders, environments, other people's packages, and whatever a link leads to."""
    fill(
        tmp_path,
        "a.pt",
        "b/c.pt",
        "b/d.txt",
        ".agents/x.pt",
        ".git/x.pt",
        "node_modules/x.pt",
        "n/__pycache__/x.pt",
    )
    fill(tmp_path, "env/lib/x.pt", "env/pyvenv.cfg", "conda/x.pt", "conda/conda-meta/history")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "link.pt").symlink_to(tmp_path / "a.pt")
    os.mkfifo(tmp_path / "fifo.pt")
    found = walk(str(tmp_path), is_model)
    assert (names(found, tmp_path), found.left_out) == ({"a.pt", "b/c.pt"}, frozenset())


def test_all_files(tmp_path: Path) -> None:
    """Without a wish: hidden ones and links too, but through no link."""
    fill(tmp_path, "a", ".b/c", "node_modules/d")
    (tmp_path / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    found = walk(str(tmp_path))
    assert names(found, tmp_path) == {"a", ".b/c", "node_modules/d", "up"}
    assert [file.path for file in found.files if file.is_link] == [str(tmp_path / "up")]


def test_depth(tmp_path: Path) -> None:
    """So deep and no deeper."""
    fill(tmp_path, "/".join("d" * walks.DEEPEST) + "/in.pt", "/".join("d" * (walks.DEEPEST + 1)) + "/out.pt")
    found = walk(str(tmp_path), is_model)
    assert [Path(file.path).name for file in found.files] == ["in.pt"]
    assert found.left_out == {"depth"}


def test_names(tmp_path: Path) -> None:
    """One that JSON can't say is left out, and that is said."""
    fill(tmp_path, "žluť 🐎.pt", os.fsdecode(b"\xff.pt"))
    found = walk(str(tmp_path), is_model)
    assert (names(found, tmp_path), found.left_out) == ({"žluť 🐎.pt"}, {"names"})


@pytest.mark.parametrize("name", ["nothing", "file", "closed"])
def test_no_folder(tmp_path: Path, name: str) -> None:
    """Nothing is found, and that is all."""
    fill(tmp_path, "file")
    (tmp_path / "closed").mkdir(mode=0)
    found = walk(str(tmp_path / name), is_model)
    assert (found.files, found.left_out) == ([], frozenset())


def test_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many who ask at once get one walk; who needs one that begins now gets a new one, after the other."""
    begun: list[float] = []
    really = walk

    def counted(root: str, wanted: object) -> walks.Walk:
        begun.append(time.monotonic())
        return really(root, is_model)

    monkeypatch.setattr(walks, "walk", counted)
    fill(tmp_path, "a.pt")

    async def ask() -> None:
        shared, long_ago = Walks(is_model, Folders()), time.monotonic()
        found = await asyncio.gather(*(shared.of(str(tmp_path), long_ago) for _ in range(50)))
        assert {id(each) for each in found} == {id(found[0])}
        assert await shared.of(str(tmp_path), long_ago) is found[0]
        assert len(begun) == 1
        now = time.monotonic()
        again = await asyncio.gather(*(shared.of(str(tmp_path), now) for _ in range(50)))
        assert {id(each) for each in again} == {id(again[0])} != {id(found[0])}
        assert len(begun) == 2
        assert again[0].began >= now

    asyncio.run(ask())
