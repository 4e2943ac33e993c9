"""Pages of a log over HTTP while it grows; what else holds of pages, `tests/unit/test_logs.py` tries."""

import codecs
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Server
from tests.fuzz import profile
from tests.unit.test_logs import limits, logs

NUMBERS = st.integers() | st.sampled_from([-(2**63), 2**63 - 1, 2**63, 2**64, 10**30])
ODD = st.sampled_from(
    ["", " 1", "+1", "1.0", "1e3", "0x1", "٣", "NaN", "true", "null", "[1]", "\0", "1_000", "--1"]
)
words = NUMBERS.map(str) | ODD | st.text(max_size=8)


@pytest.fixture(scope="module")
def growing(shared_server: Server) -> Iterator[tuple[Server, str]]:
    """A run at work, whose log is ours to write."""
    run_id = shared_server.launch("exec sleep infinity")
    shared_server.until(run_id, "running")
    yield shared_server, run_id
    shared_server.post(f"/runs/{run_id}/stop")
    shared_server.ended(run_id)


@profile(40)
@given(st.lists(logs, min_size=1, max_size=6), limits)
def test_pages_while_it_grows(growing: tuple[Server, str], writes: list[bytes], limit: int) -> None:
    """Put end to end they are the file, but for a last character that lacks some of its bytes."""
    server, run_id = growing
    path = server.run_dir(run_id) / "run.log"
    path.write_bytes(b"")
    content, offset = "", 0
    for written in writes:
        with path.open("ab") as log:
            log.write(written)
        more = True
        while more:
            page = server.get(f"/runs/{run_id}/logs?offset={offset}&limit={limit}").json
            assert page["offset"] == offset
            assert page["next_offset"] > offset or not page["has_more_after"]
            content += page["content"]
            offset, more = page["next_offset"], page["has_more_after"]
    expected, size = codecs.utf_8_decode(path.read_bytes(), "replace", False)
    assert (content, offset) == (expected, size)


@profile(80)
@given(words, words)
def test_any_words_for_numbers(growing: tuple[Server, str], offset: str, limit: str) -> None:
    """A page within the file, or 400."""
    server, run_id = growing
    (server.run_dir(run_id) / "run.log").write_bytes(b"0123456789")
    answer = server.get(f"/runs/{run_id}/logs?offset={quote(offset)}&limit={quote(limit)}")
    assert answer.status in (200, 400)
    if answer.status == 200:
        page = answer.json
        assert 0 <= page["offset"] <= page["next_offset"] <= page["total_size"] == 10
        assert page["content"] == "0123456789"[page["offset"] : page["next_offset"]]
