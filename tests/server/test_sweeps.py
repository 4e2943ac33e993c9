"""Sweeps over HTTP, in the contract's shapes."""

import asyncio
import csv
import io
import time
from typing import Any

import pytest
from msgspec import structs

from jupyter_ra_jobs.states import RunStatus
from tests.conftest import World
from tests.server.conftest import UNKNOWN, Api, eventually
from tests.unit.records import make_run, make_sweep

GRID = {"lr": [0.1, 0.01], "name": ["a b", "c"]}
ALWAYS = {
    "id",
    "name",
    "base_command",
    "workdir",
    "parameters",
    "run_ids",
    "status",
    "created_at",
    "max_runs",
    "goal",
    "is_wild",
    "chat_session_id",
    "ui_config",
    "creation_context",
    "progress",
    "parallel",
    "method",
    "seed",
    "total_combinations",
}
NOBODY = dict.fromkeys(
    ["total", "completed", "failed", "running", "launching", "ready", "queued", "canceled"], 0
)


async def make(api: Api, **more: Any) -> dict[str, Any]:
    """A new sweep of four."""
    answer = await api.post("/sweeps", **{"name": "s", "base_command": "true", "parameters": GRID, **more})
    assert answer.status == 200, answer.body
    made: dict[str, Any] = answer.json
    return made


async def test_new_sweep(api: Api, world: World) -> None:
    """Pending, with all of its runs, every field of the contract and no other."""
    before = time.time()
    sweep = await make(api, base_command="python t.py --x {lr}", ui_config={"a": 1}, goal="low loss")
    assert sweep.keys() == ALWAYS
    assert before <= sweep["created_at"] <= time.time()
    assert (sweep["status"], sweep["workdir"]) == ("pending", str(world.workdir))
    assert sweep["progress"] == {**NOBODY, "total": 4, "ready": 4}
    assert (sweep["total_combinations"], sweep["ui_config"], sweep["goal"]) == (4, {"a": 1}, "low loss")
    runs = [await api.run(run_id) for run_id in sweep["run_ids"]]
    assert [run["command"] for run in runs] == [
        "python t.py --x 0.1 '--name=a b'",
        "python t.py --x 0.1 --name=c",
        "python t.py --x 0.01 '--name=a b'",
        "python t.py --x 0.01 --name=c",
    ]
    assert [run["name"] for run in runs] == ["s #1", "s #2", "s #3", "s #4"]
    assert runs[3]["sweep_params"] == {"lr": 0.01, "name": "c"}
    assert {run["sweep_id"] for run in runs} == {sweep["id"]}
    assert (await api.get(f"/sweeps/{sweep['id']}")).json == sweep
    assert (await api.get("/sweeps")).json == [sweep]
    listed = (await api.get("/runs", sweep_id=sweep["id"])).json
    assert [run["id"] for run in reversed(listed)] == sweep["run_ids"]


async def test_list(api: Api) -> None:
    """Newest first, as many as asked for."""
    made = [await make(api, name=f"s{n}") for n in range(3)]
    assert [sweep["id"] for sweep in (await api.get("/sweeps", limit=2)).json] == [
        made[2]["id"],
        made[1]["id"],
    ]
    (await api.get("/sweeps", limit=0)).error(400)


