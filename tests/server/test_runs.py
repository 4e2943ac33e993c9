"""Creating, reading, listing and editing runs, in the contract's shapes."""

import re
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.conftest import World
from tests.server.conftest import UNKNOWN, Answer, Api
from tests.unit.records import make_run, make_sweep

# The contract's fields: those that are always there, and null when there is nothing to say,
FILLED = {"id", "name", "command", "workdir", "status", "is_archived", "created_at", "run_dir", "tags"}
NULL_AT_FIRST = {
    "parent_run_id",
    "origin_alert_id",
    "sweep_id",
    "sweep_params",
    "chat_session_id",
    "tmux_window",
    "tmux_pane",
    "exit_code",
    "error",
    "wandb_dir",
    "gpuwrap_config",
    "signal",
    "progress",
    "attach_command",
    "queue_position",
    "notes",
}
ALWAYS = FILLED | NULL_AT_FIRST
# and those that are there once they are known.
KNOWN_LATER = {
    "archived_at",
    "queued_at",
    "launched_at",
    "started_at",
    "ended_at",
    "stopped_at",
    "stop_requested_at",
}


async def test_new_run(api: Api, world: World) -> None:
    """`ready`, with every field of the contract and no other."""
    before = time.time()
    run = (await api.post("/runs", name="a name", command="echo hello")).json
    assert run.keys() == ALWAYS
    assert re.fullmatch(r"[0-9a-f]{12}", run["id"])
    assert before <= run["created_at"] <= time.time()
    assert (run["name"], run["command"], run["status"]) == ("a name", "echo hello", "ready")
    assert (run["is_archived"], run["tags"]) == (False, [])
    assert run["workdir"] == str(world.workdir)
    assert run["run_dir"] == str(world.workdir / ".agents" / "runs" / run["id"])
    assert {name for name, value in run.items() if value is None} == NULL_AT_FIRST
    assert await api.run(run["id"]) == run
    assert (await api.get("/runs")).json == [run]


async def test_all_fields(api: Api, world: World) -> None:
    """What a caller says is kept as it was said."""
    (world.workdir / "a 'folder' ü").mkdir()
    parent = await api.create()
    given = {
        "name": " name with spaces, ünï, 🙂 and\nnewline ",
        "command": "--dash \"$X\" 'q' # end",
        "parent_run_id": parent["id"],
        "origin_alert_id": "alert",
        "chat_session_id": "chat",
        "gpuwrap_config": {"a": {"b": [1, None, "c"]}},
        "tags": ["one", "two words"],
        "notes": "some\nlines",
        "timeout_seconds": 12.5,
    }
    answer = await api.post(
        "/runs", **given, workdir="a 'folder' ü", env={"SECRET": "hunter2"}, auto_start=False
    )
    assert answer.status == 200
    assert answer.json == {
        **answer.json,
        **given,
        "workdir": str(world.workdir / "a 'folder' ü"),
    }
    assert answer.json.keys() == ALWAYS | {"timeout_seconds"}
    assert b"hunter2" not in answer.body + (await api.get("/runs")).body
    assert api.services.store.env(answer.json["id"]) == {"SECRET": "hunter2"}


async def test_known_later(api: Api) -> None:
    """Times are there once they are known, and then they are numbers."""
    run_id = await api.create_at("stopped")
    run = (await api.post(f"/runs/{run_id}/archive")).json["run"]
    assert run.keys() == ALWAYS | KNOWN_LATER - {"queued_at", "stop_requested_at"}
    assert all(isinstance(run[name], float) for name in KNOWN_LATER - {"queued_at", "stop_requested_at"})


async def test_fields_of_a_newer_ui(api: Api) -> None:
    """What we don't know breaks nothing, and is named."""
    answer = await api.post("/runs", name="x", command="y", zeta=1, alpha={"deep": []})
    assert answer.status == 200
    assert answer.headers["X-RA-Ignored-Fields"] == "alpha, zeta"
    run_id = answer.json["id"]
    assert (await api.put(f"/runs/{run_id}", status="finished")).headers["X-RA-Ignored-Fields"] == "status"
    assert (await api.post(f"/runs/{run_id}/queue", why="x")).headers["X-RA-Ignored-Fields"] == "why"
    strange = await api.call("POST", "/runs", {"name": "x", "command": "y", "\r\nSet-Cookie: ü": 1})
    assert strange.headers["X-RA-Ignored-Fields"] == "?"
    assert "X-RA-Ignored-Fields" not in (await api.post("/runs", name="x", command="y")).headers
    assert (await api.get("/runs", unknown=1)).status == 200


async def test_edit(api: Api, world: World) -> None:
    """What the body names changes, all else stays."""
    run = await api.create(tags=["old"], notes="old")
    (world.workdir / "sub").mkdir()
    changes = {"name": "new", "command": "false", "tags": ["b", "a", "b"], "notes": None}
    answer = await api.put(f"/runs/{run['id']}", **changes, workdir="sub")
    assert answer.json == {**run, **changes, "tags": ["b", "a"], "workdir": str(world.workdir / "sub")}
    assert await api.run(run["id"]) == answer.json
    assert (await api.put(f"/runs/{run['id']}")).json == answer.json


