"""`POST /runs/{id}/status`: who may report, and what a report does."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_ra_jobs_sidecar import procs

from jupyter_ra_jobs.launcher import hash_token
from tests.server.conftest import UNKNOWN, Api

SIDECAR = {"pid": 1, "pid_start": 2, "pgid": 3, "pgid_start": 4, "boot_id": "boot"}


async def launched(api: Api, token: str, status: str = "launching") -> str:
    """A run whose sidecar would have this token."""
    run_id = await api.create_at(status)
    api.services.store.change(run_id, token_hash=hash_token(token))
    return run_id


async def report(api: Api, run_id: str, token: str | None = None, **body: Any) -> str:
    """Report as the sidecar does, or, with no token, as somebody who is logged in; what the server says."""
    headers = api.login if token is None else {"X-RA-Run-Token": token}
    answer = await api.call("POST", f"/runs/{run_id}/status", body, headers)
    assert answer.status == 200, answer.body
    assert answer.json.keys() == {"message"}
    return str(answer.json["message"])


def spool(api: Api, run_id: str) -> Path:
    """Where the sidecar writes down what happens."""
    path: Path = api.services.layout.spool(run_id)
    path.parent.mkdir(exist_ok=True)
    return path


def line(seq: int, status: str, **details: Any) -> bytes:
    """An event as the sidecar spools it."""
    return json.dumps({"seq": seq, "time": 1000.0 + seq, "status": status, **details}).encode() + b"\n"


async def test_run_token(api: Api) -> None:
    """Is enough, for reports of its own run."""
    run_id = await launched(api, "secret")
    assert await report(api, run_id, "secret", status="running", seq=1, time=50.0) == "Noted"
    run = await api.run(run_id)
    assert (run["status"], run["started_at"]) == ("running", 50.0)


async def test_token_of_another_run(api: Api) -> None:
    """Is none here; nor is anything else, nor any for a run that was never launched."""
    mine, other = await launched(api, "mine"), await launched(api, "other")
    never = (await api.create())["id"]
    rev = api.services.store.rev()
    for run_id, token in (
        (mine, "other"),
        (mine, ""),
        (mine, hash_token("mine")),
        (never, ""),
        (UNKNOWN, "mine"),
    ):
        answer = await api.call(
            "POST", f"/runs/{run_id}/status", {"status": "running", "seq": 1}, {"X-RA-Run-Token": token}
        )
        answer.error(403)
    assert api.services.store.rev() == rev
    assert await report(api, other, "other", status="running", seq=1) == "Noted"


async def test_token_stays_secret(api: Api) -> None:
    """It is in spec.json alone: not in listings, logs, events, nor in the store, which has its hash."""
    run = await api.create("env; cat /proc/self/cmdline", auto_start=True, env={"X": "shown"})
    await api.ended(run["id"])
    token = json.loads((api.services.layout.run_dir(run["id"]) / "spec.json").read_text())["token"]
    assert len(token) >= 43  # 32 random bytes
    seen = b""
    for path in (
        "/runs",
        f"/runs/{run['id']}",
        f"/runs/{run['id']}/logs?limit=100000",
        f"/runs/{run['id']}/sidecar-logs",
    ):
        seen += (await api.get(path)).body
    assert b"X=shown" in seen
    async with api.stream("/events?since=0") as events:
        seen += await events.readuntil(b"data: ") + await events.readuntil(b"\n\n")
    for file in api.services.layout.data.rglob("*"):
        if file.is_file() and file.name != "spec.json":
            seen += file.read_bytes()
    assert token.encode() not in seen
    assert hash_token(token) == api.services.store.token_hash(run["id"])
    again = (await api.post(f"/runs/{run['id']}/rerun", auto_start=True)).json["id"]
    assert api.services.store.token_hash(again) != hash_token(token)
    await api.ended(again)


async def test_plain_body(api: Api) -> None:
    """As the contract has it, from who is logged in: no seq, and every field is kept."""
    run_id = await api.create_at("launching")
    assert await report(api, run_id, status="running", tmux_pane="%7", wandb_dir="/w") == "Noted"
    assert await report(api, run_id, status="running", wandb_dir="/wandb") == "Noted"
    run = await api.run(run_id)
    assert (run["status"], run["tmux_pane"], run["wandb_dir"]) == ("running", "%7", "/wandb")
    assert await report(api, run_id, status="failed", exit_code=2, error="why", later="x") == "Noted"
    run = await api.run(run_id)
    assert (run["status"], run["exit_code"], run["error"]) == ("failed", 2, "why")
    assert run["ended_at"] >= run["started_at"]


@pytest.mark.parametrize(
    ("status", "reported"), [("ready", "running"), ("ready", "finished"), ("queued", "running")]
)
async def test_what_the_table_forbids(api: Api, status: str, reported: str) -> None:
    """Nobody reports a run into a status that it can't have: 409, unchanged."""
    run_id = await api.create_at(status)
    was = await api.run(run_id)
    answer = await api.post(f"/runs/{run_id}/status", status=reported, exit_code=0)
    assert status in answer.error(409)
    assert await api.run(run_id) == was


