"""Event streams, byte for byte: logs as they grow, and what changes."""

import asyncio
import json
from typing import Any

import msgspec
import psutil
import pytest

from jupyter_ra_jobs.states import RunStatus
from tests.server.conftest import Api, eventually

MOST = 102_400
CHUNK = 65_536


def data(event: dict[str, Any]) -> bytes:
    """An event as the contract has it: one line, alone in its block."""
    return b"data: " + msgspec.json.encode(event) + b"\n\n"


async def next_block(events: asyncio.StreamReader) -> bytes:
    """The next block that is no sign of life."""
    while (block := await events.readuntil(b"\n\n")).startswith(b":"):
        pass
    return block


async def next_event(events: asyncio.StreamReader) -> tuple[dict[str, Any], int | None]:
    """The next event, and the cursor behind it if there is one."""
    block = await next_block(events)
    assert block.startswith(b"data: ")
    assert block.count(b"\n") == 2
    event: dict[str, Any] = json.loads(block[6:])
    if event["type"] in {"done", "error"}:
        return event, None
    cursor = await next_block(events)
    assert cursor == f"id: {int(cursor[4:])}\n\n".encode()
    return event, int(cursor[4:])


async def test_bytes_of_a_stream(api: Api) -> None:
    """All of it, from the first byte to the last, as the existing UI reads it."""
    run_id = await api.create_at("running")
    api.log(run_id).write_bytes("první\r\n".encode())
    async with api.stream(f"/runs/{run_id}/logs/stream") as events:
        first = (
            data({"type": "initial", "content": "první\r\n", "offset": 0, "next_offset": 8}) + b"id: 8\n\n"
        )
        assert await events.readexactly(len(first)) == first
        with api.log(run_id).open("ab") as log:
            log.write("\n🐎 \u2028\x00\x1b[1m".encode())
        delta = {"type": "delta", "content": "\n🐎 \u2028\x00\x1b[1m", "offset": 8, "next_offset": 22}
        second = data(delta) + b"id: 22\n\n"
        assert await events.readexactly(len(second)) == second
        api.services.store.move(run_id, RunStatus.FINISHED)
        assert await events.read() == data({"type": "done", "status": "finished"})


@pytest.mark.parametrize("status", ["finished", "failed", "stopped"])
async def test_of_one_that_has_ended(api: Api, status: str) -> None:
    """What there is, and the end."""
    run_id = await api.create_at(status)
    api.log(run_id).write_text("all\n")
    answer = await api.get(f"/runs/{run_id}/logs/stream")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-cache"
    initial = {"type": "initial", "content": "all\n", "offset": 0, "next_offset": 4}
    assert answer.body == data(initial) + b"id: 4\n\n" + data({"type": "done", "status": status})


async def test_before_there_is_a_log(api: Api) -> None:
    """It waits for the run's first byte."""
    run = await api.create("echo hello; read line")
    async with api.stream(f"/runs/{run['id']}/logs/stream") as events:
        assert await next_event(events) == (
            {"type": "initial", "content": "", "offset": 0, "next_offset": 0},
            0,
        )
        await api.post(f"/runs/{run['id']}/start")
        event, cursor = await next_event(events)
        assert (event["type"], event["content"], cursor) == ("delta", "hello\n", 6)
        await api.post(f"/runs/{run['id']}/stop")
        *_, last = (await events.read()).split(b"data: ")
        assert json.loads(last) == {"type": "done", "status": "stopped"}


