"""Whatever is sent: a clear 4xx in the contract's form, and the store as it was."""

import json
from typing import Any

import pytest

from tests.server.conftest import UNKNOWN, Api

BLANK = ["", " ", "\n\t", "\u2003"]
ENV = [{"X": 1}, {"": "x"}, {"A=B": "x"}, {"A B": "x"}, {"X": "a\0b"}, {"X": None}, {"X": "x" * 600_000}, []]
WRONG: dict[str, list[Any]] = {
    "name": [*BLANK, "x" * 501, "a\0b", None, 5, ["x"], {"x": 1}, True],
    "command": [*BLANK, "x" * 200_000, "é" * 70_000, "a\0b", None, 5, ["ls", "-l"]],
    "workdir": ["missing", "/missing/folder", "file", "file/below", "a\0b", " ", 5, ["/"]],
    "sweep_id": [UNKNOWN, 5, ""],
    "parent_run_id": [UNKNOWN, 5, ""],
    "origin_alert_id": [5, {}, "x" * 501],
    "chat_session_id": [5, [], "x" * 501],
    "auto_start": ["true", 1, None],
    "gpuwrap_config": ["x", [], 5, True],
    "env": ENV,
    "tags": ["x", [5], [""], [" "], ["x" * 101], ["a\0b"], [str(n) for n in range(101)], None],
    "notes": [5, "x" * 100_001, []],
    "timeout_seconds": [0, -1, "60", [], True],
}
# What the system says of these differs from "it isn't there".
WRONG["workdir"] += ["x" * 300, "x/" * 3000, "~nobody-of-this-name/x", "~/missing"]
NOT_JSON: dict[str, bytes] = {
    "words": b"hello",
    "half": b'{"name": "x", ',
    "two": b'{"name": "x", "command": "y"} {}',
    "not UTF-8": b'{"name": "\xff", "command": "y"}',
    "UTF-16": '{"name": "x", "command": "y"}'.encode("utf-16"),
    "NaN, and half a character": b'{"name": "\\ud83d", "command": "y", "notes": NaN}',
    "beyond all numbers": b'{"name": "x", "command": "y", "timeout_seconds": 1e999}',
    "half a character": b'{"name": "\\ud83d", "command": "y"}',
    "half a character, unescaped": b'{"name": "\xed\xa0\xbd", "command": "y"}',
    "a control character": b'{"name": "a\x01b", "command": "y"}',
    "very deep": b'{"name": "x", "gpuwrap_config": ' + b'{"x":' * 100_000 + b"1" + b"}" * 100_001,
    "form": b"name=x&command=y",
}


async def refused(api: Api, method: str, path: str, body: Any = None, status: int = 400) -> str:
    """Send it, and see that nothing has changed; what the error says."""
    was = (api.services.store.rev(), api.services.store.counts())
    answer = await api.call(method, path, body)
    assert answer.status == status, (method, path[:200], repr(body)[:200], answer.body[:500])
    message = answer.error(status)
    assert len(message) < 1_000
    assert (api.services.store.rev(), api.services.store.counts()) == was
    assert (await api.get("/runs")).status == 200
    return message


@pytest.mark.parametrize("field", WRONG)
async def test_create(api: Api, field: str) -> None:
    """The error names the field."""
    (api.services.layout.workdir / "file").touch()
    for value in WRONG[field]:
        body = {"name": "x", "command": "true", field: value}
        assert field in await refused(api, "POST", "/runs", body)
        assert field in await refused(api, "POST", "/runs", {"auto_start": True, **body})


@pytest.mark.parametrize("field", ["name", "command", "workdir", "tags", "notes"])
async def test_edit(api: Api, field: str) -> None:
    """The same when a run is changed; nothing else of the body comes through either."""
    (api.services.layout.workdir / "file").touch()
    run = await api.create()
    for value in WRONG[field]:
        body = {"name": "new", "notes": "new", field: value}
        assert field in await refused(api, "PUT", f"/runs/{run['id']}", body)
        assert await api.run(run["id"]) == run


async def test_rerun(api: Api) -> None:
    """And when it is run again, where no command means the same one."""
    run = await api.create()
    for field in ("command", "gpuwrap_config", "origin_alert_id", "auto_start"):
        for value in WRONG[field]:
            if (field, value) != ("command", None):
                assert field in await refused(api, "POST", f"/runs/{run['id']}/rerun", {field: value})


@pytest.mark.parametrize("missing", ["name", "command"])
async def test_missing(api: Api, missing: str) -> None:
    """What a run can't be without."""
    body = {"name": "x", "command": "true"}
    del body[missing]
    assert await refused(api, "POST", "/runs", body) == f"{missing}: is missing"
    assert "is missing" in await refused(api, "POST", "/runs", b"")


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
async def test_not_json(api: Api, body: bytes) -> None:
    """Refused by every route that takes a body."""
    run = await api.create()
    for method, path in (
        ("POST", "/runs"),
        ("PUT", f"/runs/{run['id']}"),
        ("POST", f"/runs/{run['id']}/rerun"),
        ("POST", f"/runs/{run['id']}/queue"),
        ("POST", f"/runs/{run['id']}/status"),
    ):
        assert "body" in await refused(api, method, path, body)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
async def test_no_number(api: Api, number: str) -> None:
    """What Python writes for these is no JSON; it counts as a text, where a number should be."""
    body = f'{{"name": "x", "command": "y", "timeout_seconds": {number}}}'.encode()
    assert "timeout_seconds: expected" in await refused(api, "POST", "/runs", body)


