"""Searching logs, in real worker processes, held against a search that is too simple to be wrong."""

import asyncio
import gc
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jupyter_ra_jobs._search_worker import EQUALS_ASCII, SHOWN
from jupyter_ra_jobs.errors import BadInput, NotFound, Unavailable
from jupyter_ra_jobs.log_search import LogSearch
from jupyter_ra_jobs.models import LogMatch, LogMatches

# A line that keeps `re` busy for longer than any test takes.
HANGS = r"(a+)+$"
HANGING = "a" * 60 + "b\n"

KELVIN, LONG_S, DOTLESS_I = "\u212a", "\u017f", "\u0131"  # k, s and i to who ignores case
WORDS = ["a", "A", "b", "é", "É", "k", KELVIN, DOTLESS_I, "s", LONG_S, "ß", "█", "\x1c", "\u2028", "\r", " "]
line_parts = st.one_of(
    st.sampled_from([word.encode() for word in WORDS] + [b"\xff", b"\xe2\x96", b"\xed\xa0\x80"]),
    st.binary(max_size=2).map(lambda data: data.replace(b"\n", b"")),
)
lines = st.lists(line_parts, max_size=8).map(b"".join)
logs = st.builds(lambda parts, end: b"\n".join(parts) + end, st.lists(lines, max_size=60), lines)
words = st.text(st.sampled_from(WORDS), min_size=1, max_size=3)
patterns = st.sampled_from(
    ["^", "$", "^$", "a.*b", r"\s", "[^a]", "(?m)^a", r"\Aa|b\Z", "k|s", r"[\udc80-\udcff]"]
)