async def test_cut(api: Api) -> None:
    """More combinations than max_runs are cut, and the answer says how many there were."""
    huge = {f"p{n}": list(range(8)) for n in range(8)}
    sweep = await make(api, parameters=huge, max_runs=10)
    assert (len(sweep["run_ids"]), sweep["total_combinations"]) == (10, 8**8)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"parameters": {"a": 1}}, "parameters.a"),
        ({"parameters": {"a": []}}, "parameters.a"),
        ({"parameters": [1]}, "parameters"),
        ({"parameters": {"--lr": [1]}}, "parameters: '--lr': say 'lr'"),
        (
            {"parameters": {"n": {"min": 1, "max": 8, "type": "int"}}, "method": "random", "max_runs": 1},
            '"int": true',
        ),
        ({"parameters": {"a": list(range(200)), "b": list(range(200))}}, "max_runs"),
        ({"parameters": {"a": [1], "b": [1, 2]}, "method": "zip"}, "zip"),
        ({"method": "random"}, "max_runs"),
        ({"method": "best"}, "method"),
        ({"name": ""}, "name"),
        ({"base_command": " "}, "command"),
        ({"workdir": "nowhere"}, "workdir"),
        ({"parallel": 0}, "parallel"),
        ({"status": "completed"}, "status"),
        ({"parameters": {"a": ["x" * 200_000]}}, "command"),
        ({"parameters": {"a": list(range(1000))}, "env": {"A": "x" * 100_000}}, "33,554,432 bytes"),
        ({"parameters": {"a": list(range(1000))}, "base_command": f": {'x' * 100_000}"}, "33,554,432 bytes"),
        ({"parameters": {"a": list(range(1000))}, "after": [str(n) for n in range(200)]}, "are too many"),
    ],
)
async def test_bad_input(api: Api, body: dict[str, Any], field: str) -> None:
    """Refused with the field's name; neither a sweep nor a run is there afterwards."""
    answer = await api.post("/sweeps", **{"name": "s", "base_command": "true", "parameters": GRID, **body})
    assert field in answer.error(400)
    assert (await api.get("/sweeps")).json == []
    assert (await api.get("/runs")).json == []


async def test_draft(api: Api) -> None:
    """No runs until it is more than a draft; until then everything can change, afterwards the name."""
    draft = await make(api, status="draft")
    assert (draft["status"], draft["run_ids"]) == ("draft", [])
    (await api.post(f"/sweeps/{draft['id']}/start")).error(409)
    path = f"/sweeps/{draft['id']}"
    edited = (await api.put(path, parameters={"a": [1, 2, 3]}, base_command="echo", max_runs=2)).json
    assert (edited["status"], edited["total_combinations"]) == ("draft", 3)
    (await api.put(path, parameters={"a": 1})).error(400)
    pending = (await api.put(path, status="pending")).json
    assert (pending["status"], pending["progress"]["ready"]) == ("pending", 2)
    assert (await api.run(pending["run_ids"][1]))["command"] == "echo --a=2"
    assert "parameters" in (await api.put(path, parameters={"a": [1]})).error(409)
    assert (await api.put(path, name="other", goal=None)).json["name"] == "other"
    (await api.put(path, status="draft")).error(409)


async def test_wild(api: Api) -> None:
    """An empty sweep, to which runs are added; one that is active elsewhere stays there."""
    wild = (await api.post("/sweeps/wild", name="w", goal="find it", chat_session_id="chat")).json
    assert (wild["is_wild"], wild["status"], wild["run_ids"]) == (True, "pending", [])
    inside = (await api.post(f"/sweeps/{wild['id']}/runs", name="n", command="true")).json
    assert inside["sweep_id"] == wild["id"]
    outside = await api.create()
    path = f"/runs/{outside['id']}/add-to-sweep?sweep_id="
    assert (await api.post(path + wild["id"])).json["message"]
    sweep = (await api.get(f"/sweeps/{wild['id']}")).json
    assert sorted(sweep["run_ids"]) == sorted([inside["id"], outside["id"]])
    other = await make(api)
    busy = await api.create_at("running", sweep_id=wild["id"])
    (await api.post(f"/runs/{busy}/add-to-sweep?sweep_id={other['id']}")).error(409)
    (await api.post(path + UNKNOWN)).error(404)
    (await api.post(path.partition("?")[0])).error(400)