async def test_begins_with_the_end(api: Api) -> None:
    """Of a long log at most the last 100 KB, and no half character."""
    run_id = await api.create_at("running")
    api.log(run_id).write_bytes("é".encode() * 200_000 + b"x")
    async with api.stream(f"/runs/{run_id}/logs/stream") as events:
        event, cursor = await next_event(events)
        assert (event["offset"], cursor) == (400_002 - MOST, 400_001)
        assert event["content"] == "é" * (MOST // 2 - 1) + "x"


@pytest.mark.parametrize("header", [False, True])
async def test_from_an_offset(api: Api, header: bool) -> None:
    """Everything from there on, in deltas of at most 64 KB, without gap or repeat."""
    run_id = await api.create_at("finished")
    text = "".join(f"{n} žluťoučký 🐎\n" for n in range(10_000))
    api.log(run_id).write_bytes(text.encode())
    start = len("0 žluťoučký 🐎\n".encode())
    query, headers = ("?offset=5", {"Last-Event-ID": str(start)}) if header else (f"?offset={start}", {})
    async with api.stream(f"/runs/{run_id}/logs/stream{query}", **headers) as events:
        content, cursor = "", start
        event, after = await next_event(events)
        while event["type"] != "done":
            assert event.keys() == {"type", "content", "offset", "next_offset"}
            assert (event["type"], event["offset"]) == ("delta", cursor)
            assert len(event["content"].encode()) <= CHUNK + 3
            assert after == event["next_offset"]
            content, cursor = content + event["content"], event["next_offset"]
            event, after = await next_event(events)
        assert await events.read() == b""
    assert content == text.partition("\n")[2]
    assert cursor == len(text.encode())


async def test_reading_on_at_any_cursor(api: Api) -> None:
    """Whoever leaves and comes back with the last cursor has met each byte once, as the log grows."""
    run_id = await api.create_at("running")
    content, cursor, written = "", 0, ""
    for n in range(12):
        written += f"{n} 🐎\n" * (n + 1)
        api.log(run_id).write_text(written)
        async with api.stream(f"/runs/{run_id}/logs/stream?offset={cursor}") as events:
            event, after = await next_event(events)
            assert after is not None
            content, cursor = content + event["content"], after
    assert content == written


async def test_over_a_gap(api: Api) -> None:
    """An event of its own for what was given back to the disk; the cursors lead over it."""
    run_id = await api.create_at("finished")
    api.log(run_id).write_bytes(b"head\n" + bytes(CHUNK) + b"tail\n")
    start, end = 5, 5 + CHUNK
    api.log(run_id).with_name("run.log.gap").write_text(json.dumps({"start": start, "end": end}))
    head = {"type": "delta", "content": "head\n", "offset": 0, "next_offset": start}
    gap = {"type": "gap", "offset": start, "next_offset": end}
    tail = {"type": "delta", "content": "tail\n", "offset": end, "next_offset": end + 5}
    done = {"type": "done", "status": "finished"}
    expected = b"".join(
        data(each) + b"id: %d\n\n" % each["next_offset"] for each in (head, gap, tail)
    ) + data(done)
    assert (await api.get(f"/runs/{run_id}/logs/stream?offset=0")).body == expected
    from_inside = (await api.get(f"/runs/{run_id}/logs/stream?offset=100")).body
    assert from_inside.startswith(data({**gap, "offset": 100}) + b"id: %d\n\n" % end + data(tail))
    whole = {
        "content": "head\ntail\n",
        "offset": 0,
        "next_offset": end + 5,
        "gap": {"start": start, "end": end},
    }
    initial = data({"type": "initial", **whole}) + b"id: %d\n\n" % (end + 5)
    assert (await api.get(f"/runs/{run_id}/logs/stream")).body == initial + data(done)


async def test_offset_beyond_the_end(api: Api) -> None:
    """There is no more, and that is no error."""
    run_id = await api.create_at("finished")
    api.log(run_id).write_text("all\n")
    answer = await api.get(f"/runs/{run_id}/logs/stream?offset=99")
    assert answer.body.endswith(data({"type": "done", "status": "finished"}))
    assert b"all" not in answer.body


async def test_many_readers(api: Api) -> None:
    """Each is given everything, whenever it came."""
    run = await api.create("for i in $(seq 300); do echo line $i; done; read line; echo end", auto_start=True)
    path = f"/runs/{run['id']}/logs/stream"

    async def read(offset: int) -> str:
        async with api.stream(f"{path}?offset={offset}") as events:
            content = ""
            while (event := (await next_event(events))[0])["type"] != "done":
                content += event["content"]
            return content

    readers = [asyncio.ensure_future(read(0)) for _ in range(30)]
    await eventually(lambda: api.log(run["id"]).exists() and b"line 300\n" in api.log(run["id"]).read_bytes())
    readers += [asyncio.ensure_future(read(n)) for n in range(30)]
    await api.until(run["id"], "running")
    await api.post(f"/runs/{run['id']}/stop")
    read_by_all = await asyncio.gather(*readers)
    whole = api.log(run["id"]).read_text()
    assert read_by_all == [whole] * 30 + [whole[n:] for n in range(30)]


async def test_sidecar_log(api: Api) -> None:
    """The same for the sidecar's own story."""
    run = await api.create("true", auto_start=True)
    body = (await api.get(f"/runs/{run['id']}/sidecar-logs/stream?offset=0")).body
    assert b"runs the command as" in body
    assert body.endswith(data({"type": "done", "status": "finished"}))


async def test_log_that_is_none(api: Api) -> None:
    """An error event, and the end of the stream."""
    run_id = await api.create_at("running")
    api.log(run_id).mkdir()
    async with api.stream(f"/runs/{run_id}/logs/stream?offset=0") as events:
        event, _ = await next_event(events)
        assert event.keys() == {"type", "error"}
        assert event["type"] == "error"
        assert await events.read() == b""
    (await api.get(f"/runs/{run_id}/logs/stream")).error(404)


async def test_server_ends(api: Api) -> None:
    """A stream that is cut by the server's end has no `done`: its reader comes back to the next one."""
    run_id = await api.create_at("running")
    async with api.stream(f"/runs/{run_id}/logs/stream") as log, api.stream("/events") as events:
        await next_event(log)
        await next_block(events)
        await api.services.close()
        assert await log.read() == b""
        assert await events.read() == b""


async def test_readers_that_leave(api: Api) -> None:
    """Nothing is left of them, even where nothing more is ever sent."""
    run_id = await api.create_at("running")
    before = len(asyncio.all_tasks())
    for _ in range(10):
        async with api.stream(f"/runs/{run_id}/logs/stream") as log, api.stream("/events") as events:
            await next_event(log)
            await next_block(events)
            assert len(asyncio.all_tasks()) > before
    await eventually(lambda: len(asyncio.all_tasks()) <= before, "their tasks are gone")


class TestLongSearch:
    """A search that would take for ever."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """So long that no test waits for it."""
        return {"RaJobsApp": {"log_search_seconds": 1_000}}

    async def test_ends_with_its_reader(self, api: Api) -> None:
        """Nobody waits for the answer any more: nothing goes on searching."""
        run_id = await api.create_at("finished")
        with api.log(run_id).open("wb") as log:
            log.truncate(1 << 40)

        def workers() -> list[psutil.Process]:
            children = psutil.Process().children()
            return [each for each in children if any("_search_worker" in part for part in each.cmdline())]

        _, writer = await api.send(f"/runs/{run_id}/logs/search?q=nothing", {})
        await eventually(workers, "a worker searches")
        writer.close()
        await eventually(lambda: not workers(), "the worker is gone")


async def test_changes(api: Api) -> None:
    """`/events` tells of each run that changed, as it is then; the cursor comes first, and behind each."""
    await api.create()
    async with api.stream("/events") as events:
        start = api.services.store.rev()
        assert await next_block(events) == f"id: {start}\n\n".encode()
        run = await api.create(name="new")
        assert await next_event(events) == ({"type": "run", "run": run}, start + 1)
        archived = (await api.post(f"/runs/{run['id']}/archive")).json["run"]
        assert await next_event(events) == ({"type": "run", "run": archived}, start + 2)


async def test_a_run_on_the_stream(api: Api) -> None:
    """From its creation to its end, never backwards."""
    async with api.stream("/events") as events:
        await next_block(events)
        run = await api.create("exit 3", auto_start=True)
        seen: list[dict[str, Any]] = []
        while not seen or seen[-1]["status"] != "failed":
            event, _ = await next_event(events)
            assert event["run"]["id"] == run["id"]
            seen.append(event["run"])
    order = [status.value for status in RunStatus]
    places = [order.index(each["status"]) for each in seen]
    assert places == sorted(places)
    assert seen[-1] == await api.run(run["id"])


@pytest.mark.parametrize("header", [False, True])
async def test_changes_meanwhile(api: Api, header: bool) -> None:
    """Who comes back with a cursor gets every run that changed since, once."""
    first, second = await api.create(), await api.create()
    cursor = api.services.store.rev()
    for name in ("a", "b", "c"):
        await api.put(f"/runs/{first['id']}", name=name)
    await api.post(f"/runs/{second['id']}/archive")
    query, headers = ("?since=1", {"Last-Event-ID": str(cursor)}) if header else (f"?since={cursor}", {})
    async with api.stream(f"/events{query}", **headers) as events:
        assert await next_block(events) == f"id: {cursor}\n\n".encode()
        told = [await next_event(events) for _ in range(2)]
        assert [(event["run"]["id"], event["run"]["name"]) for event, _ in told] == [
            (first["id"], "c"),
            (second["id"], "test"),
        ]
        assert told[-1][1] == api.services.store.rev()
        third = await api.create()
        assert (await next_event(events))[0]["run"] == third


async def test_cursor_of_another_store(api: Api) -> None:
    """One that was never given, of a store that is gone perhaps: from now on."""
    await api.create()
    async with api.stream("/events?since=99999") as events:
        assert await next_block(events) == b"id: 1\n\n"
        run = await api.create()
        assert (await next_event(events))[0]["run"] == run


async def test_missed_too_much(api: Api) -> None:
    """A reader that was away for long is told to list afresh."""
    run = await api.create()
    with api.services.store.transaction():
        for n in range(1_100):
            api.services.store.change(run["id"], notes=str(n))
    async with api.stream("/events?since=0") as events:
        assert await next_block(events) == data({"type": "reset"})
        assert await next_block(events) == f"id: {api.services.store.rev()}\n\n".encode()
