"""Reading a log whose middle was given back to the disk: what is left is read to the letter, zeros never."""

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jupyter_ra_jobs_sidecar.logs import RunLog

from jupyter_ra_jobs.logs import CHUNK, Chunk, Follower, LogWatcher, Lost, read_gap, read_page
from jupyter_ra_jobs.models import LogGap, LogMatch
from tests.unit.test_log_search import all_found, found, naive
from tests.unit.test_log_search import logs as lines
from tests.unit.test_logs import InFolder, Switch, decoded, limits, logs, never, running, thorough

LIMIT = 1 << 20


def make_gap(path: Path, start: int, end: int) -> None:
    """These bytes are gone, as a sidecar leaves it."""
    with path.open("r+b") as file:
        file.seek(start)
        file.write(bytes(end - start))
    path.with_name("run.log.gap").write_text(json.dumps({"start": start, "end": end}))


@contextmanager
def with_gap(head: bytes, gone: int, tail: bytes) -> Iterator[Path]:
    """A log of which so many bytes between head and tail are gone."""
    with InFolder(head + bytes(gone) + tail) as path:
        make_gap(path, len(head), len(head) + gone)
        yield path


# Pages

gaps = st.integers(1, 40)


@thorough
@given(logs, gaps, logs, limits)
def test_pages_by_next_offset_are_what_is_left(head: bytes, gone: int, tail: bytes, limit: int) -> None:
    with with_gap(head, gone, tail) as path:
        content, offset, more, steps = "", 0, True, 0
        while more:
            page = read_page(path, offset, limit, ended=True)
            assert page.next_offset > offset
            assert page.gap == LogGap(len(head), len(head) + gone)
            content, offset, more, steps = (
                content + page.content,
                page.next_offset,
                page.has_more_after,
                steps + 1,
            )
    assert content == decoded(head) + decoded(tail)
    assert offset == page.total_size == len(head) + gone + len(tail)
    assert steps <= (len(head) + len(tail)) / limit + 3  # however large the gap is


@thorough
@given(logs, gaps, logs, limits)
def test_pages_by_own_arithmetic_are_what_is_left(head: bytes, gone: int, tail: bytes, limit: int) -> None:
    size = len(head) + gone + len(tail)
    with with_gap(head, gone, tail) as path:
        forward = [read_page(path, at, limit, ended=True).content for at in range(0, size, limit)]
        backward: list[str] = []
        until = size
        while until > 0:
            start = max(0, until - limit)
            backward.insert(0, read_page(path, start, until - start, ended=True).content)
            until = start
    assert "".join(forward) == "".join(backward) == decoded(head) + decoded(tail)


@thorough
@given(logs, gaps, logs, limits)
def test_pages_by_their_own_offset_are_what_is_left(head: bytes, gone: int, tail: bytes, limit: int) -> None:
    """Backwards, each page up to where the last one began: over the gap in one step."""
    with with_gap(head, gone, tail) as path:
        content, until = "", len(head) + gone + len(tail)
        while until > 0:
            start = max(0, until - limit)
            page = read_page(path, start, until - start, ended=True)
            if page.offset >= until:  # all of it lies in a character that began before
                until = start
                continue
            content, until = page.content + content, page.offset
    assert content == decoded(head) + decoded(tail)


def test_where_pages_are() -> None:
    """`offset` is where content begins, `next_offset` where to go on; in the gap, its start and its end."""
    with with_gap("aé█".encode(), 94, b"tail\n") as path:

        def page(offset: int, limit: int) -> tuple[str, int, int, bool, bool]:
            got = read_page(path, offset, limit, ended=True)
            assert (got.total_size, got.gap) == (105, LogGap(6, 100))
            return got.content, got.offset, got.next_offset, got.has_more_before, got.has_more_after

        assert page(0, 6) == ("aé█", 0, 6, False, True)
        assert page(0, 7) == ("aé█", 0, 100, False, True)
        assert page(2, 50) == ("█", 3, 100, True, True)
        assert page(6, 1) == page(50, 10) == page(99, 1) == ("", 6, 100, True, True)
        assert page(99, 3) == ("ta", 100, 102, True, True)
        assert page(100, 100) == page(50, 100) == ("tail\n", 100, 105, True, False)
        assert page(3, 101) == ("█tail", 3, 104, True, True)
        assert page(-3, 100) == ("il\n", 102, 105, True, False)
        assert page(105, 1) == ("", 105, 105, True, False)