def shown(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def naive(
    data: bytes, query: str, *, regex: bool, ignore_case: bool, before: int | None = None
) -> list[LogMatch]:
    pattern = re.compile(query if regex else re.escape(query), re.IGNORECASE if ignore_case else 0)
    found = []
    begin = 0
    for line in re.findall(rb"[^\n]*\n|[^\n]+", data):
        end = begin + len(line)
        text = line.removesuffix(b"\n").removesuffix(b"\r")
        if (before is None or end <= before) and pattern.search(text.decode("utf-8", "surrogateescape")):
            found.append(LogMatch(offset=begin, line=shown(text)))
        begin = end
    return found[::-1]


def searching(scenario: Callable[[LogSearch], Awaitable[Any]], **options: int) -> Any:
    async def run() -> Any:
        searches = LogSearch(**options)
        try:
            return await scenario(searches)
        finally:
            searches.close()

    return asyncio.run(asyncio.wait_for(run(), 60))


def found(
    path: Path,
    query: str,
    *,
    regex: bool = False,
    ignore_case: bool = False,
    before: int | None = None,
    limit: int = 100,
    budget: float = 50.0,
    **options: int,
) -> LogMatches:
    def search(searches: LogSearch) -> Awaitable[LogMatches]:
        return searches.search(
            path, query, regex=regex, ignore_case=ignore_case, before=before, limit=limit, budget=budget
        )

    page: LogMatches = searching(search, **options)
    return page


def all_found(path: Path, query: str, **options: Any) -> list[LogMatch]:
    page = found(path, query, **options)
    matches = list(page.matches)
    while not page.complete:
        assert page.next_before is not None
        page = found(path, query, **{**options, "before": page.next_before})
        matches += page.matches
    assert page.next_before is None
    return matches


OTHERS: set[psutil.Process] = set()
"""What this process had started before: a server that other tests share, perhaps."""


@pytest.fixture(autouse=True)
def others() -> Iterator[None]:
    OTHERS.update(psutil.Process().children())
    yield
    OTHERS.clear()


def workers() -> list[psutil.Process]:
    """The worker processes that live, or are dead and not reaped."""
    return [each for each in psutil.Process().children() if each not in OTHERS]


async def until(condition: Callable[[], bool]) -> None:
    async def wait() -> None:
        while not condition():  # noqa: ASYNC110 - of other processes, which set no event
            await asyncio.sleep(0.002)

    await asyncio.wait_for(wait(), 30)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run.log"


processes = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@processes
@given(
    logs,
    st.one_of(words.map(lambda q: (q, False)), patterns.map(lambda q: (q, True))),
    st.booleans(),
    st.data(),
)
def test_it_finds_what_a_simple_search_finds(
    data: bytes, query: tuple[str, bool], ignore_case: bool, draw: st.DataObject
) -> None:
    before = draw.draw(st.none() | st.integers(0, len(data) + 5))
    ask = {"regex": query[1], "ignore_case": ignore_case, "before": before}
    expected = naive(data, query[0], **ask)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.log"
        path.write_bytes(data)
        # Lines of at most 32 bytes against blocks of 48: each example crosses many blocks' borders.
        page = found(path, query[0], **ask, limit=1000, block=48)
    assert page == LogMatches(matches=expected, next_before=None, complete=True)


@settings(processes, max_examples=8)
@given(logs, words, st.integers(3, 20))
@example(b"\n\n\n", "^", 1)
def test_pages_hold_every_match_once(data: bytes, query: str, limit: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.log"
        path.write_bytes(data)
        ask = {"regex": query == "^", "ignore_case": True}
        assert all_found(path, query, limit=limit, block=64, **ask) == naive(data, query, **ask)


@pytest.mark.parametrize("place", [0, 95, 96, 97, 101, 190, 498])
@pytest.mark.parametrize("query", ["needle", "n.*e", "NEEDLE"])
def test_a_long_line_is_found_wherever_the_match_is(log: Path, query: str, place: int) -> None:
    """In pieces of 96 bytes, which cut both the word and the characters around it."""
    line = "█".encode() * 200
    line = (
        line[:place].decode(errors="ignore").encode()
        + b"needle"
        + line[: 498 - place].decode(errors="ignore").encode()
    )
    log.write_bytes(b"short needle\r\n" + line + b"\r\n" + line + b"\nlast needle")
    page = found(log, query, regex="." in query, ignore_case=query.isupper(), block=96, overlap=16)
    assert [match.offset for match in page.matches] == [len(line) * 2 + 17, len(line) + 16, 14, 0]
    assert page.complete


def test_a_word_beside_a_cut_is_no_damaged_character(log: Path) -> None:
    """A piece begins and ends between characters: none is taken for bytes that are no UTF-8."""
    log.write_bytes("█".encode() * 1000)
    for block in (95, 96, 97):
        assert found(log, "[\\udc80-\\udcff]", regex=True, block=block, overlap=16).matches == []
    log.write_bytes("█".encode() * 500 + b"\xff" + "█".encode() * 500)
    assert found(log, "[\\udc80-\\udcff]", regex=True, block=97, overlap=16).matches[0].offset == 0


def test_a_found_line_is_cut_around_the_match(log: Path) -> None:
    log.write_text("x" * 3_000_000 + "needle" + "y" * 3_000_000 + "\n" + "z" * SHOWN + "needle\n" + "needle")
    short, cut, long = found(log, "needle").matches
    assert short.line == "needle"
    assert cut.line == "z" * (SHOWN - 6) + "needle"
    assert len(long.line) == SHOWN
    assert "xneedley" in long.line


def test_bytes_that_are_no_text_are_shown_as_a_page_shows_them(log: Path) -> None:
    log.write_bytes(b"\xe2\x96needle\xff\xff")
    assert found(log, "needle").matches == [LogMatch(offset=0, line="\ufffdneedle\ufffd\ufffd")]


@pytest.mark.parametrize(
    ("query", "regex", "offsets"),
    [("b\r", False, [4]), ("\r", False, [8, 4]), ("b$", True, [0]), ("\r$", True, [8]), ("c", False, [12])],
)
def test_a_line_ends_before_its_line_break(log: Path, query: str, regex: bool, offsets: list[int]) -> None:
    """One "\r" before the "\n" is a part of that; any other is a character of the line."""
    log.write_bytes(b"ab\r\nb\rd\na\r\r\nc\r")
    assert [match.offset for match in found(log, query, regex=regex).matches] == offsets
    assert found(log, "c").matches[0].line == "c"


def test_no_log_holds_nothing(log: Path) -> None:
    nothing = LogMatches(matches=[], next_before=None, complete=True)
    assert found(log, "x") == nothing
    log.touch()
    assert found(log, "x") == nothing
    assert found(log, "^$", regex=True) == nothing


def test_only_a_regular_file_is_searched(log: Path) -> None:
    (log.parent / "secret").write_text("secret")
    log.symlink_to("secret")
    with pytest.raises(NotFound, match=r"run\.log"):
        found(log, "secret")


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        ("", {}, "empty"),
        ("x" * 1001, {}, "longer"),
        ("a\nb", {}, "line"),
        ("\ud800", {}, "surrogate"),
        ("x", {"before": -1}, "before"),
        ("x", {"limit": 0}, "limit"),
        ("(", {"regex": True}, r"unterminated subpattern at position 0"),
        ("(?<=a+)b", {"regex": True}, "look-behind requires fixed-width pattern"),
        ("(" * 500, {"regex": True}, "not a regular expression"),
        ("x{99999999999}", {"regex": True}, "not a regular expression"),
    ],
)
def test_what_cannot_be_searched_for_is_said(log: Path, query: str, options: Any, message: str) -> None:
    log.write_text("x\n")
    with pytest.raises(BadInput, match=message):
        found(log, query, **options)


