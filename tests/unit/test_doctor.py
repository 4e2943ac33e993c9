"""What the doctor says of disks that can't be had here."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from jupyter_ra_jobs.doctor import data
from jupyter_ra_jobs.doctor.findings import size


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (4096, "4 KB"), (20_480_000, "20 MB"), (1.25e9, "1.2 GB")],
)
def test_size(count: int, said: str) -> None:
    """In the unit that shows something."""
    assert size(int(count)) == said


@pytest.mark.parametrize(
    ("blocks", "files", "level", "said"),
    [
        (0, 9, "fail", "full: 0 bytes free"),
        (5_000, 9, "warn", "nearly full: 20 MB free"),
        (5_000, 0, "fail", "no file can be added"),
        (5_000_000, 9, "ok", "20.5 GB free"),
    ],
)
def test_disk(monkeypatch: pytest.MonkeyPatch, blocks: int, files: int, level: str, said: str) -> None:
    """Room for bytes, and for files, are two things."""
    at = SimpleNamespace(f_bavail=blocks, f_frsize=4096, f_files=10, f_favail=files)
    monkeypatch.setattr(os, "statvfs", lambda _: at)
    found = data.disk(Path("/somewhere"), 1 << 30)
    assert (found.level, found.says[: len(said)]) == (level, said)