async def test_active_run_that_joins_counts(api: Api) -> None:
    """It goes on in the sweep, as one of those that `parallel` allows: no other starts beside it."""
    sweep = await make(api, base_command="true #", parameters={"n": [1]}, parallel=1)
    busy = await api.create_at("running")
    await api.post(f"/runs/{busy}/add-to-sweep?sweep_id={sweep['id']}")
    cell = sweep["run_ids"][0]
    await api.post(f"/sweeps/{sweep['id']}/start?parallel=1")
    started = (await api.post(f"/runs/{cell}/start")).json
    assert started["run"]["status"] == "queued"
    assert api.services.store.queue.next(9, []) == []
    assert api.services.store.move(busy, RunStatus.FINISHED)
    assert (await api.ended(cell))["status"] == "finished"


async def test_status_is_that_of_the_runs(api: Api) -> None:
    """Never stored: it follows whatever becomes of the runs."""
    sweep = await make(api, parameters={"a": [1, 2]})
    first, second = sweep["run_ids"]
    path = f"/sweeps/{sweep['id']}"

    async def status(*moves: tuple[str, str]) -> str:
        for run_id, target in moves:
            assert api.services.store.move(run_id, RunStatus(target))
        found: str = (await api.get(path)).json["status"]
        return found

    assert await status((first, "launching")) == "running"
    assert await status((first, "running"), (first, "finished")) == "pending"
    assert await status((second, "launching"), (second, "failed")) == "failed"
    ended = (await api.get(path)).json
    assert ended["completed_at"] >= ended["created_at"]


async def test_start_and_table(api: Api) -> None:
    """Started, all are done; the table has a row for each, in their order, as CSV too."""
    sweep = await make(api, base_command="exit $(( {n} % 2 )) #", parameters={"n": [1, 2, 3]})
    path = f"/sweeps/{sweep['id']}"
    started = (await api.post(f"{path}/start?parallel=2")).json
    assert started == {"message": "Started 2/3 runs", "sweep_id": sweep["id"]}
    for run_id in sweep["run_ids"]:
        await api.ended(run_id)
    rows = (await api.get(f"{path}/table")).json
    assert [row["run_id"] for row in rows] == sweep["run_ids"]
    assert [(row["parameters"], row["status"], row["exit_code"]) for row in rows] == [
        ({"n": 1}, "failed", 1),
        ({"n": 2}, "finished", 0),
        ({"n": 3}, "failed", 1),
    ]
    assert all(row["duration"] > 0 for row in rows)
    answer = await api.get(f"{path}/table", format="csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [(line["n"], line["status"]) for line in lines] == [
        ("1", "failed"),
        ("2", "finished"),
        ("3", "failed"),
    ]
    again = (await api.post(f"{path}/retry")).json
    assert len(again["run_ids"]) == 5
    assert again["progress"]["total"] == 3
    rows = (await api.get(f"{path}/table")).json
    assert [row["retried"] for row in rows] == [True, False, True, False, False]


async def test_parallel_can_change(api: Api) -> None:
    """A second start with another number changes how many run at once."""
    sweep = await make(api, base_command="exec sleep 1000 #", parameters={"n": [1, 2, 3, 4]})
    path = f"/sweeps/{sweep['id']}"
    store = api.services.store
    await api.post(f"{path}/start?parallel=1")
    await eventually(lambda: store.counts()["running"] == 1)
    assert (await api.post(f"{path}/start?parallel=3")).json["message"] == "Started 2/4 runs"
    await eventually(lambda: store.counts()["running"] == 3)
    assert store.counts()["queued"] == 1
    assert (await api.post(f"{path}/stop")).json["progress"]["queued"] == 0
    await eventually(lambda: store.counts()["stopped"] == 4)
    assert (await api.get(path)).json["status"] == "canceled"


async def test_priority(api: Api) -> None:
    """Within the queue, higher ones come first; positions say so."""
    low = await api.create_at("queued")
    high = await api.create_at("queued", priority=5)
    assert ((await api.run(high))["queue_position"], (await api.run(low))["queue_position"]) == (1, 2)