def test_a_pattern_that_takes_for_ever_is_refused_at_its_line(log: Path) -> None:
    """What it found until then is a page; the page after that begins at the line, and says so."""
    head = "aaa\n" * 5_000 + HANGING
    log.write_text(head + "b\n" * 5_000 + "c a\n" + "b\n" * 5_000)
    hanging = {"regex": True, "budget": 1.0}
    page = found(log, HANGS, **hanging)
    assert page.matches == [LogMatch(offset=len(head) + 10_000, line="c a")]
    assert not page.complete
    assert page.next_before is not None
    assert len(head) <= page.next_before <= len(head) + 10_000
    with pytest.raises(BadInput, match=f"offset {len(head)}: simplify"):
        found(log, HANGS, before=len(head), **hanging)
    assert workers() == []


def test_how_far_it_came_before_a_hanging_line_is_known(log: Path) -> None:
    """Also when it took no time, or asking again would search the same lines again, in vain."""
    tail = "b\n" * 20_000  # 10 ms
    log.write_text(HANGING + tail)
    page = found(log, HANGS, regex=True, budget=1.0)
    assert page.next_before is not None
    assert page.next_before < len(HANGING) + 0.9 * len(tail)


def test_a_search_goes_on_where_its_time_was_over(log: Path) -> None:
    """No line hangs, but together they take longer than the budget."""
    slow = "a" * 17 + "b\n"  # 5 to 10 ms each
    log.write_text("a\n" + slow * 500)
    before = None
    for _ in range(2):
        page = found(log, HANGS, regex=True, before=before, budget=0.5)
        assert page.matches == []
        assert page.next_before is not None
        assert page.next_before < (before or 2 + 500 * len(slow))
        assert (page.next_before - 2) % len(slow) == 0
        before = page.next_before
    rest = found(log, HANGS, regex=True, before=2 + 3 * len(slow))
    assert rest == LogMatches(matches=[LogMatch(offset=0, line="a")], next_before=None, complete=True)


def test_a_pattern_gets_no_more_memory_than_its_share(log: Path) -> None:
    log.write_text("ab" * 2_000_000)
    with pytest.raises(BadInput, match="memory"):
        found(log, "(?:(a)|(b))*c", regex=True, block=1 << 26)


