"""The soak tries what it says, and finds what is lost."""

import re
import shutil
from pathlib import Path

import pytest

from tests.faults.amid import FAULTS, Amid
from tests.faults.soak import main


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folders are the test's."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def a_byte_changed(amid: Amid) -> None:
    """Behind the server's back: one byte of a log is another."""
    log = amid.server.run_dir(amid.ids[0]) / "run.log"
    log.write_bytes(b"B" + log.read_bytes()[1:])


def not_here(amid: Amid) -> None:
    """Needs what there is not."""
    pytest.skip("no such device")


def a_line_of_a_later_round(amid: Amid) -> None:
    """Something is lost, but not in this sweep: in the one before."""
    for earlier in amid.world.workdir.glob("round-1-*/began.0"):
        if earlier.parent != amid.folder:
            earlier.write_text("")


def test_soak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One round: nothing is lost, nothing stays."""
    assert main(["--rounds", "1", "--fault", "server_killed"], FAULTS) == 0
    said = capsys.readouterr().out
    assert re.search(r"^round 1: (server_killed … )+20 runs, ", said, re.MULTILINE)
    wanted = {"runs started": "20", "runs that ended right": "20", "lost": "nothing", "tmux servers": "1"}
    for row, value in wanted.items():
        assert re.search(rf"^  {row} +{value}$", said, re.MULTILINE), said
    assert not list(tmp_path.iterdir())


def test_soak_finds_a_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One byte is enough; the field is kept, and named."""
    assert main(["--rounds", "1", "--seed", "7"], {"a_byte_changed": a_byte_changed}) == 1
    (kept,) = tmp_path.glob("ra-soak-*/field-1/kept")
    assert list(kept.glob(".agents/runs/*/run.log"))
    said = capsys.readouterr().out
    assert f"in round 1, see {kept.parent}" in said
    assert re.search(r"^  seed +7$", said, re.MULTILINE)
    shutil.rmtree(kept)


def test_soak_looks_back(tmp_path: Path) -> None:
    """What an earlier sweep lost later is found too."""
    assert main(["--rounds", "2"], {"lost_later": a_line_of_a_later_round}) == 1


def test_soak_without_a_device(capsys: pytest.CaptureFixture[str]) -> None:
    """What can't be tried here is said so, and is no loss."""
    assert main(["--rounds", "3", "--seed", "283779"], {"not_here": not_here}) == 0  # which wants one more
    assert "not tried here: no such device" in capsys.readouterr().out