async def test_retry_keeps_the_order(api: Api) -> None:
    """What waited for a run that failed waits for the one that is run in its place, however often it was."""
    sweep_id = (await api.post("/sweeps/wild", name="s", goal="g")).json["id"]
    store = api.services.store

    async def add(**more: Any) -> str:
        made = await api.post(f"/sweeps/{sweep_id}/runs", **{"name": "x", "command": "true", **more})
        return str(made.json["id"])

    first = await add(name="first", max_retries=1, gpus=0)
    second = await add(name="second", after=[first])
    await add(name="third", after=[second])
    for _ in range(2):
        (run,) = [run for run in store.runs(limit=9, sweep_id=sweep_id) if run.name == "first"][:1]
        for status in (RunStatus.LAUNCHING, RunStatus.RUNNING, RunStatus.FAILED):
            store.move(run.id, status)
    assert (await api.post(f"/sweeps/{sweep_id}/retry")).status == 200
    newest = {run.name: run for run in reversed(store.runs(limit=9, sweep_id=sweep_id))}
    for name in ("first", "second", "third"):
        await api.ended(newest[name].id)
    newest = {name: store.run(run.id) for name, run in newest.items()}
    assert {run.status for run in newest.values()} == {RunStatus.FINISHED}
    assert newest["second"].after == [newest["first"].id]
    assert newest["third"].after == [newest["second"].id]
    assert newest["first"].ended_at <= newest["second"].launched_at
    assert newest["second"].ended_at <= newest["third"].launched_at


async def test_retry_goes_on(api: Api) -> None:
    """What a retry that broke off has added stands: the next one adds the others, and they wait for those."""
    store = api.services.store
    sweep = make_sweep()
    store.sweeps.add(sweep)
    first, second = (make_run(name=name, sweep_id=sweep.id, workdir=".") for name in ("first", "second"))
    for run in (first, structs.replace(second, after=[first.id])):
        store.add(run)
    for status in (RunStatus.LAUNCHING, RunStatus.FAILED):
        store.move(first.id, status)
    again = structs.replace(make_run(name="again"), sweep_id=sweep.id, parent_run_id=first.id)
    store.add(again)
    assert (await api.post(f"/sweeps/{sweep.id}/retry")).status == 200
    (third,) = [run for run in store.runs(limit=9, sweep_id=sweep.id) if run.parent_run_id == second.id]
    assert third.after == [again.id]


@pytest.mark.parametrize("count", [1, 101, 250])
async def test_of_any_size(api: Api, count: int) -> None:
    """Made, started and stopped as a whole, in however many slices; a draft too."""
    cells = {"n": list(range(count))}
    sweep = await make(api, base_command="sleep 600 #", parameters=cells)
    drafted = await make(api, parameters=cells, status="draft")
    begun = await api.put(f"/sweeps/{drafted['id']}", status="pending")
    for each in (sweep, begun.json):
        assert (len(each["run_ids"]), each["progress"]["ready"], each["is_wild"]) == (count, count, False)
        runs = (await api.get("/runs", sweep_id=each["id"], limit=1000)).json
        assert [run["sweep_params"]["n"] for run in reversed(runs)] == list(range(count))
    at = f"/sweeps/{sweep['id']}"
    assert (await api.post(f"{at}/start")).json["message"] == f"Started 1/{count} runs"
    assert (await api.get(at)).json["progress"]["ready"] == 0
    assert (await api.post(f"{at}/stop")).json["progress"]["queued"] == 0
    await eventually(lambda: api.services.store.counts()["stopped"] == count)


async def test_stop_amid_the_making(api: Api) -> None:
    """A sweep that starts at once is stopped before all of its runs are made: none of them goes then."""
    store = api.services.store
    cells = {"n": list(range(3_000))}
    making = asyncio.create_task(
        api.post("/sweeps", name="s", base_command="sleep 600 #", parameters=cells, auto_start=True)
    )
    await eventually(lambda: store.sweeps.page(1) or making.done())
    assert len(store.runs(limit=3_000)) < 3_000
    sweep_id = store.sweeps.page(1)[0].id
    assert (await api.services.sweeps.stop(sweep_id)).progress.queued == 0
    assert (await making).status == 200
    await eventually(lambda: store.counts()["stopped"] == 3_000)


