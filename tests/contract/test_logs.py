"""The contract's "logs", a test a row: pages by byte offset, the file, a search through it."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.rows import row
from tests.contract.shapes import LOG_PAGE, a_list, count, exactly, flag, is_log_page, nullable, text
from tests.contract.ui import UI, UNKNOWN

# Characters of one byte, two, three and four, and every kind of line end.
LINE = "žluť → 🐎\r\n50%\r"
TEXT = LINE * 1_500
STEP = 10_000
"""In which the UI walks."""
NOTHING: dict[str, Any] = {
    "content": "",
    "offset": 0,
    "total_size": 0,
    "has_more_before": False,
    "has_more_after": False,
    "next_offset": 0,
}


@pytest.fixture(scope="module")
def run_id(ui: UI) -> str:
    """A run whose whole output is TEXT."""
    path = ui.server.world.root / "text"
    path.write_bytes(TEXT.encode())
    return str(ui.finished(f"cat {path}")["id"])


def page(ui: UI, run_id: str, **query: int) -> dict[str, Any]:
    """A page of a run's log."""
    found: dict[str, Any] = ui.get(f"/runs/{run_id}/logs", **query)
    assert is_log_page(found)
    return found


@row("GET /runs/{id}/logs")
def test_page(ui: UI, run_id: str) -> None:
    """The end of the log, in the contract's fields; nothing is translated."""
    size = len(TEXT.encode())
    last = page(ui, run_id)
    assert last == page(ui, run_id, offset=-STEP, limit=STEP)
    assert TEXT.endswith(last["content"])
    assert size - STEP <= last["offset"] <= size - STEP + 3
    assert last["next_offset"] == last["total_size"] == size
    assert (last["has_more_before"], last["has_more_after"]) == (True, False)
    first = page(ui, run_id, offset=0)
    assert TEXT.startswith(first["content"])
    assert (first["offset"], first["has_more_before"], first["has_more_after"]) == (0, False, True)
    assert STEP <= first["next_offset"] <= STEP + 3
    assert page(ui, run_id, offset=0, limit=10**9)["content"] == TEXT
    assert page(ui, run_id, offset=10**9)["offset"] == size
    assert "limit" in ui.call("GET", f"/runs/{run_id}/logs?limit=0").error(400)
    ui.call("GET", f"/runs/{UNKNOWN}/logs").error(404)


def test_most(ui: UI) -> None:
    """A larger limit is lowered to 102,400 bytes."""
    run = ui.finished("yes | head -c 300000")
    most = page(ui, run["id"], offset=0, limit=300_000)
    assert (most["next_offset"], len(most["content"])) == (102_400, 102_400)
    assert len(page(ui, run["id"], offset=0)["content"]) == STEP


def test_first_byte_counts(ui: UI) -> None:
    """A character belongs to the page that holds its first byte; `offset` is where the content begins."""
    run = ui.finished("printf 'a\\303\\251b'")
    assert page(ui, run["id"], offset=1, limit=1) == {
        "content": "é",
        "offset": 1,
        "total_size": 4,
        "has_more_before": True,
        "has_more_after": True,
        "next_offset": 3,
    }
    assert page(ui, run["id"], offset=2, limit=1)["content"] == ""
    assert (page(ui, run["id"], offset=2)["content"], page(ui, run["id"], offset=2)["offset"]) == ("b", 3)


def test_bytes_that_are_no_text(ui: UI) -> None:
    """Become U+FFFD, and offsets still count the file's bytes."""
    run = ui.finished("printf 'a\\377\\376b\\0c'")
    shown = page(ui, run["id"])
    assert (shown["content"], shown["total_size"], shown["next_offset"]) == ("a\ufffd\ufffdb\0c", 6, 6)


def test_no_log_yet(ui: UI) -> None:
    """Empty content, zeros, false."""
    assert page(ui, ui.create()["id"]) == NOTHING


def test_walk_of_the_ui(ui: UI, run_id: str) -> None:
    """Backwards in steps of its own, trusting its own numbers: not a character is lost or told twice."""
    content, offset = "", page(ui, run_id)["total_size"]
    while offset > 0:
        start = max(0, offset - STEP)
        shown = page(ui, run_id, offset=start, limit=offset - start)
        content, offset = shown["content"] + content, start
    assert content == TEXT


def test_walk_forward(ui: UI, run_id: str) -> None:
    """By `next_offset`."""
    content, offset, more = "", 0, True
    while more:
        shown = page(ui, run_id, offset=offset, limit=STEP)
        content, offset, more = content + shown["content"], shown["next_offset"], shown["has_more_after"]
    assert content == TEXT


@row("GET /runs/{id}/sidecar-logs")
def test_sidecar_log(ui: UI, run_id: str) -> None:
    """The same for the sidecar's own story."""
    shown = ui.get(f"/runs/{run_id}/sidecar-logs", offset=0, limit=STEP)
    assert exactly(shown, LOG_PAGE)
    assert "the run ended" in shown["content"]
    assert ui.get(f"/runs/{ui.create()['id']}/sidecar-logs") == NOTHING


@row("GET /runs/{id}/logs/download")
def test_download(ui: UI, run_id: str) -> None:
    """The file, or a range of it, under a name that the page may read."""
    path = f"/runs/{run_id}/logs/download"
    whole = ui.call("GET", path)
    assert (whole.status, whole.body) == (200, TEXT.encode())
    assert whole.headers["content-disposition"].startswith("attachment;")
    part = ui.call("GET", path, Range="bytes=5-9")
    assert (part.status, part.body) == (206, TEXT.encode()[5:10])
    assert part.headers["content-range"] == f"bytes 5-9/{len(TEXT.encode())}"
    ui.call("GET", path, Range="bytes=999999-").error(416)
    ui.call("GET", f"/runs/{ui.create()['id']}/logs/download").error(404)


@row("GET /runs/{id}/logs/search")
def test_search(ui: UI) -> None:
    """The newest lines first, each with the byte at which it begins; the next page from `next_before`."""
    run = ui.finished("for n in 1 2 3; do echo épo $n; echo Loss 0.$n; done")
    path = f"/runs/{run['id']}/logs/search"
    found = ui.get(path, q="loss")
    assert exactly(
        found,
        {
            "matches": a_list(lambda each: exactly(each, {"offset": count, "line": text})),
            "next_before": nullable(count),
            "complete": flag,
        },
    )
    log = "".join(f"épo {n}\nLoss 0.{n}\n" for n in (1, 2, 3)).encode()
    assert found["matches"] == [
        {"offset": log.index(f"Loss 0.{n}".encode()), "line": f"Loss 0.{n}"} for n in (3, 2, 1)
    ]
    assert found["complete"]
    newest = ui.get(path, q="loss", limit=1)
    assert (newest["matches"], newest["complete"]) == (found["matches"][:1], False)
    older = ui.get(path, q="loss", limit=1, before=newest["next_before"])
    assert older["matches"] == found["matches"][1:2]
    assert ui.get(path, q="loss", ignore_case="false")["matches"] == []
    assert len(ui.get(f"{path}?q={quote('^épo [12]$')}&regex=true")["matches"]) == 2
    assert "q" in ui.call("GET", f"{path}?q=").error(400)