async def test_twice(api: Api) -> None:
    """The same event changes nothing the second time, whatever its words are then."""
    run_id = await launched(api, "secret")
    assert await report(api, run_id, "secret", status="running", seq=1) == "Noted"
    was = await api.run(run_id)
    assert await report(api, run_id, "secret", status="failed", seq=1, error="other words") == "Known already"
    assert await api.run(run_id) == was


async def test_out_of_order(api: Api) -> None:
    """The end comes before the beginning: the end counts, and the beginning changes nothing after it."""
    run_id = await launched(api, "secret")
    assert await report(api, run_id, "secret", status="finished", seq=2, time=60.0, exit_code=0) == "Noted"
    was = await api.run(run_id)
    assert (was["status"], was["ended_at"], was["exit_code"]) == ("finished", 60.0, 0)
    assert await report(api, run_id, "secret", status="running", seq=1, time=50.0) == "Known already"
    assert await api.run(run_id) == was


@pytest.mark.parametrize("end", ["finished", "failed", "stopped"])
@pytest.mark.parametrize("token", ["secret", None])
async def test_after_the_end(api: Api, end: str, token: str | None) -> None:
    """Late reports are told that they are late, and change nothing."""
    run_id = await launched(api, "secret", end)
    was = await api.run(run_id)
    for n, status in enumerate(["running", "finished", "failed", "stopped"]):
        said = await report(api, run_id, token, status=status, exit_code=9, error="late", seq=n + 1)
        assert said == f"Ignored: the run has ended, {end}"
    assert await api.run(run_id) == was


async def test_spool_that_was_cut(api: Api) -> None:
    """By its command, while its sidecar says its last word: that counts, wherever in the file it lies now."""
    run_id = await launched(api, "secret")
    spool(api, run_id).write_bytes(line(1, "running", sidecar=SIDECAR))
    await report(api, run_id, "secret", status="running", seq=1)
    spool(api, run_id).write_bytes(line(2, "failed", exit_code=7))
    ended = await api.ended(run_id)  # its sidecar is of an earlier boot, so it is looked for
    assert (ended["status"], ended["exit_code"], ended.get("error")) == ("failed", 7, None)


async def test_line_without_end_in_a_spool(api: Api) -> None:
    """However long, it holds up neither what comes behind it nor other runs."""
    run_id = await launched(api, "secret")
    spool(api, run_id).write_bytes(b"x" * 5_000_000 + b"\n" + line(1, "finished", exit_code=0))
    assert (await api.ended(run_id))["exit_code"] == 0


async def test_spool_counts_more(api: Api) -> None:
    """A callback makes the server read the spool at once; against it, its own words count nothing."""
    run_id = await launched(api, "secret")
    spool(api, run_id).write_bytes(
        line(1, "running", sidecar=SIDECAR, tmux_pane="%3") + line(2, "finished", exit_code=0)
    )
    said = await report(api, run_id, "secret", status="failed", seq=2, exit_code=9, error="forged")
    assert said == "Known already"
    run = await api.run(run_id)
    assert (run["status"], run["exit_code"], run["error"]) == ("finished", 0, None)
    assert (run["started_at"], run["ended_at"], run["tmux_pane"]) == (1001.0, 1002.0, "%3")