def test_a_cancelled_search_leaves_no_process(log: Path) -> None:
    log.write_text(HANGING)

    async def scenario(searches: LogSearch) -> None:
        ask = {"regex": True, "ignore_case": False, "before": None, "limit": 1, "budget": 60.0}
        search = asyncio.ensure_future(searches.search(log, HANGS, **ask))
        await until(lambda: len(workers()) == 1)
        search.cancel()
        with pytest.raises(asyncio.CancelledError):
            await search
        assert workers() == []

    searching(scenario)


def test_a_search_can_be_cancelled_at_any_moment(log: Path) -> None:
    log.write_text(HANGING)

    async def scenario(searches: LogSearch) -> None:
        ask = {"regex": True, "ignore_case": False, "before": None, "limit": 1, "budget": 60.0}
        for steps in range(20):
            search = asyncio.ensure_future(searches.search(log, HANGS, **ask))
            for _ in range(steps):
                await asyncio.sleep(0)
            search.cancel()
            await asyncio.gather(search, return_exceptions=True)
            assert search.cancelled()
        assert workers() == []
        gc.collect()  # a file that a cancelled task had just opened is closed by its end
        await until(lambda: not any(file.path == str(log) for file in psutil.Process().open_files()))

    searching(scenario)


def test_two_search_at_once_and_the_others_wait(log: Path) -> None:
    log.write_text(HANGING)

    async def scenario(searches: LogSearch) -> None:
        ask = {"regex": True, "ignore_case": False, "before": None, "limit": 1, "budget": 60.0}
        first, *others = [asyncio.ensure_future(searches.search(log, HANGS, **ask)) for _ in range(4)]
        await until(lambda: len(workers()) == 2)
        before = set(workers())
        first.cancel()
        await until(lambda: len(workers()) == 2 and set(workers()) != before)
        searches.close()
        ends = await asyncio.gather(*others, return_exceptions=True)
        assert [type(end) for end in ends] == [Unavailable] * 3
        assert workers() == []

    searching(scenario)


def test_nothing_of_the_query_is_on_a_command_line(log: Path) -> None:
    log.write_text(HANGING)

    async def scenario(searches: LogSearch) -> None:
        ask = {"regex": True, "ignore_case": False, "before": None, "limit": 1, "budget": 60.0}
        search = asyncio.ensure_future(searches.search(log, HANGS, **ask))
        await until(lambda: bool(workers()) and "-S" in workers()[0].cmdline())
        assert workers()[0].cmdline()[-1].endswith("_search_worker.py")
        search.cancel()
        await asyncio.gather(search, return_exceptions=True)

    searching(scenario)


def test_what_equals_an_ascii_letter_is_known() -> None:
    """The worker looks for bytes first: that needs every character that `re` takes for an ASCII one."""
    others = "".join(map(chr, range(128, sys.maxunicode + 1)))
    equal = re.findall("[\0-\x7f]", others, re.IGNORECASE)
    by_letter = {
        chr(c): {o for o in equal if re.fullmatch(re.escape(chr(c)), o, re.IGNORECASE)} for c in range(128)
    }
    known = {letter: set(EQUALS_ASCII.get(letter.lower(), "")) for letter in by_letter}
    assert by_letter == known


@pytest.mark.parametrize("query", ["kiss", "KISS", f"{KELVIN}{DOTLESS_I}{LONG_S}s", "kißs", "İ", "SS"])
def test_case_is_ignored_as_re_does(log: Path, query: str) -> None:
    texts = ["Kiss", f"kİ{LONG_S}S", f"{KELVIN}IsS", f"k{DOTLESS_I}ss █", "KIẞS", "i", "I\u0307", "nothing"]
    log.write_text("\n".join(texts))
    expected = naive(log.read_bytes(), query, regex=False, ignore_case=True)
    # By blocks of all sizes, each line is seen beside such characters, and without them.
    for block in (10, 20, 1 << 20):
        assert found(log, query, ignore_case=True, block=block).matches == expected
