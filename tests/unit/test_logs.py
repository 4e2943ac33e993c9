"""Pages of a log, and following one: whatever the bytes, and wherever they are cut."""

import asyncio
import codecs
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ra_jobs.errors import BadInput, NotFound
from jupyter_ra_jobs.logs import CHUNK, Chunk, Follower, LogWatcher, read_page
from jupyter_ra_jobs.models import LogPage

# Whole characters of one to four bytes, their parts, and what looks like one: surrogates, overlong forms,
# beyond Unicode, bytes that are never UTF-8.
PARTS = ["a", "\r\n", "é", "█", "\U0001f600", "\ufeff", "\ufffd"]
BROKEN = [b"\x80", b"\xbf\xbf", b"\xc3", b"\xe2\x96", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80"]
NEVER = [b"\xe0\x80\x80", b"\xf4\x90\x80\x80", b"\xf0\x80\x80\x80", b"\xff", b"\xfe\x00"]
pieces = st.one_of(st.sampled_from([part.encode() for part in PARTS] + BROKEN + NEVER), st.binary(max_size=4))
logs = st.lists(pieces, max_size=30).map(b"".join)
limits = st.integers(1, 12)

thorough = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def decoded(data: bytes, *, ended: bool = True) -> str:
    return codecs.utf_8_decode(data, "replace", ended)[0]


def complete(data: bytes) -> int:
    """The bytes of a log that is still written, without the character at its end that lacks some."""
    return codecs.utf_8_decode(data, "replace", False)[1]


class InFolder:
    """A log in a folder of its own, which hypothesis needs a new one of for each example."""

    def __init__(self, data: bytes = b"") -> None:
        self._folder = TemporaryDirectory()
        self.path = Path(self._folder.name) / "run.log"
        self.path.write_bytes(data)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


# Pages


@thorough
@given(logs, limits, st.booleans())
def test_pages_by_next_offset_are_the_file(data: bytes, limit: int, ended: bool) -> None:
    with InFolder(data) as path:
        page = read_page(path, 0, limit, ended=ended)
        content = page.content
        while page.has_more_after:
            assert page.next_offset > page.offset
            page = read_page(path, page.next_offset, limit, ended=ended)
            assert len(data[page.offset : page.next_offset]) <= limit + 3
            content += page.content
    assert content == decoded(data, ended=ended)
    assert page.next_offset == page.total_size == (len(data) if ended else complete(data))


@thorough
@given(logs, limits, st.booleans())
def test_pages_by_own_arithmetic_are_the_file(data: bytes, limit: int, ended: bool) -> None:
    with InFolder(data) as path:
        forward = [read_page(path, at, limit, ended=ended).content for at in range(0, len(data), limit)]
        backward: list[str] = []
        until = len(data)
        while until > 0:
            start = max(0, until - limit)
            backward.insert(0, read_page(path, start, until - start, ended=ended).content)
            until = start
    assert "".join(forward) == "".join(backward) == decoded(data, ended=ended)


@thorough
@given(logs, st.integers(-40, 140), limits)
def test_a_page_tells_where_it_is(data: bytes, offset: int, limit: int) -> None:
    with InFolder(data) as path:
        page = read_page(path, offset, limit, ended=True)
    asked = min(offset if offset >= 0 else max(0, len(data) + offset), len(data))
    assert asked <= page.offset <= asked + 3
    assert page.content == decoded(data[page.offset : page.next_offset])
    # Cut where it begins and ends, the file still decodes to the same: no character was split.
    cuts = [data[: page.offset], data[page.offset : page.next_offset], data[page.next_offset :]]
    assert "".join(map(decoded, cuts)) == decoded(data)
    assert page.has_more_before == (page.offset > 0)
    assert page.has_more_after == (page.next_offset < len(data))


def test_half_a_character_waits_for_its_rest_or_the_end(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_bytes(b"ab\xe2\x96")
    live = read_page(log, 0, 10, ended=False)
    assert (live.content, live.total_size, live.next_offset, live.has_more_after) == ("ab", 2, 2, False)
    over = read_page(log, 0, 10, ended=True)
    assert (over.content, over.total_size, over.next_offset) == ("ab\ufffd", 4, 4)


def test_no_log_is_an_empty_page(tmp_path: Path) -> None:
    nothing = LogPage(
        content="", offset=0, total_size=0, has_more_before=False, has_more_after=False, next_offset=0
    )
    assert read_page(tmp_path / "run.log", -100, 100, ended=False) == nothing
    (tmp_path / "run.log").touch()
    assert read_page(tmp_path / "run.log", 100, 100, ended=False) == nothing


def test_a_page_of_a_huge_log_costs_what_a_page_costs(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.touch()
    os.truncate(log, 10 * 2**30)
    append(log, b"fin\n")
    page = read_page(log, -6, 100, ended=False)
    assert (page.content, page.offset) == ("\0\0fin\n", 10 * 2**30 - 2)
    assert read_page(log, 5 * 2**30, 3, ended=False).content == "\0\0\0"


def test_a_limit_below_1_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="limit"):
        read_page(tmp_path / "run.log", 0, 0, ended=True)


def make_link(path: Path) -> None:
    (path.parent / "secret").write_text("secret")
    path.symlink_to("secret")


def make_loop(path: Path) -> None:
    path.symlink_to(path)


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


irregular = pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, make_link, make_loop, make_device])


