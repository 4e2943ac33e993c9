"""A log within its limit: its two ends to the byte, its middle given back to the disk, and nobody held up."""

import json
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_ra_jobs_sidecar import logs
from jupyter_ra_jobs_sidecar.logs import RunLog

from jupyter_ra_jobs.logs import read_gap
from tests.conftest import World, wait_for
from tests.unit.sidecars import Run
from tests.unit.test_logs import InFolder

LIMIT = 1 << 20
BLOCK = 4096
READ_AT_ONCE = 1 << 20
"""Bytes that the sidecar takes from the pty before it looks at the log again."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One tmux server for all of these, since none harms it."""
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def output(world: World) -> bytes:
    """20 MB of text, also in the file `output`; no two pieces of it are the same."""
    numbers = random.Random(1)
    text = "".join(f"{n} žluť → 🐎 {numbers.random()}\n" for n in range(600_000)).encode()[: 20 << 20]
    (world.workdir / "output").write_bytes(text)
    return text


def gap_of(run_dir: Path) -> tuple[int, int]:
    """Where the record has the gap."""
    said = json.loads((run_dir / "run.log.gap").read_text())
    assert said.keys() == {"start", "end"}
    return said["start"], said["end"]


def on_disk(path: Path) -> int:
    """Bytes that a file takes there."""
    return path.stat().st_blocks * 512


def check_ends(run_dir: Path, output: bytes) -> None:
    """What the gap has left is what was written; the gap is zeros; size and offsets are unchanged."""
    log = (run_dir / "run.log").read_bytes()
    start, end = gap_of(run_dir)
    assert len(log) == len(output)
    assert log[:start] == output[:start]
    assert log[end:] == output[end:]
    assert not log[start:end].strip(b"\0")


def test_both_ends_are_kept(world: World, output: bytes) -> None:
    """An eighth of the limit from the beginning, and the end as long as there is room."""
    run = Run(world, "cat output", max_log_bytes=LIMIT).start()
    assert run.ended() == ("finished", 0)
    check_ends(run.dir, output)
    start, end = gap_of(run.dir)
    assert start == LIMIT // 8
    assert len(output) - end >= LIMIT * 3 // 4
    assert on_disk(run.dir / "run.log") <= LIMIT + READ_AT_ONCE
    assert run.story.count("has reached its limit of 1,048,576 bytes") == 1
    assert (run.dir / "run.log.gap").stat().st_mode & 0o777 == 0o600
    assert not (run.dir / "run.log.gap.new").exists()


def test_through_tmux(world: World, output: bytes) -> None:
    """The same for what pipe-pane brings, newlines as the terminal has them."""
    run = Run(world, "cat output", max_log_bytes=LIMIT, capture="pipe-pane").start()
    assert run.ended() == ("finished", 0)
    check_ends(run.dir, output.replace(b"\n", b"\r\n"))
    assert on_disk(run.dir / "run.log") <= LIMIT + READ_AT_ONCE
    assert run.story.count("has reached its limit") == 1


