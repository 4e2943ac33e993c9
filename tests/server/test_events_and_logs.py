"""`GET /events?log=…`: what changes and what is written to logs, over one connection."""

import asyncio
import json
from collections import defaultdict
from typing import Any, NamedTuple

import pytest

from jupyter_ra_jobs.states import RunStatus
from tests.server.conftest import UNKNOWN, Api, eventually
from tests.server.test_streams import data, next_block


class Event(NamedTuple):
    """An event, and the cursor behind it."""

    said: dict[str, Any]
    cursor: str


async def next_event(events: asyncio.StreamReader) -> Event:
    """The next one; each is followed by its cursor."""
    said, cursor = await next_block(events), await next_block(events)
    assert said.startswith(b"data: ")
    assert cursor.startswith(b"id: ")
    return Event(json.loads(said[6:]), cursor[4:].decode().strip())


async def next_of(events: asyncio.StreamReader, run_id: str) -> dict[str, Any]:
    """The next event of this run's log."""
    while (said := (await next_event(events)).said).get("run_id") != run_id:
        pass
    assert said.keys() == {"type", "run_id", "log"}
    assert said["type"] == "log"
    log: dict[str, Any] = said["log"]
    return log


def add(api: Api, run_id: str, text: str) -> None:
    """What a run prints."""
    with api.log(run_id).open("ab") as log:
        log.write(text.encode())


async def test_bytes_of_the_stream(api: Api) -> None:
    """The end of one log, another from a byte on, and a change; logs as their own streams tell of them."""
    a, b = await api.create_at("running"), await api.create_at("running")
    add(api, a, "žluťoučký\n")
    start = api.services.store.rev()
    async with api.stream(f"/events?log={a}&log={b}@0") as events:
        initial = {"type": "initial", "content": "žluťoučký\n", "offset": 0, "next_offset": 14}
        expected = f"id: {start},{b}@0\n\n".encode()
        expected += data({"type": "log", "run_id": a, "log": initial})
        expected += f"id: {start},{b}@0,{a}@14\n\n".encode()
        assert await events.readexactly(len(expected)) == expected
        add(api, b, "🐎")
        delta = {"type": "delta", "content": "🐎", "offset": 0, "next_offset": 4}
        expected = data({"type": "log", "run_id": b, "log": delta})
        expected += f"id: {start},{b}@4,{a}@14\n\n".encode()
        assert await events.readexactly(len(expected)) == expected
        run = await api.create()
        cursor = f"{start + 1},{b}@4,{a}@14"
        assert await next_event(events) == Event({"type": "run", "run": run}, cursor)


async def test_to_its_end(api: Api) -> None:
    """A log is done when its run has ended; the others and the changes go on."""
    a, b = await api.create_at("running"), await api.create_at("running")
    add(api, a, "last words")
    async with api.stream(f"/events?log={a}@5&log={b}@0") as events:
        await next_block(events)
        assert (await next_of(events, a))["content"] == "words"
        api.services.store.move(a, RunStatus.FAILED)
        assert await next_of(events, a) == {"type": "done", "status": "failed"}
        add(api, b, "more")
        assert (await next_of(events, b))["content"] == "more"
        run = await api.create()
        while (event := await next_event(events)).said.get("run") != run:
            pass
    async with api.stream(f"/events?log={a}&log={b}", **{"Last-Event-ID": event.cursor}) as events:
        await next_block(events)
        assert await next_of(events, a) == {"type": "done", "status": "failed"}


@pytest.mark.parametrize("offset", ["", "@0"])
async def test_log_that_is_none(api: Api, offset: str) -> None:
    """An error in its place; the others go on."""
    a, b = await api.create_at("running"), await api.create_at("running")
    api.log(a).mkdir()
    async with api.stream(f"/events?log={a}{offset}&log={b}@0") as events:
        await next_block(events)
        log = await next_of(events, a)
        assert (log.keys(), log["type"]) == ({"type", "error"}, "error")
        add(api, b, "more")
        assert (await next_of(events, b))["content"] == "more"