@pytest.mark.parametrize("start", range(5, 9))
@pytest.mark.parametrize("end", range(9, 13))
def test_a_character_that_the_gap_has_cut_is_shown_for_what_is_left_of_it(start: int, end: int) -> None:
    data = "abcd🐎🐎efgh".encode()
    with InFolder(data) as path:
        make_gap(path, start, end)
        whole = read_page(path, 0, 100, ended=True).content
        single = [read_page(path, at, 1, ended=True).content for at in range(len(data))]
    assert whole == "".join(single) == decoded(data[:start]) + decoded(data[end:])


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{",
        b"[1, 2]",
        b'{"start": 1}',
        b'{"start": "1", "end": 3}',
        b'{"start": 3, "end": 3}',
        b'{"start": 3, "end": 1}',
        b'{"start": 10, "end": 20}',
        b'{"start": -9, "end": 0}',
        b"\xff" * 100,
        b" " * 100_000 + b'{"start": 1, "end": 3}',
    ],
)
def test_a_record_that_makes_no_sense_is_none(tmp_path: Path, said: bytes) -> None:
    log = tmp_path / "run.log"
    log.write_bytes(b"0123456789")
    (tmp_path / "run.log.gap").write_bytes(said)
    page = read_page(log, 0, 100, ended=True)
    assert (page.content, page.gap) == ("0123456789", None)


@pytest.mark.parametrize("start", [-(10**30), 4, 10**30])
@pytest.mark.parametrize("end", [-(10**30), 8, 10**30])
def test_a_forged_record_harms_nothing_but_its_run(tmp_path: Path, start: int, end: int) -> None:
    log = tmp_path / "run.log"
    log.write_bytes(b"0123456789")
    (tmp_path / "run.log.gap").write_text(json.dumps({"start": start, "end": end}))
    gone = range(max(0, start), min(10, end))
    left = "".join(str(n) for n in range(10) if n not in gone)
    assert read_page(log, 0, 100, ended=True).content == left
    assert [match.line for match in found(log, "[0-9]+", regex=True).matches] == re.findall(
        "[0-9]+", "".join(str(n) if n not in gone else " " for n in range(10))
    )[::-1]


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_a_record_that_is_no_file_is_none(tmp_path: Path, make: Any) -> None:
    log = tmp_path / "run.log"
    log.write_bytes(b"0123456789")
    make(tmp_path / "run.log.gap")
    assert read_gap(log, 10) is None
    assert read_page(log, 0, 100, ended=True).content == "0123456789"