@pytest.mark.parametrize("beyond", [-1, 0, 1, LIMIT // 16, LIMIT // 16 + 1])
def test_a_run_that_ends_at_its_limit(world: World, output: bytes, beyond: int) -> None:
    """With its last bytes the log is just below, at or above the limit: all that is kept is right."""
    run = Run(world, f"head -c {LIMIT + beyond} output", max_log_bytes=LIMIT).start()
    assert run.ended() == ("finished", 0)
    if beyond < 0:
        assert run.log == output[: LIMIT + beyond]
        assert not (run.dir / "run.log.gap").exists()
    else:
        check_ends(run.dir, output[: LIMIT + beyond])


def test_a_sidecar_that_is_killed_meanwhile(world: World, output: bytes) -> None:
    """Whatever it was at: no byte outside the gap is lost."""
    run = Run(world, "while :; do cat output; done", max_log_bytes=LIMIT).start().running()
    wait_for((run.dir / "run.log.gap").exists, "the log has met its limit")
    sidecar = run.sidecar
    sidecar.kill()
    wait_for(lambda: not run.sidecars(), "it is dead")
    size = (run.dir / "run.log").stat().st_size
    log = (run.dir / "run.log").read_bytes()
    written = (output * (size // len(output) + 1))[:size]
    start, end = gap_of(run.dir)
    assert (log[:start], log[end:]) == (written[:start], written[end:])
    assert on_disk(run.dir / "run.log") <= LIMIT + READ_AT_ONCE


@pytest.fixture
def old_disk(world: World) -> Iterator[Path]:
    """A folder whose file system can give nothing back."""
    folder = world.root / "old-disk"
    folder.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "ramfs", "ramfs", str(folder)], check=False).returncode:
        pytest.skip("a ramfs may not be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("capture", ["sidecar", "pipe-pane"])
def test_a_disk_that_takes_nothing_back(world: World, output: bytes, old_disk: Path, capture: str) -> None:
    """It is said once, and all is kept."""
    whole = output[: 4 * LIMIT]
    run = Run(world, f"head -c {len(whole)} output", old_disk, max_log_bytes=LIMIT, capture=capture).start()
    assert run.ended() == ("finished", 0)
    assert run.log == (whole if capture == "sidecar" else whole.replace(b"\n", b"\r\n"))
    assert run.story.count("can't be given back here (") == 1
    assert sorted(path.name for path in run.dir.glob("run.log*")) == ["run.log"]


# The log alone


class Writing:
    """A log being written, and the whole of what was written to it."""

    def __init__(self, run_dir: Path, limit: int) -> None:
        self.dir = run_dir
        self.path = run_dir / "run.log"
        self.story: list[str] = []
        self.log = RunLog(str(run_dir), limit, self.story.append)
        self.output = b""
        self._numbers = random.Random(limit)

    def write(self, size: int) -> None:
        """So many bytes more, none of them zero."""
        part = self._numbers.randbytes(size).replace(b"\0", b"0")
        self.output += part
        rest = memoryview(part)
        while rest:
            rest = rest[self.log.append(rest) :]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 200_000),
    st.lists(st.integers(1, 30_000), min_size=1, max_size=60),
)
def test_any_limit(limit: int, sizes: list[int]) -> None:
    """The disk holds the limit, and one write more at most; of a tiny limit some blocks."""
    with InFolder() as path:
        writing = Writing(path.parent, limit)
        for size in sizes:
            writing.write(size)
            assert path.stat().st_size == len(writing.output)
            assert on_disk(path) <= max(limit, 3 * BLOCK) + size + 2 * BLOCK
        if len(writing.output) >= max(limit, 4 * BLOCK) + 2 * BLOCK:
            check_ends(path.parent, writing.output)
        elif len(writing.output) < limit:
            assert path.read_bytes() == writing.output


def test_no_limit(tmp_path: Path) -> None:
    """0."""
    writing = Writing(tmp_path, 0)
    writing.write(3_000_000)
    assert writing.path.read_bytes() == writing.output
    assert [path.name for path in tmp_path.iterdir()] == ["run.log"]


def test_a_log_that_was_removed_comes_back_with_its_gap(tmp_path: Path) -> None:
    """And takes no more room than before."""
    writing = Writing(tmp_path, LIMIT)
    writing.write(8 * LIMIT)
    for path in tmp_path.iterdir():
        path.unlink()
    writing.log.finish()
    check_ends(tmp_path, writing.output)
    assert on_disk(writing.path) <= LIMIT + READ_AT_ONCE
    assert "putting it back" in writing.story[-1]


@pytest.mark.parametrize("size", [0, LIMIT // 16, LIMIT // 4])
def test_a_log_that_was_cut(tmp_path: Path, size: int) -> None:
    """It has no gap any more, until it is too long again."""
    writing = Writing(tmp_path, LIMIT)
    writing.write(4 * LIMIT)
    start, end = gap_of(tmp_path)
    assert size < end
    os.truncate(writing.path, size)
    writing.output = writing.output[:start].ljust(size, b"\0")[:size]
    while len(writing.output) + LIMIT // 16 < LIMIT:
        writing.write(LIMIT // 16)
        assert writing.path.read_bytes() == writing.output
        assert size > start or read_gap(writing.path, len(writing.output)) is None
    assert read_gap(writing.path, len(writing.output)) is None
    writing.write(LIMIT)
    check_ends(tmp_path, writing.output)
    assert on_disk(writing.path) <= LIMIT + READ_AT_ONCE


def test_a_gap_that_cannot_be_told_of_is_none(tmp_path: Path) -> None:
    """Nothing is given back before it is on record; that is said once, and tried again."""
    (tmp_path / "run.log.gap").mkdir()
    writing = Writing(tmp_path, LIMIT)
    for _ in range(64):
        writing.write(LIMIT // 16)
    assert writing.path.read_bytes() == writing.output
    assert [("grows beyond" in line) for line in writing.story] == [False, True]
    (tmp_path / "run.log.gap").rmdir()
    writing.write(LIMIT // 16)
    check_ends(tmp_path, writing.output)
    assert on_disk(writing.path) <= LIMIT + READ_AT_ONCE


def test_the_record_is_on_the_disk_before_the_hole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut could leave a hole of which nobody knows, and its zeros would be output."""
    steps: list[str] = []
    punch, fsync = logs.punch, os.fsync

    def note_sync(fd: int) -> None:
        steps.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        fsync(fd)

    def note_punch(fd: int, start: int, end: int) -> None:
        steps.append("hole" if start < LIMIT else "trial")
        punch(fd, start, end)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(logs, "punch", note_punch)
    writing = Writing(tmp_path, LIMIT)
    writing.write(2 * LIMIT)
    assert steps[:4] == ["trial", "run.log.gap.new", tmp_path.name, "hole"]