@irregular
def test_only_a_regular_file_is_a_log(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "run.log")
    with pytest.raises(NotFound, match=r"run\.log"):
        read_page(tmp_path / "run.log", 0, 10, ended=False)


# Following


def running(scenario: Callable[[LogWatcher], Awaitable[Any]], interval: float = 0.001) -> Any:
    async def run() -> Any:
        watcher = LogWatcher(interval)
        try:
            return await scenario(watcher)
        finally:
            watcher.close()

    return asyncio.run(asyncio.wait_for(run(), 60))


SELDOM = 3600.0
"""An interval at which a test only passes if nothing waits for the next tick."""


class Switch:
    """Whether a run has ended."""

    def __init__(self) -> None:
        self.on = False

    def __call__(self) -> bool:
        return self.on


def never() -> bool:
    return False


async def contents(follower: Follower) -> str:
    return "".join([chunk.content async for chunk in follower if chunk is not None])


async def following(follower: Follower) -> Chunk:
    """The next chunk."""
    while True:
        chunk = await anext(follower)
        if chunk is not None:
            return chunk


@settings(thorough, max_examples=60)
@given(st.lists(logs, min_size=1, max_size=8), st.data())
def test_followed_chunks_are_the_file(writes: list[bytes], data: st.DataObject) -> None:
    catches_up = [data.draw(st.booleans()) for _ in writes]
    start = data.draw(st.integers(0, len(writes[0])))

    async def scenario(watcher: LogWatcher) -> None:
        ended = Switch()
        with InFolder(writes[0]) as path:
            follower = watcher.follow(path, 0, ended)
            late = watcher.follow(path, start, ended)
            content, written = "", writes[0]
            for write, catch_up in zip(writes[1:], catches_up, strict=False):
                append(path, write)
                written += write
                while catch_up and content != decoded(written, ended=False):
                    content += (await following(follower)).content
            ended.on = True
            content += await contents(follower)
            assert content == decoded(written)
            assert await contents(late) == read_page(path, start, len(written) + 1, ended=True).content

    running(scenario)