async def test_over_a_gap(api: Api) -> None:
    """Told as the log's own stream tells it; the cursor leads over it."""
    run_id = await api.create_at("finished")
    add(api, run_id, "head\n" + "x" * 1_000 + "tail\n")
    api.log(run_id).with_name("run.log.gap").write_text(json.dumps({"start": 5, "end": 1_005}))
    async with api.stream(f"/events?log={run_id}@5") as events:
        await next_block(events)
        event = await next_event(events)
        assert event.said["log"] == {"type": "gap", "offset": 5, "next_offset": 1_005}
        assert event.cursor.endswith(f",{run_id}@1005")
        assert (await next_of(events, run_id))["content"] == "tail\n"


async def test_coming_back(api: Api) -> None:
    """Whoever breaks off and comes back with the last cursor meets each byte and each change once."""
    a, b = await api.create_at("running"), await api.create_at("running")
    logs: dict[str, str] = defaultdict(str)
    changes: list[tuple[str, str]] = []
    cursor, written, made = str(api.services.store.rev()), "", []
    for n in range(12):
        written += f"{n} 🐎\n" * (n + 1)
        for run_id in (a, b):
            api.log(run_id).write_text(written)
        made += [(await api.create(name=f"{n}.{m}"))["name"] for m in range(2)]
        async with api.stream(f"/events?log={a}@0&log={b}@0", **{"Last-Event-ID": cursor}) as events:
            await next_block(events)
            for _ in range(n % 4 + 1):  # of four that there are, and more from before
                event, cursor = await next_event(events)
                if event["type"] == "log":
                    assert event["log"]["offset"] == len(logs[event["run_id"]].encode())
                    logs[event["run_id"]] += event["log"]["content"]
                else:
                    changes.append((event["type"], event["run"]["name"]))
    async with api.stream(f"/events?log={a}@0&log={b}@0", **{"Last-Event-ID": cursor}) as events:
        await next_block(events)
        while len(logs[a]) < len(written) or len(logs[b]) < len(written) or len(changes) < len(made):
            event, _ = await next_event(events)
            if event["type"] == "log":
                logs[event["run_id"]] += event["log"]["content"]
            else:
                changes.append((event["type"], event["run"]["name"]))
    assert logs == {a: written, b: written}
    assert changes == [("run", name) for name in made]


async def test_coming_back_for_another_log(api: Api) -> None:
    """Which logs are told of is the URL's word; the cursor counts for those that are in both."""
    a, b = await api.create_at("running"), await api.create_at("running")
    add(api, a, "a page")
    add(api, b, "another")
    cursor = f"{api.services.store.rev()},{b}@2,{UNKNOWN}@7"
    async with api.stream(f"/events?log={a}&log={b}@0", **{"Last-Event-ID": cursor}) as events:
        await next_block(events)
        told = [(await next_event(events)).said for _ in range(2)]
    assert {each["run_id"]: (each["log"]["type"], each["log"]["content"]) for each in told} == {
        a: ("initial", "a page"),
        b: ("delta", "other"),
    }
    async with api.stream("/events", **{"Last-Event-ID": cursor}) as events:
        assert await next_block(events) == f"id: {cursor.partition(',')[0]}\n\n".encode()


async def test_a_run_and_its_log(api: Api) -> None:
    """All that becomes of a run, from before its start, and every byte that it prints."""
    run = await api.create("for i in $(seq 3000); do echo line $i; done")
    content, statuses = "", []
    async with api.stream(f"/events?log={run['id']}@0") as events:
        await next_block(events)
        await api.post(f"/runs/{run['id']}/start")
        done = False
        while not done or statuses[-1:] != ["finished"]:
            event, _ = await next_event(events)
            if event["type"] == "run":
                statuses.append(event["run"]["status"])
            else:
                content += event["log"].get("content", "")
                done = event["log"]["type"] == "done"
    assert content == "".join(f"line {n + 1}\n" for n in range(3000))


