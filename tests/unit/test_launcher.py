"""Starts of one run that meet in its folder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_ra_jobs import launcher
from jupyter_ra_jobs.files import Staged
from jupyter_ra_jobs.launcher import Prepared
from jupyter_ra_jobs.layout import make_folder, write_private


def prepared(run_dir: Path) -> Prepared:
    """A start that has come so far."""
    path = run_dir / "spec.json"
    beside = launcher._write_beside(path, b"{}")
    make_folder(run_dir / "artifacts")
    staged = Staged(run_dir / "files", None)
    return Prepared(path, beside, staged, run_dir / "artifacts", "", ("", ""), "", None)


def test_discarded(tmp_path: Path) -> None:
    """The last one of those that came to nothing takes the folder away."""
    run_dir = tmp_path / "run"
    one, other = prepared(run_dir), prepared(run_dir)
    one.discard()
    assert (run_dir / "artifacts").is_dir()
    one.discard()
    other.discard()
    assert list(tmp_path.iterdir()) == []


def test_discarded_beside_a_run(tmp_path: Path) -> None:
    """One that went has its folders."""
    run_dir = tmp_path / "run"
    one, other = prepared(run_dir), prepared(run_dir)
    other.publish()
    one.discard()
    assert sorted(path.name for path in run_dir.iterdir()) == ["artifacts", "spec.json"]


def test_taken_away_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is made again when another start has just taken it away."""
    taken = []

    def write(path: Path, content: bytes) -> Path:
        if not taken:
            path.parent.rmdir()
            taken.append(path)
        return write_private(path, content)

    monkeypatch.setattr(launcher, "write_private", write)
    one = prepared(tmp_path / "run")
    one.publish()
    assert taken
    assert (tmp_path / "run" / "spec.json").exists()


def test_taken_away_again_and_again(tmp_path: Path) -> None:
    """Starts that come to nothing, four at once: none is told that the folder is in its way."""
    run_dir = tmp_path / "run"

    def start() -> None:
        for _ in range(300):
            prepared(run_dir).discard()

    with ThreadPoolExecutor(4) as starts:
        for done in [starts.submit(start) for _ in range(4)]:
            done.result()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    """Is told at once."""
    (tmp_path / "run").touch()
    with pytest.raises(FileExistsError):
        prepared(tmp_path / "run")