def test_chunks_are_small_and_adjoin_at_full_speed(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_bytes("█é".encode() * 200_000)

    async def scenario(watcher: LogWatcher) -> None:
        at, content = 0, []
        async for chunk in watcher.follow(log, 0, lambda: True):
            assert chunk is not None
            assert chunk.offset == at
            assert chunk.next_offset - at <= CHUNK + 3
            at = chunk.next_offset
            content.append(chunk.content)
        assert "".join(content) == "█é" * 200_000
        assert len(content) > 10

    running(scenario, SELDOM)


def test_a_log_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    async def scenario(watcher: LogWatcher) -> None:
        follower = watcher.follow(tmp_path / "run.log", 0, never, keepalive=0.0)
        assert await anext(follower) is None
        (tmp_path / "run.log").write_text("here")
        assert (await following(follower)).content == "here"

    running(scenario)


def test_ended_is_asked_before_the_last_read(tmp_path: Path) -> None:
    """What a run writes between the last read and its end is not lost."""
    log = tmp_path / "run.log"
    log.write_text("first ")

    def ended() -> bool:
        if log.stat().st_size < 10:
            append(log, b"last words")
        return True

    async def scenario(watcher: LogWatcher) -> None:
        assert await contents(watcher.follow(log, 0, ended)) == "first last words"

    running(scenario)


def test_half_a_character_is_shown_when_the_run_ended(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_bytes(b"a\xe2\x96")
    ended = Switch()

    async def scenario(watcher: LogWatcher) -> None:
        follower = watcher.follow(log, 0, ended, keepalive=0.02)
        assert (await following(follower)).content == "a"
        assert await anext(follower) is None
        ended.on = True
        assert await contents(follower) == "\ufffd"
        assert await contents(follower) == ""

    running(scenario)


def test_a_log_that_never_came_ends_with_its_run(tmp_path: Path) -> None:
    async def scenario(watcher: LogWatcher) -> None:
        assert await contents(watcher.follow(tmp_path / "run.log", 0, lambda: True)) == ""

    running(scenario)


@pytest.mark.parametrize(("offset", "content"), [(-3, "def"), (2, "cdef"), (-100, "abcdef"), (100, "")])
def test_it_begins_where_a_page_would(tmp_path: Path, offset: int, content: str) -> None:
    log = tmp_path / "run.log"
    log.write_text("abcdef")

    async def scenario(watcher: LogWatcher) -> None:
        assert await contents(watcher.follow(log, offset, lambda: True)) == content

    running(scenario)


def test_readers_at_the_same_offset_share_a_chunk(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("one\n")

    async def scenario(watcher: LogWatcher) -> None:
        followers = [watcher.follow(log, 0, never) for _ in range(200)]
        for text in ("one\n", "two\n"):
            chunks = await asyncio.gather(*map(following, followers))
            assert {id(chunk) for chunk in chunks} == {id(chunks[0])}
            assert chunks[0].content == text
            assert chunks[0].json is chunks[1].json
            append(log, b"two\n")

    running(scenario)


def test_the_json_of_a_chunk_is_its_fields() -> None:
    fields = msgspec.json.decode(Chunk("é\n", 3, 6).json)
    assert fields == {"content": "é\n", "offset": 3, "next_offset": 6}


def test_two_hundred_logs_are_followed_at_once(tmp_path: Path) -> None:
    async def scenario(watcher: LogWatcher) -> None:
        ended = Switch()
        paths = [tmp_path / str(n) for n in range(200)]
        readers = [asyncio.ensure_future(contents(watcher.follow(path, 0, ended))) for path in paths]
        for path in paths:
            path.write_text(path.name)
        ended.on = True
        assert await asyncio.gather(*readers) == [path.name for path in paths]

    running(scenario)


def test_a_slow_reader_finds_everything_when_it_comes_back(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("start")
    ended = Switch()

    async def scenario(watcher: LogWatcher) -> None:
        slow, quick = watcher.follow(log, 0, ended), watcher.follow(log, 0, ended)
        assert (await following(slow)).content == "start"
        assert (await following(quick)).content == "start"
        for n in range(20):
            append(log, f"{n};".encode())
            assert (await following(quick)).content == f"{n};"
        ended.on = True
        assert await contents(slow) == "".join(f"{n};" for n in range(20))

    running(scenario, 0.0)  # a tick always runs while a reader comes and goes


def test_a_log_that_was_cut_is_followed_from_its_new_end(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("a long beginning")

    async def scenario(watcher: LogWatcher) -> None:
        follower = watcher.follow(log, 0, never, keepalive=0.0)
        await following(follower)
        for size in (5, 0):
            os.truncate(log, size)
            assert await anext(follower) is None
            append(log, b"more")
            chunk = await following(follower)
            assert (chunk.content, chunk.offset) == ("more", size)

    running(scenario)


def test_a_log_that_was_removed_is_followed_on_when_it_is_back(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("read")

    async def scenario(watcher: LogWatcher) -> None:
        follower = watcher.follow(log, 0, never, keepalive=0.0)
        await following(follower)
        log.unlink()
        assert await anext(follower) is None
        log.write_text("read, and put back")
        assert (await following(follower)).content == ", and put back"

    running(scenario)


def test_a_log_is_followed_from_where_it_was_cut_while_its_reader_waits(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("a long beginning")
    looks: list[asyncio.Event] = []

    def ended() -> bool:
        if looks:
            looks.pop().set()
        return False

    async def scenario(watcher: LogWatcher) -> None:
        follower = watcher.follow(log, 0, ended)
        await following(follower)
        os.truncate(log, 5)
        waits = asyncio.ensure_future(following(follower))
        for _ in range(2):  # one look has seen it when the next begins
            look = asyncio.Event()
            looks.append(look)
            await look.wait()
        append(log, b"more")
        assert (await waits).content == "more"

    running(scenario)


@irregular
def test_a_log_that_became_something_else_ends_its_readers_alone(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    log, other = tmp_path / "run.log", tmp_path / "other.log"
    log.write_text("a")
    other.write_text("b")

    async def scenario(watcher: LogWatcher) -> None:
        follower, neighbour = watcher.follow(log, 0, never), watcher.follow(other, 0, never)
        await asyncio.gather(following(follower), following(neighbour))
        log.unlink()
        make(log)
        append(other, b"c")
        failed, chunk = await asyncio.gather(
            following(follower), following(neighbour), return_exceptions=True
        )
        assert isinstance(failed, NotFound)
        assert isinstance(chunk, Chunk)
        assert chunk.content == "c"

    running(scenario)


def test_a_predicate_that_fails_is_its_readers_problem(tmp_path: Path) -> None:
    log, other = tmp_path / "run.log", tmp_path / "other.log"
    log.write_text("a")
    other.write_text("b")

    def failing() -> bool:
        raise NotFound("no such run")

    async def scenario(watcher: LogWatcher) -> None:
        good, bad = watcher.follow(log, 0, never), watcher.follow(other, 0, failing)
        results = await asyncio.gather(following(good), following(bad), return_exceptions=True)
        assert isinstance(results[0], Chunk)
        assert isinstance(results[1], NotFound)

    running(scenario)


def test_wake_looks_at_once(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("a")

    async def scenario(watcher: LogWatcher) -> None:
        follower = watcher.follow(log, 0, never)
        await following(follower)
        waits = asyncio.ensure_future(following(follower))
        await asyncio.sleep(0)  # so that it does
        append(log, b"b")
        watcher.wake(tmp_path / "another.log")
        watcher.wake(log)
        assert (await waits).content == "b"

    running(scenario, SELDOM)


def test_silence_is_answered_by_none(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("a")

    async def scenario(watcher: LogWatcher) -> None:
        follower = watcher.follow(log, 0, never, keepalive=0.02)
        assert await anext(follower) is not None
        assert await anext(follower) is None
        assert await anext(follower) is None
        append(log, b"b")
        assert (await following(follower)).content == "b"

    running(scenario)


def test_close_ends_everyone(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("a")

    async def scenario(watcher: LogWatcher) -> None:
        followers = [watcher.follow(log, 0, never) for _ in range(3)]
        await asyncio.gather(*map(following, followers))
        waits = asyncio.gather(*map(contents, followers))
        await asyncio.sleep(0)  # so that they do
        watcher.close()
        assert await waits == ["", "", ""]
        assert await contents(watcher.follow(log, 0, never)) == ""
        watcher.close()

    running(scenario, SELDOM)


def test_nothing_is_lost_when_a_reader_is_cancelled(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("a")

    async def scenario(watcher: LogWatcher) -> None:
        follower = watcher.follow(log, 0, never)
        content = ""
        for n in range(100):
            append(log, b"b")
            waits = asyncio.ensure_future(following(follower))
            for _ in range(n % 7):
                await asyncio.sleep(0)  # to be at another place each time
            waits.cancel()
            try:
                content += (await waits).content
            except asyncio.CancelledError:
                continue
        while len(content) < 101:
            content += (await following(follower)).content
        assert content == "a" + "b" * 100

    running(scenario)


def test_it_polls_only_while_somebody_follows(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("a")

    async def scenario(watcher: LogWatcher) -> None:
        mine = asyncio.all_tasks()
        follower = watcher.follow(log, 0, never)
        for _ in range(2):  # it can begin again
            await following(follower)
            assert len(asyncio.all_tasks() - mine) == 1
            await asyncio.gather(*(asyncio.all_tasks() - mine))  # ends by itself
            append(log, b"b")

    running(scenario)