async def test_takes_turns(api: Api) -> None:
    """A change comes amid a log of which there is more without end."""
    run_id = await api.create_at("running")
    size = 1 << 28
    with api.log(run_id).open("wb") as log:
        log.truncate(size)
    async with api.stream(f"/events?log={run_id}@0") as events:
        await next_block(events)
        reached = (await next_of(events, run_id))["next_offset"]
        run = await api.create()
        while (event := await next_event(events)).said["type"] == "log":
            reached = event.said["log"]["next_offset"]
    assert event.said["run"] == run
    assert reached < size
    assert event.cursor.endswith(f",{run_id}@{reached}")


async def test_a_slow_reader(api: Api) -> None:
    """Is sent no more than fits; then it is told everything, from all sides."""
    ids = [await api.create_at("finished") for _ in range(2)]
    for run_id in ids:
        with api.log(run_id).open("wb") as log:
            log.truncate(1 << 23)  # six times as much in JSON
    reached, done = dict.fromkeys(ids, 0), set()
    async with api.stream("/events?" + "&".join(f"log={run_id}@0" for run_id in ids)) as events:
        await eventually(lambda: events._paused, "nothing more is taken")  # type: ignore[attr-defined]
        run = await api.create()
        await next_block(events)
        changes = []
        while len(done) < 2 or not changes:
            event, cursor = await next_event(events)
            if event["type"] == "run":
                changes.append(event["run"])
            elif event["log"]["type"] == "done":
                done.add(event["run_id"])
            else:
                assert event["log"]["offset"] == reached[event["run_id"]]
                reached[event["run_id"]] = event["log"]["next_offset"]
                assert f"{event['run_id']}@{event['log']['next_offset']}" in cursor.split(",")
    assert reached == dict.fromkeys(ids, 1 << 23)
    assert changes == [run]


async def test_logs_that_are_refused(api: Api) -> None:
    """Said before anything is streamed."""
    run_id = await api.create_at("running")
    assert UNKNOWN in (await api.get(f"/events?log={run_id}&log={UNKNOWN}")).error(404)
    assert run_id in (await api.get(f"/events?log={run_id}&log={run_id}@5")).error(400)
    many = "&".join(f"log=run-{n}" for n in range(21))
    message = (await api.get(f"/events?{many}")).error(400)
    assert "log" in message
    assert "20" in message


class TestRoom:
    """Each log counts as one stream more."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """Room for the most logs that one may tell of."""
        return {"RaJobsApp": {"max_streams": 21}}

    async def test_of_many_logs(self, api: Api) -> None:
        """All twenty are told of, and nothing else may be meanwhile."""
        ids = [await api.create_at("finished") for _ in range(20)]
        for run_id in ids:
            add(api, run_id, run_id)
        async with api.stream("/events?" + "&".join(f"log={run_id}" for run_id in ids)) as events:
            await next_block(events)
            told = [(await next_event(events)).said for _ in range(40)]
            assert "21 streams are open" in (await api.call("GET", "/events")).error(503)
        assert {each["run_id"] for each in told if each["log"]["type"] == "done"} == {*ids}
        contents = {each["run_id"]: each["log"].get("content") for each in told if "content" in each["log"]}
        assert contents == {run_id: run_id for run_id in ids}


async def test_server_ends(api: Api) -> None:
    """The stream ends without a `done`: its reader comes back to the next one."""
    a, b = await api.create_at("running"), await api.create_at("running")
    async with api.stream(f"/events?log={a}&log={b}@0") as events:
        await next_block(events)
        await next_of(events, a)
        await api.services.close()
        assert await events.read() == b""


async def test_readers_that_leave(api: Api) -> None:
    """Nothing is left of them, neither of those who wait nor of one who takes nothing."""
    a, b = await api.create_at("running"), await api.create_at("running")
    with api.log(b).open("wb") as log:
        log.truncate(1 << 28)
    before = len(asyncio.all_tasks())
    for offset in (1 << 28, 0):
        for _ in range(5):
            async with api.stream(f"/events?log={a}&log={b}@{offset}") as events:
                await next_block(events)
                await next_of(events, a)
                assert len(asyncio.all_tasks()) > before
    await eventually(lambda: not api.services.log_watcher._waiting, "nobody follows")
    await eventually(lambda: len(asyncio.all_tasks()) <= before, "their tasks are gone")