@pytest.mark.parametrize("status", ["launching", "running"])
async def test_edit_while_active(api: Api, status: str) -> None:
    """Command and workdir are what is running: 409. A name, tags and notes are not."""
    run_id = await api.create_at(status)
    was = await api.run(run_id)
    for change in ({"command": "other"}, {"workdir": "/"}, {"name": "new", "command": "other"}):
        assert status in (await api.put(f"/runs/{run_id}", **change)).error(409)
        assert await api.run(run_id) == was
    changed = {"name": "new", "tags": ["t"], "notes": "n"}
    assert (await api.put(f"/runs/{run_id}", **changed)).json == {**was, **changed}


@pytest.mark.parametrize("status", ["ready", "queued", "finished", "failed", "stopped"])
async def test_edit_else(api: Api, status: str) -> None:
    """Nothing runs, so all may change."""
    run_id = await api.create_at(status)
    assert (await api.put(f"/runs/{run_id}", command="other", workdir="/")).json["command"] == "other"


async def test_unknown_run(api: Api) -> None:
    """404 on every route of a run, and its id in the message."""
    for path in ("", "/logs", "/logs/stream", "/logs/download", "/logs/search?q=x", "/sidecar-logs"):
        assert UNKNOWN in (await api.get(f"/runs/{UNKNOWN}{path}")).error(404)
    for verb in ("queue", "start", "stop", "rerun", "archive", "unarchive"):
        assert UNKNOWN in (await api.post(f"/runs/{UNKNOWN}/{verb}")).error(404)
    assert UNKNOWN in (await api.put(f"/runs/{UNKNOWN}", name="x")).error(404)
    assert UNKNOWN in (await api.post(f"/runs/{UNKNOWN}/status", status="running")).error(404)


async def names(api: Api, **query: Any) -> list[str]:
    """The names that a listing shows."""
    answer = await api.get("/runs", **query)
    assert answer.status == 200, answer.body
    return [run["name"] for run in answer.json]


async def test_filters(api: Api) -> None:
    """Each alone, and together."""
    for n, status in enumerate(["ready", "queued", "running", "finished", "ready"]):
        await api.create_at(status, name=f"run {n}", command=f"echo {n * 11}")
    newest = (await api.get("/runs")).json[0]
    await api.post(f"/runs/{newest['id']}/archive")
    assert await names(api) == ["run 3", "run 2", "run 1", "run 0"]
    assert await names(api, archived="false") == await names(api)
    assert await names(api, archived="true") == ["run 4", "run 3", "run 2", "run 1", "run 0"]
    assert await names(api, status="ready") == ["run 0"]
    assert await names(api, status="ready,finished") == ["run 3", "run 0"]
    assert await names(api, status="ready", archived="true") == ["run 4", "run 0"]
    assert await names(api, q="RUN 2") == ["run 2"]
    assert await names(api, q="33") == ["run 3"]
    assert await names(api, q="%") == []
    assert await names(api, q="run", status="ready", archived="true", limit=1) == ["run 4"]
    assert await names(api, sweep_id="none") == []
    assert await names(api, limit=2) == ["run 3", "run 2"]
    assert await names(api, limit=10**9) == await names(api)


async def test_sweep_of_a_run(api: Api) -> None:
    """A run can be made in a sweep that is there, and listed by it."""
    sweep = make_sweep()
    api.services.store.sweeps.add(sweep)
    inside = await api.create(name="inside", sweep_id=sweep.id)
    await api.create(name="outside")
    assert inside["sweep_id"] == sweep.id
    assert await names(api, sweep_id=sweep.id) == ["inside"]


def next_path(api: Api, answer: Answer) -> str | None:
    """Where the next page is, as the Link header says."""
    link = answer.headers.get("Link")
    if link is None:
        return None
    found = re.fullmatch(r'<([^>]+)>; rel="next"', link)
    assert found, link
    url = urlsplit(found[1])
    assert url.path == f"{api.prefix}/runs"
    return f"/runs?{url.query}"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"archived": "true"},
        {"status": "ready,queued"},
        {"q": "a & b=ü "},
        {"q": "echo", "status": "queued"},
    ],
    ids=str,
)
async def test_walk(api: Api, query: dict[str, str]) -> None:
    """From page to page by the Link header, every run that fits is met once, also while new ones come."""
    for n in range(14):
        status = ("ready", "queued", "finished")[n % 3]
        run_id = await api.create_at(status, name=f"a & b=ü{' ' * (n % 2)}{n}", command="echo")
        if n % 5 == 0:
            await api.post(f"/runs/{run_id}/archive")
    for limit in (1, 2, 7, 14):
        expected = await names(api, **query, limit=1000)
        assert expected
        met: list[str] = []
        path: str | None = "/runs?" + urlencode({**query, "limit": limit})
        while path:
            answer = await api.get(path)
            assert 0 < len(answer.json) <= limit
            met += [run["name"] for run in answer.json]
            path = next_path(api, answer)
            await api.create("echo", name=f"came meanwhile: a & b=ü {len(met)}")
        assert met == expected


async def test_long_commands(api: Api) -> None:
    """A page of them ends before it is too large for the server, and the next one goes on there."""
    command = "true #" + "x" * 120_000
    for n in range(100):
        api.services.store.add(make_run(name=str(n), command=command))
    met: list[str] = []
    path: str | None = "/runs?limit=1000"
    pages = 0
    while path:
        answer = await api.get(path)
        assert len(answer.body) < 10_000_000
        met += [run["name"] for run in answer.json]
        path, pages = next_path(api, answer), pages + 1
    assert met == [str(n) for n in reversed(range(100))]
    assert pages == 2
