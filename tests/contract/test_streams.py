"""Event streams, byte for byte, as the UI's own parser takes them."""

from typing import Any

import pytest

from tests.conftest import wait_for
from tests.contract.rows import row
from tests.contract.shapes import is_run
from tests.contract.ui import UI, UNKNOWN, events_in

MOST = 102_400
CHUNK = 65_536
DONE = {"type": "done", "status": "finished"}


def body(ui: UI, path: str, **headers: str) -> bytes:
    """A stream that ends, from its first byte to its last."""
    answer = ui.call("GET", path, **headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
    return answer.body


def events(ui: UI, path: str, **headers: str) -> list[dict[str, Any]]:
    """The events of a stream that ends."""
    return list(events_in(iter([body(ui, path, **headers)])))


@row("GET /runs/{id}/logs/stream")
def test_bytes(ui: UI) -> None:
    """One line of JSON for each event, alone in its block; the cursor in a block of its own."""
    run = ui.finished("printf 'prvn\\303\\255\\r\\n\\n'")
    assert (
        body(ui, f"/runs/{run['id']}/logs/stream")
        == (
            'data: {"type":"initial","content":"první\\r\\n\\n","offset":0,"next_offset":9}\n\n'
            "id: 9\n\n"
            'data: {"type":"done","status":"finished"}\n\n'
        ).encode()
    )
    ui.call("GET", f"/runs/{UNKNOWN}/logs/stream").error(404)
    ui.call("GET", f"/runs/{run['id']}/logs/stream?offset=-1").error(400)


def test_parser_of_the_ui(ui: UI) -> None:
    """Takes the events whole, wherever the network cuts the stream."""
    run = ui.finished("printf 'data: \\360\\237\\220\\216\\n\\ndata: {}\\n\\n\\342\\200\\250'")
    stream = body(ui, f"/runs/{run['id']}/logs/stream")
    content = "data: 🐎\n\ndata: {}\n\n\u2028"
    size = len(content.encode())
    expected = [{"type": "initial", "content": content, "offset": 0, "next_offset": size}, DONE]
    for length in (1, 2, 3, 7, len(stream)):
        chunks = [stream[at : at + length] for at in range(0, len(stream), length)]
        assert list(events_in(iter(chunks))) == expected
    assert [block[:4] for block in stream.split(b"\n\n")] == [b"data", b"id: ", b"data", b""]


def test_as_it_comes(ui: UI) -> None:
    """An `initial`, a `delta` for what is written then, `done`, and the end."""
    run = ui.create("echo one; read line; echo two", auto_start=True)
    wait_for(lambda: ui.get(f"/runs/{run['id']}/logs")["content"] == "one\n")
    with ui.stream(f"/runs/{run['id']}/logs/stream") as stream:
        assert next(stream) == {"type": "initial", "content": "one\n", "offset": 0, "next_offset": 4}
        keys = ui.server.world.tmux("send-keys", "-t", f"research-agent:ra-job-{run['id']}", "Enter")
        assert keys.returncode == 0
        rest = list(stream)
    *deltas, done = rest
    assert done == DONE
    assert all(delta.keys() == {"type", "content", "offset", "next_offset"} for delta in deltas)
    assert {delta["type"] for delta in deltas} == {"delta"}
    assert deltas[0]["offset"] == 4
    assert "".join(delta["content"] for delta in deltas).endswith("two\n")


@pytest.fixture(scope="module")
def long_run(ui: UI) -> tuple[str, str]:
    """A run of some 400 KB of output, in characters of one byte to four; its id and its output."""
    text = "".join(f"{n} žluť → 🐎\n" for n in range(20_000))
    path = ui.server.world.root / "long"
    path.write_bytes(text.encode())
    return ui.finished(f"cat {path}")["id"], text


def test_begins_with_the_end(ui: UI, long_run: tuple[str, str]) -> None:
    """At most the last 100 KB."""
    run_id, text = long_run
    initial, done = events(ui, f"/runs/{run_id}/logs/stream")
    size = len(text.encode())
    assert (initial["next_offset"], done) == (size, DONE)
    assert size - MOST <= initial["offset"] <= size - MOST + 3
    assert initial["content"].encode() == text.encode()[initial["offset"] :]


@pytest.mark.parametrize("how", ["offset", "Last-Event-ID", "both"])
def test_resume(ui: UI, long_run: tuple[str, str], how: str) -> None:
    """From there on, without gap or repeat, in deltas of at most 64 KB; the browser's word counts more."""
    run_id, text = long_run
    cursor = len("0 žluť → 🐎\n".encode())
    query = {"offset": f"?offset={cursor}", "both": "?offset=1"}.get(how, "")
    headers = {} if how == "offset" else {"Last-Event-ID": str(cursor)}
    *deltas, done = events(ui, f"/runs/{run_id}/logs/stream{query}", **headers)
    assert done == DONE
    assert "".join(delta["content"] for delta in deltas) == text.partition("\n")[2]
    for delta in deltas:
        assert (delta["type"], delta["offset"]) == ("delta", cursor)
        assert len(delta["content"].encode()) <= CHUNK + 3
        cursor = delta["next_offset"]
    assert cursor == len(text.encode())


def test_error(ui: UI) -> None:
    """An event that says what is wrong, and the end."""
    run = ui.finished()
    log = ui.server.run_dir(run["id"]) / "run.log"
    log.unlink(missing_ok=True)
    log.mkdir()
    told = events(ui, f"/runs/{run['id']}/logs/stream?offset=0")
    assert [event.keys() for event in told] == [{"type", "error"}]
    assert told[0]["type"] == "error"


@row("GET /runs/{id}/sidecar-logs/stream")
def test_sidecar_log(ui: UI) -> None:
    """The same for the sidecar's own story."""
    run = ui.finished()
    initial, done = events(ui, f"/runs/{run['id']}/sidecar-logs/stream")
    assert (initial["type"], initial["offset"], done) == ("initial", 0, DONE)
    assert "the run ended" in initial["content"]
    assert initial["next_offset"] == len(initial["content"].encode())


@row("GET /events")
def test_changes(ui: UI) -> None:
    """Each run that changes, as a Run; who comes back with the cursor has missed nothing."""
    with ui.stream("/events?since=0") as stream:
        run = ui.finished()
        told: list[dict[str, Any]] = []
        while not told or told[-1]["run"]["status"] != "finished":
            event = next(stream)
            told += [event] if event["type"] == "run" and event["run"]["id"] == run["id"] else []
    assert all(event.keys() == {"type", "run"} and is_run(event["run"]) for event in told)
    assert told[-1]["run"] == run
    ui.call("GET", "/events?since=-1").error(400)
