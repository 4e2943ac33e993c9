"""The spool holds each event whole, or not at all; and has one writer."""

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jupyter_ra_jobs_sidecar.spool import Spool, Taken

HOUR = 3600

FULL = """
import json, resource, sys
from jupyter_ra_jobs_sidecar.spool import Spool
spool = Spool(sys.argv[1])
spool.add("running")
resource.setrlimit(resource.RLIMIT_FSIZE, (90, resource.RLIM_INFINITY))
spool.add("failed", error="x" * 100)
print(spool.sync())
print(open(sys.argv[1] + "/events.jsonl").read().count("\\n"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(spool.sync())
"""


def test_events(tmp_path: Path) -> None:
    """Each has its number, its time, its status and what was said beside."""
    spool = Spool(str(tmp_path))
    before = time.time()
    given = [spool.add("running", tmux_pane="%5"), spool.add("failed", exit_code=3, error="žluť\n")]
    assert spool.sync()
    path = tmp_path / "events.jsonl"
    written = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert written == given
    assert [event["seq"] for event in written] == [1, 2]
    assert before <= written[0]["time"] <= written[1]["time"] <= time.time()
    assert written[1] | {"time": 0, "seq": 2} == {
        "seq": 2,
        "time": 0,
        "status": "failed",
        "exit_code": 3,
        "error": "žluť\n",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_clock_set_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was at work for a second has not ended an hour before it began."""
    right = time.time
    spool = Spool(str(tmp_path))
    running = spool.add("running")
    monkeypatch.setattr(time, "time", lambda: right() - HOUR)
    ended = spool.add("finished")
    assert 0 <= ended["time"] - running["time"] < HOUR  # type: ignore[operator]


def test_clock_set_forward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is what the clock says, as the times of files are."""
    right = time.time
    spool = Spool(str(tmp_path))
    monkeypatch.setattr(time, "time", lambda: right() + HOUR)
    before = time.time()
    assert before <= spool.add("finished")["time"] <= time.time()  # type: ignore[operator]


def test_one_writer(tmp_path: Path) -> None:
    """Who comes second is told so, and changes nothing."""
    Spool(str(tmp_path)).add("running")
    before = (tmp_path / "events.jsonl").read_bytes()
    with pytest.raises(Taken):
        Spool(str(tmp_path))
    assert (tmp_path / "events.jsonl").read_bytes() == before


def test_full_disk(tmp_path: Path) -> None:
    """An event that finds no room leaves no half of itself, and is written once there is room."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN  # as Python has it: a write fails instead
    said = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["False", "1", "True"]
    written = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["seq"] for event in written] == [1, 2]


def test_removed(tmp_path: Path) -> None:
    """With its folder or without: it comes back whole, and goes on."""
    folder = tmp_path / "run"
    folder.mkdir()
    spool = Spool(str(folder))
    for n in range(3):
        spool.add("running", n=n)
        assert spool.sync()
        shutil.rmtree(folder) if n else (folder / "events.jsonl").unlink()
    spool.add("finished", exit_code=0)
    assert spool.sync()
    written = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert [event["seq"] for event in written] == [1, 2, 3, 4]


def test_removed_for_good(tmp_path: Path) -> None:
    """With all that was around it: nobody waits for it any more, and nothing is made in its place."""
    folder = tmp_path / "runs" / "run"
    folder.mkdir(parents=True)
    spool = Spool(str(folder))
    shutil.rmtree(tmp_path / "runs")
    spool.add("finished", exit_code=0)
    assert spool.sync()
    assert not (tmp_path / "runs").exists()


def test_names_are_brought_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The spool's own, and that of its folder: else a power cut takes the whole run."""
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())))
    folder = tmp_path / "run"
    folder.mkdir()
    spool = Spool(str(folder))
    for _ in range(2):
        spool.add("running")
        assert spool.sync()
    events = str(folder / "events.jsonl")
    assert synced == [events, str(folder), str(tmp_path), events]