async def test_running_without_runs(api: Api) -> None:
    """There is nothing to start: by either way."""
    wild = (await api.post("/sweeps/wild", name="w", goal="g")).json["id"]
    (await api.put(f"/sweeps/{wild}", status="running")).error(409)
    (await api.post(f"/sweeps/{wild}/start")).error(409)


async def test_stop_amid_a_retry(api: Api) -> None:
    """Nothing is started after it, and the caller of the retry is told."""
    store = api.services.store
    sweep = make_sweep()
    store.sweeps.add(sweep)
    with store.transaction():
        for n in range(1_000):
            store.add(make_run(name=str(n), sweep_id=sweep.id, workdir=".", status=RunStatus.FAILED))
    retry = asyncio.create_task(api.post(f"/sweeps/{sweep.id}/retry"))
    await eventually(lambda: store.counts()["ready"])
    await api.services.sweeps.stop(sweep.id)
    (await retry).error(409)
    assert store.counts()["ready"] == 1_000
    assert store.counts()["queued"] == store.active_count() == 0
    assert (await api.post(f"/sweeps/{sweep.id}/start")).json["message"] == "Started 1/1000 runs"


@pytest.mark.parametrize(
    ("runs", "before", "after"),
    [
        (["finished", "finished"], "completed", "completed"),
        (["finished", "failed"], "failed", "failed"),
        (["finished", "ready"], "pending", "canceled"),
        (["finished", "queued"], "pending", "canceled"),
    ],
)
async def test_stop_of_what_is_over(api: Api, runs: list[str], before: str, after: str) -> None:
    """A sweep is canceled only if something was left to stop."""
    at = f"/sweeps/{(await api.post('/sweeps/wild', name='w', goal='g')).json['id']}"
    for status in runs:
        await api.create_at(status, sweep_id=at.rpartition("/")[2])
    assert (await api.get(at)).json["status"] == before
    for _ in range(2):
        answer = await api.post(f"{at}/stop")
        assert (answer.status, answer.json["status"]) == (200, after)


@pytest.mark.parametrize(
    ("runs", "answer"),
    [
        (["finished", "finished"], 200),
        (["finished", "failed"], 409),
        (["stopped", "stopped"], 409),
        (["stopped", "ready"], 200),
    ],
)
async def test_start_of_what_is_over(api: Api, runs: list[str], answer: int) -> None:
    """Where there is nothing to start but something to retry, it is said."""
    at = f"/sweeps/{(await api.post('/sweeps/wild', name='w', goal='g')).json['id']}"
    for status in runs:
        await api.create_at(status, sweep_id=at.rpartition("/")[2])
    started = await api.post(f"{at}/start")
    assert (started.status, "a retry runs those again" in started.json["message"]) == (answer, answer == 409)


@pytest.mark.parametrize("settings", [{"RaJobsApp": {"max_sweep_runs": 1}}])
async def test_stop_means_all(api: Api) -> None:
    """However many runs a sweep may begin with: runs were added, or the number was lowered since."""
    sweep = await make(api, parameters={})
    run_ids = [await api.create_at("running", sweep_id=sweep["id"]) for _ in range(3)]
    assert (await api.post(f"/sweeps/{sweep['id']}/stop")).status == 200
    for run_id in run_ids:
        assert api.services.store.tracking(run_id).stop_requested_at is not None


@pytest.mark.parametrize("verb", ["start", "stop", "retry", "runs", "table"])
async def test_unknown(api: Api, verb: str) -> None:
    """404, whatever is asked of it."""
    method = "GET" if verb == "table" else "POST"
    body = None if verb == "table" else {"name": "n", "command": "c"}
    (await api.call(method, f"/sweeps/{UNKNOWN}/{verb}", body)).error(404)
    (await api.get(f"/sweeps/{UNKNOWN}")).error(404)