async def test_words_where_the_spool_lacks_them(api: Api) -> None:
    """A disk that was full: the callback alone has the end. The spool catching up changes nothing more."""
    run_id = await launched(api, "secret")
    spool(api, run_id).write_bytes(line(1, "running", sidecar=SIDECAR))
    assert await report(api, run_id, "secret", status="failed", seq=2, exit_code=5) == "Noted"
    was = await api.run(run_id)
    assert (was["status"], was["exit_code"]) == ("failed", 5)
    with spool(api, run_id).open("ab") as file:
        file.write(line(2, "failed", exit_code=5))
    assert await report(api, run_id, "secret", status="failed", seq=2, exit_code=5) == "Known already"
    assert await api.run(run_id) == was


async def test_half_a_line(api: Api) -> None:
    """What is still being written is read when it is whole."""
    run_id = await launched(api, "secret", "running")
    end = line(2, "finished", exit_code=0)
    spool(api, run_id).write_bytes(line(1, "running") + end[:-9])
    await api.services.scheduler.tick()
    assert (await api.run(run_id))["status"] == "running"
    with spool(api, run_id).open("ab") as file:
        file.write(end[-9:])
    await api.services.scheduler.tick()
    assert (await api.run(run_id))["status"] == "finished"


GARBAGE = {
    "words": b"hello",
    "nothing": b"",
    "not UTF-8": b'{"seq": 1, "status": "finished", "error": "\xff"}',
    "a list": b"[1]",
    "no seq": b'{"status": "finished"}',
    "a seq beyond all": b'{"seq": 1' + b"0" * 40 + b', "status": "finished"}',
    "an exit code beyond all": b'{"seq": 1, "status": "finished", "exit_code": 1' + b"0" * 40 + b"}",
    "a status that none reports": b'{"seq": 1, "status": "ready"}',
    "very deep": b'{"seq": 1, "status": "finished", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "NUL bytes": b"\0" * 100,
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_in_a_spool(api: Api, garbage: bytes) -> None:
    """A run may scribble in its own run dir: its other events count, and no other run is held up."""
    scribbler, other = await launched(api, "secret", "running"), await launched(api, "secret", "running")
    spool(api, scribbler).write_bytes(garbage + b"\n" + line(1, "finished", exit_code=0))
    spool(api, other).write_bytes(line(1, "finished", exit_code=0))
    await api.services.scheduler.tick()
    assert [(await api.run(run_id))["status"] for run_id in (scribbler, other)] == ["finished", "finished"]


@pytest.mark.parametrize(
    "put",
    [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path), lambda path: path.symlink_to("/dev/zero")],
    ids=["folder", "fifo", "loop", "device"],
)
async def test_no_spool_at_all(api: Api, put: Callable[[Path], None]) -> None:
    """Nor is any held up when a run has put something else in its spool's place."""
    scribbler, other = await launched(api, "secret", "running"), await launched(api, "secret", "running")
    put(spool(api, scribbler))
    spool(api, other).write_bytes(line(1, "finished", exit_code=0))
    await api.services.scheduler.tick()
    assert [(await api.run(run_id))["status"] for run_id in (scribbler, other)] == ["running", "finished"]


async def test_long_error(api: Api) -> None:
    """Of a reason, what a person would read is kept."""
    run_id = await api.create_at("running")
    await report(api, run_id, status="failed", error="x" * 100_000)
    error = (await api.run(run_id))["error"]
    assert error.startswith("xxx")
    assert len(error) <= 10_000


async def test_a_process_that_can_not_be(api: Api) -> None:
    """A run may write its own spool: numbers beyond a pid's are no event, and the run can be stopped."""
    run = await api.create("exec sleep 1000", auto_start=True)
    await api.until(run["id"], "running")
    with spool(api, run["id"]).open("ab") as file:
        file.write(line(900, "running", sidecar={**SIDECAR, "pid": 10**20, "boot_id": procs.boot_id()}))
    assert "known already" in (await report(api, run["id"], status="running", seq=1)).lower()
    assert (await api.post(f"/runs/{run['id']}/stop")).status == 200
    assert (await api.ended(run["id"]))["status"] == "stopped"