def test_no_zero_is_ever_shown(tmp_path: Path) -> None:
    """However a page falls together with a gap that grows."""
    log = RunLog(str(tmp_path), LIMIT, lambda story: None)
    log.append(memoryview(b"x" * LIMIT))
    path = tmp_path / "run.log"

    def write() -> None:
        for _ in range(1_000):
            log.append(memoryview(b"x" * (LIMIT // 16)))

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        at = 0
        while not writing.done():
            page = read_page(path, at, 102_400, ended=True)
            assert page.content.strip("x") == ""
            assert page.next_offset > at or not page.has_more_after
            at = page.next_offset if page.has_more_after else max(0, page.total_size - 2 * LIMIT)
        writing.result()


# Following


async def piece_of(follower: Follower) -> Chunk | Lost:
    """The next."""
    while True:
        piece = await anext(follower)
        if piece is not None:
            return piece


async def pieces_of(follower: Follower) -> list[Chunk | Lost]:
    """All that it gives, each where the last one left off."""
    pieces = [piece async for piece in follower if piece is not None]
    for before, after in pairwise(pieces):
        assert before.next_offset == after.offset
    return pieces


def content_of(pieces: list[Chunk | Lost]) -> str:
    return "".join(piece.content for piece in pieces if isinstance(piece, Chunk))


@settings(thorough, max_examples=60)
@given(logs, gaps, logs, st.integers(0, 60))
def test_followed_chunks_are_what_is_left(head: bytes, gone: int, tail: bytes, start: int) -> None:
    size = len(head) + gone + len(tail)

    async def scenario(watcher: LogWatcher) -> None:
        with with_gap(head, gone, tail) as path:
            pieces = await pieces_of(watcher.follow(path, 0, lambda: True))
            late = await pieces_of(watcher.follow(path, start, lambda: True))
            assert content_of(late) == read_page(path, start, size + 1, ended=True).content
        assert content_of(pieces) == decoded(head) + decoded(tail)
        assert [piece for piece in pieces if isinstance(piece, Lost)] == [Lost(len(head), len(head) + gone)]
        assert pieces[-1].next_offset == size
        lost = [piece for piece in late if isinstance(piece, Lost)]
        assert lost == ([Lost(max(start, len(head)), len(head) + gone)] if start < len(head) + gone else [])

    running(scenario)


def test_a_slow_reader_is_told_what_it_has_missed(tmp_path: Path) -> None:
    """The gap comes over where it reads, twice: it goes on behind it each time."""
    path = tmp_path / "run.log"
    log = RunLog(str(tmp_path), LIMIT, lambda story: None)
    output = "".join(f"{n} žluť → 🐎\n" for n in range(400_000)).encode()
    ended = Switch()

    async def scenario(watcher: LogWatcher) -> None:
        follower = watcher.follow(path, 0, ended)
        pieces: list[Chunk | Lost] = []
        for begin in range(0, len(output), LIMIT // 4):
            log.append(memoryview(output)[begin : begin + LIMIT // 4])
            if begin == 0:
                pieces += [await piece_of(follower)]
            elif begin == 4 * LIMIT:  # before that, and after, it is busy elsewhere
                pieces += [await piece_of(follower) for _ in range(3)]
        assert [type(piece) for piece in pieces] == [Chunk, Chunk, Lost, Chunk]
        ended.on = True
        pieces += await pieces_of(follower)
        at = 0
        for piece in pieces:
            assert piece.offset == at
            at = piece.next_offset
            if isinstance(piece, Chunk):
                assert piece.next_offset - piece.offset <= CHUNK + 3
                assert piece.content == decoded(output[piece.offset : at])
        assert at == len(output)
        lost = [piece for piece in pieces if isinstance(piece, Lost)]
        assert len(lost) == 2
        assert lost[-1].next_offset == json.loads((tmp_path / "run.log.gap").read_text())["end"]

    running(scenario)


def test_readers_of_a_log_without_end_keep_up(tmp_path: Path) -> None:
    """A reader that is quick enough misses nothing, though the gap grows behind it."""
    path = tmp_path / "run.log"
    log = RunLog(str(tmp_path), LIMIT, lambda story: None)

    async def scenario(watcher: LogWatcher) -> None:
        follower = watcher.follow(path, 0, never)
        at = 0
        for n in range(200):
            line = f"{n:0{CHUNK - 1}}\n"
            log.append(memoryview(line.encode()))
            assert await anext(follower) == Chunk(line, at, at + CHUNK)
            at += CHUNK

    running(scenario, 0.0)


# Search


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines, gaps, lines, st.sampled_from(["a", "^", "$", "^$", r"\S", "[^a]", r"\x00"]), st.data())
def test_a_search_finds_what_is_in_the_two_ends(
    head: bytes, gone: int, tail: bytes, query: str, draw: st.DataObject
) -> None:
    head, tail = head.replace(b"\0", b"0"), tail.replace(b"\0", b"0")
    behind = len(head) + gone
    before = draw.draw(st.none() | st.integers(0, behind + len(tail) + 5))
    ask = {"regex": True, "ignore_case": False}
    in_head = naive(head, query, **ask, before=before)
    in_tail = naive(tail, query, **ask, before=None if before is None else before - behind)
    expected = [LogMatch(offset=match.offset + behind, line=match.line) for match in in_tail] + in_head
    with with_gap(head, gone, tail) as path:
        page = found(path, query, **ask, before=before, limit=1000, block=48)
        assert page.matches == expected
        assert page.complete
        assert page.gap == LogGap(len(head), behind)
        if before is None:
            assert all_found(path, query, **ask, limit=7, block=48) == expected


@pytest.mark.parametrize("at", [-1, 0, 1, 50, 99, 100, 101, 110, 111, 112])
def test_a_search_goes_on_from_anywhere_about_the_gap(at: int) -> None:
    """Of the half lines at its edges, the one before it ends there, and the one behind it begins there."""
    head, tail = b"first needle\nhalf needle", b"rest needle\nlast needle\n"
    behind = len(head) + 100
    lines = [(behind + 12, "last needle"), (behind, "rest needle"), (13, "half needle"), (0, "first needle")]
    left = lines[2:] if at >= 0 else lines[3:]
    if at >= 112:
        left = lines[1:]
    with with_gap(head, 100, tail) as path:
        assert [(match.offset, match.line) for match in all_found(path, "needle", limit=1)] == lines
        found_before = all_found(path, "needle", before=len(head) + at)
        assert [(match.offset, match.line) for match in found_before] == left


def test_a_search_through_a_huge_gap_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_bytes(b"first needle\nhalf a nee")
    os.truncate(path, 1 << 42)
    with path.open("ab") as file:
        file.write(b"dle\nlast needle\n")
    path.with_name("run.log.gap").write_text(json.dumps({"start": 23, "end": 1 << 42}))
    page = found(path, "needle")
    assert page.matches == [
        LogMatch(offset=(1 << 42) + 4, line="last needle"),
        LogMatch(offset=0, line="first needle"),
    ]
    assert page.complete


def test_a_search_shows_no_zeros_of_a_gap_that_grows(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path), LIMIT, lambda story: None)
    log.append(memoryview(b"the first line\n"))
    ended = Switch()

    def write() -> None:
        while not ended.on:
            log.append(memoryview((b"x" * 99 + b"\n") * 1_000))

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        try:
            for _ in range(5):
                page = found(tmp_path / "run.log", r"\x00", regex=True)
                assert page.matches == []
        finally:
            ended.on = True
        writing.result()
