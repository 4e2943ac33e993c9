"""The spool, whatever the run's command does to it: each whole event counts, once, in its order."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_ra_jobs_sidecar.spool import Spool

from jupyter_ra_jobs import spools
from jupyter_ra_jobs.models import Report
from tests.fuzz import profile

NOISE = [
    b"x",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"{",
    b'{"seq": 1',
    b"[" * 300,
    b"{}\n",
    b'"\n',
    b'{"a": {"a": 1}}\n',
]
garbage = st.lists(st.sampled_from(NOISE) | st.binary(max_size=20), max_size=4).map(b"".join)
LONG_LINES = [spools.MOST_BYTES - 1, spools.MOST_BYTES, spools.MOST_BYTES + 1, 3 * spools.MOST_BYTES]


def read_all(path: Path, offset: int = 0) -> tuple[list[Report], int]:
    """All that can be read, piece by piece, and where the reader then stands."""
    events: list[Report] = []
    more = True
    while more:
        more = False
        for piece in spools.read_on([("run", path, offset)])[0]:
            assert offset < piece.offset <= path.stat().st_size
            assert len(piece.events) <= spools.MOST_EVENTS
            events += piece.events
            offset, more = piece.offset, piece.more
    return events, offset


@profile(150)
@given(st.lists(garbage, min_size=1, max_size=12), st.data())
def test_events_between_garbage(noises: list[bytes], data: st.DataObject) -> None:
    """The sidecar's events are read whole and in order, whatever lies between, wherever a look ends."""
    with tempfile.TemporaryDirectory() as folder:
        spool, path = Spool(folder), Path(folder) / "events.jsonl"
        told, read, offset = list[str](), list[Report](), 0
        for number, noise in enumerate(noises):
            with path.open("ab") as file:
                file.write(noise)
            if data.draw(st.booleans()):
                events, offset = read_all(path, offset)
                read += events
            spool.add("running", wandb_dir=str(number))
            told.append(str(number))
        read += read_all(path, offset)[0]
    assert [event.wandb_dir for event in read if event.wandb_dir is not None] == told


@profile(150)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=6), st.data())
def test_written_in_pieces(errors: list[str], data: st.DataObject) -> None:
    """However the bytes come, an event counts once it is whole, and not before."""
    lines = [
        json.dumps({"seq": number, "status": "failed", "error": error}).encode() + b"\n"
        for number, error in enumerate(errors, start=1)
    ]
    whole = b"".join(lines)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=8)) | {len(whole)})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        read, offset = list[Report](), 0
        for cut in cuts:
            path.write_bytes(whole[:cut])
            events, offset = read_all(path, offset)
            read += events
            assert len(read) == whole[:cut].count(b"\n")
    assert [(event.seq, event.error) for event in read] == list(enumerate(errors, start=1))


@profile(300)
@given(st.binary(max_size=300) | garbage, st.integers(-5, 400))
def test_any_bytes_at_any_offset(content: bytes, offset: int) -> None:
    """What lies there breaks nothing, and the reader comes to its last whole line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        path.write_bytes(content)
        _, stands = read_all(path, max(0, offset))
        assert stands >= min(max(0, offset), content.rfind(b"\n") + 1)


@pytest.mark.parametrize("size", LONG_LINES)
@pytest.mark.parametrize("ends", [True, False])
def test_a_line_without_end(tmp_path: Path, size: int, ends: bool) -> None:
    """It holds nothing up: what comes behind it counts."""
    spool, path = Spool(str(tmp_path)), tmp_path / "events.jsonl"
    spool.add("running")
    with path.open("ab") as file:
        file.write(b"x" * size + b"\n" * ends)
    spool.add("finished", exit_code=0)
    assert [event.status.value for event in read_all(path)[0]] == ["running", "finished"]


def test_a_flood_is_read_in_pieces(tmp_path: Path) -> None:
    """Each look costs what a look may cost; together they are all."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"seq": 1, "status": "running"}\n\n' * 1_000)
    ((piece,), _) = spools.read_on([("run", path, 0)])
    assert piece.more
    assert len(piece.events) == spools.MOST_EVENTS
    assert len(read_all(path)[0]) == 1_000


def test_what_is_no_file(tmp_path: Path) -> None:
    """A link, a pipe, a folder, nothing: there is nothing to read."""
    outside = tmp_path / "outside"
    outside.write_bytes(b'{"seq": 1, "status": "finished"}\n')
    (tmp_path / "link").symlink_to(outside)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    wanted = [(name, tmp_path / name, 0) for name in ("link", "pipe", "folder", "missing")]
    assert spools.read_on(wanted) == ([], {})