async def test_no_object(api: Api) -> None:
    """JSON, but no object."""
    for body in (b"[]", b'"x"', b"5", b"null", b"true", b'[{"name": "x", "command": "y"}]'):
        assert "must be a JSON object" in await refused(api, "POST", "/runs", body)


async def test_any_depth(api: Api) -> None:
    """What is nested so deep that it could not be read again is not taken in the first place."""
    for depth in (10, 90, 100, 300, *range(800, 1_010, 7), 2_000, 5_000):
        value = b'{"x":' * depth + b"1" + b"}" * depth
        answer = await api.call(
            "POST", "/runs", b'{"name": "x", "command": "y", "gpuwrap_config": ' + value + b"}"
        )
        assert answer.status in {200, 400}, (depth, answer.body)
        assert (await api.get("/runs")).status == 200, depth
        if answer.status == 200:
            assert (await api.post(f"/runs/{answer.json['id']}/rerun")).status == 200, depth
        else:
            assert "deep" in answer.error(400)


async def test_huge_body(api: Api) -> None:
    """413, before anything of it is looked at."""
    body = json.dumps({"name": "x", "command": "y", "other": "z" * 3_000_000}).encode()
    run = await api.create()
    for method, path in (("POST", "/runs"), ("PUT", f"/runs/{run['id']}")):
        assert "bytes" in await refused(api, method, path, body, status=413)


async def test_largest_command(api: Api) -> None:
    """The most that Linux hands a program is taken, and runs."""
    command = "true #" + "x" * (128 * 1024 - 1 - 6)
    run = await api.create(command, auto_start=True)
    assert (await api.ended(run["id"]))["status"] == "finished"
    await refused(api, "POST", "/runs", {"name": "x", "command": command + "x"})


LISTING = [
    "limit=0",
    "limit=-1",
    "limit=abc",
    "limit=",
    "limit=1.5",
    "limit=" + "9" * 5_000,
    "archived=maybe",
]
LISTING += ["status=sleeping", "status=", "status=ready,,queued", f"before={UNKNOWN}", "before=x"]
LISTING += ["q=%ff", f"q={'x' * 501}"]
PAGE = ["limit=0", "limit=-1", "limit=abc", "limit=", "offset=abc", "offset=1.5", "offset="]
SEARCH = ["q=", "limit=0&q=x", "before=-1&q=x", "regex=maybe&q=x", f"q={'x' * 1001}"]
LOGS = [
    "log=",
    "log=@5",
    "log=ID@",
    "log=ID@-1",
    "log=ID@x",
    "log=ID&log=ID@5",
    "log=a%20b",
    "log=ID@" + 20 * "1",
]
QUERIES = {
    "/runs": LISTING,
    "/runs/ID/logs": PAGE,
    "/runs/ID/sidecar-logs": PAGE,
    "/runs/ID/logs/stream": ["offset=-1", "offset=abc", "offset="],
    "/runs/ID/logs/search": SEARCH,
    "/events": ["since=abc", "since=-1", "since=", *LOGS],
}


@pytest.mark.parametrize("path", QUERIES)
async def test_query(api: Api, path: str) -> None:
    """What a query can't mean; the error names the parameter."""
    run = await api.create()
    api.log(run["id"]).write_text("text\n")
    for query in QUERIES[path]:
        message = await refused(api, "GET", f"{path}?{query}".replace("ID", run["id"]))
        assert query.partition("=")[0] in message


async def test_search_for_what_cannot_be(api: Api) -> None:
    """The error says what is wrong with the words or the pattern."""
    run_id = (await api.create())["id"]
    api.log(run_id).write_text("text\n")
    path = f"/runs/{run_id}/logs/search"
    assert "q: is missing" in await refused(api, "GET", path)
    assert "line" in await refused(api, "GET", f"{path}?q=a%0Ab")
    assert "unterminated" in await refused(api, "GET", f"{path}?regex=true&q=(")


async def test_cursor(api: Api) -> None:
    """A Last-Event-ID that none of our streams gave."""
    run = await api.create()
    for cursor in (f"{run['id']}@5", f"1,{run['id']}", f"1,{run['id']}@", "1,", "1,@2", "1" + ",a@1" * 21):
        path = f"/events?log={run['id']}"
        answer = await api.call("GET", path, headers={**api.login, "Last-Event-ID": cursor})
        assert "Last-Event-ID" in answer.error(400)
    for cursor in ("abc", "-1", "1.5", "9" * 5_000, "²"):
        for path in ("/events", f"/runs/{run['id']}/logs/stream"):
            answer = await api.call("GET", path, headers={**api.login, "Last-Event-ID": cursor})
            assert "Last-Event-ID" in answer.error(400)


STATUS: dict[str, list[Any]] = {
    "status": ["sleeping", "", None, 5, "ready", "queued", "launching"],
    "exit_code": ["0", 1.5, [], 10**30, -(10**30)],
    "error": [5, {}],
    "seq": [0, -1, "1", 1.5, 10**30],
    "signal": [5, "x" * 101],
    "tmux_pane": [5, "x" * 101],
    "wandb_dir": [5],
    "time": ["now"],
    "sidecar": ["x", {}, {"pid": "x"}],
}


@pytest.mark.parametrize("field", STATUS)
async def test_status(api: Api, field: str) -> None:
    """A report that can't be one."""
    run_id = await api.create_at("running")
    for value in STATUS[field]:
        body = {"status": "finished", field: value}
        assert field in await refused(api, "POST", f"/runs/{run_id}/status", body)
