"""A run's metrics over HTTP, and in its sweep's table."""

import csv
import io
import json
import os
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from jupyter_ra_jobs import metrics, sweep_table
from jupyter_ra_jobs.metrics import join_losses
from jupyter_ra_jobs.models import LossPoint
from jupyter_ra_jobs.series import Point
from jupyter_ra_jobs.states import RunStatus
from tests.conftest import World
from tests.server.conftest import UNKNOWN, Api, eventually
from tests.unit.records import make_run, make_sweep


def keep(api: Api, run_id: str, rows: list[dict[str, Any]], name: str = "metrics.jsonl") -> Path:
    """A file that the run's command kept."""
    folder: Path = api.services.layout.artifacts(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


async def shown(api: Api, run_id: str, query: str = "") -> dict[str, Any]:
    """What GET answers."""
    answer = await api.get(f"/runs/{run_id}/metrics{query}")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


async def test_contract(api: Api) -> None:
    """Nothing is an empty object; else four fields, and what there is to say of what is not in them."""
    run_id = await api.create_at("running")
    assert await shown(api, run_id) == {}
    keep(
        api,
        run_id,
        [
            {"step": 1, "train_loss": 0.5, "val_loss": 0.7, "opt": {"lr": 1}},
            {"step": 2, "train_loss": 0.25},
            {"step": 3, "train_loss": 0.125, "val_loss": float("nan"), "opt": {"lr": 0.5}},
        ],
    )
    assert await shown(api, run_id) == {
        "metricSeries": {
            "train_loss": [
                {"step": 1, "value": 0.5},
                {"step": 2, "value": 0.25},
                {"step": 3, "value": 0.125},
            ],
            "val_loss": [{"step": 1, "value": 0.7}],
            "opt/lr": [{"step": 1, "value": 1}, {"step": 3, "value": 0.5}],
        },
        "metricKeys": ["train_loss", "val_loss", "opt/lr"],
        "lossHistory": [
            {"step": 1, "trainLoss": 0.5, "valLoss": 0.7},
            {"step": 2, "trainLoss": 0.25},
            {"step": 3, "trainLoss": 0.125},
        ],
        "metrics": {"train_loss": 0.125, "opt/lr": 0.5},
        "notes": ["the newest value is NaN or infinite, of val_loss (first at step 3)"],
        "nonFinite": {"val_loss": 3},
    }
    assert (await api.services.metrics.refresh(run_id)).non_finite == {"val_loss": 3}


async def test_query(api: Api) -> None:
    """Fewer points, with the extremes among them; the series of some metrics alone."""
    run_id = await api.create_at("running")
    keep(api, run_id, [{"loss": 1.0, "spike": float(n == 777), "x": n} for n in range(10_000)])
    whole = await shown(api, run_id)
    assert all(500 <= len(series) <= 1_000 for series in whole["metricSeries"].values())
    few = await shown(api, run_id, "?points=20&keys=spike&keys=x&keys=none")
    assert few["metricSeries"].keys() == {"spike", "x"}
    assert {"step": 777, "value": 1} in few["metricSeries"]["spike"]
    assert [few["metricSeries"]["x"][end]["value"] for end in (0, -1)] == [0, 9_999]
    assert len(few["metricSeries"]["x"]) <= 22
    assert (few["metricKeys"], few["metrics"]) == (whole["metricKeys"], whole["metrics"])
    for wrong in ("points=1", "points=10001", "points=x"):
        assert "points" in (await api.get(f"/runs/{run_id}/metrics?{wrong}")).error(400)


async def test_notes_and_incomplete(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is said, in the contract's form even before there is a metric."""
    run_id = await api.create_at("running")
    empty = {"metricSeries": {}, "metricKeys": [], "lossHistory": [], "metrics": {}}
    garbage = api.services.layout.artifacts(run_id) / "x.wandb"
    garbage.parent.mkdir(parents=True)
    garbage.write_bytes(b"garbage" * 100)
    answer = await shown(api, run_id)
    assert answer.pop("notes")
    assert answer == empty
    garbage.unlink()
    monkeypatch.setattr("jupyter_ra_jobs.metric_files.MOST_BYTES", 1)
    keep(api, run_id, [{"x": n, "pad": "x" * 1_000} for n in range(3_000)])
    first = await shown(api, run_id)
    assert first["complete"] is False
    last = await shown(api, run_id)
    while "complete" in last:
        last = await shown(api, run_id)
    assert last["metrics"] == {"x": 2_999}


async def test_post(api: Api) -> None:
    """Rows are appended to a private file in the run dir, for a run of any status; they count first."""
    for status in ("ready", "running", "finished"):
        run_id = await api.create_at(status)
        path = f"/runs/{run_id}/metrics"
        assert (await api.post(path, rows=[{"step": 1, "loss": 2}])).json == {"message": "1 row added"}
        keep(api, run_id, [{"step": 9, "loss": 9}])
        file = api.services.layout.metrics(run_id)
        with file.open("a") as half:
            half.write('{"step":')  # somebody was killed while he wrote
        answer = await api.post(path, rows=[{"step": 2, "loss": 1.5, "text": "a\nb"}, {"step": 3, "loss": 1}])
        assert answer.json == {"message": "2 rows added"}
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.read_text().splitlines()[2] == '{"step":2,"loss":1.5,"text":"a\\nb"}'
        assert [point["value"] for point in (await shown(api, run_id))["metricSeries"]["loss"]] == [2, 1.5, 1]
    # Of an ended run nobody asks again: the table knows at once.
    stored = api.services.store.metrics([run_id])[run_id]
    assert (stored["keys"]["loss"][0], stored["final"]) == (1, True)


@pytest.mark.parametrize("step", ["a", "3", True, [1], float("nan"), 1 << 62])
async def test_post_of_a_step_that_is_none(api: Api, step: Any) -> None:
    """It would be taken for the place of the row, 0 for one; nothing of the request is stored."""
    run_id = await api.create_at("running")
    path = f"/runs/{run_id}/metrics"
    answer = await api.post(path, rows=[{"loss": 1}, {"step": step, "loss": 2}])
    assert answer.status == 400
    assert "rows[1]: step: must be a number, not " in answer.json["message"]
    assert not api.services.layout.metrics(run_id).exists()
    rows = [{"epoch": step, "step": 7, "loss": 2}, {"step": None, "loss": 3}]
    assert (await api.post(path, rows=rows)).status == 200
    assert [point["step"] for point in (await shown(api, run_id))["metricSeries"]["loss"]] == [7, 1]


async def test_post_of_what_python_writes(api: Api) -> None:
    """NaN and Infinity are no JSON, but they are what json.dumps makes of them: the other rows count."""
    run_id = await api.create_at("running")
    rows = [{"loss": 1.0}, {"loss": float("nan")}, {"loss": float("-inf")}, {"loss": 2.0}]
    assert (await api.post(f"/runs/{run_id}/metrics", rows=rows)).json == {"message": "4 rows added"}
    assert [point["value"] for point in (await shown(api, run_id))["metricSeries"]["loss"]] == [1.0, 2.0]
    assert (await api.services.metrics.refresh(run_id)).non_finite == {"loss": 1}


async def test_the_last_value_is_none_that_was_lost(api: Api) -> None:
    """In a run's metrics as in a sweep's table: what came before NaN is not the last; a later number is."""
    run_id = await api.create_at("running")
    await api.post(f"/runs/{run_id}/metrics", rows=[{"loss": 0.1, "lr": 1}, {"loss": float("nan"), "lr": 2}])
    seen = await shown(api, run_id)
    assert (seen["metrics"], seen["metricKeys"]) == ({"lr": 2}, ["loss", "lr"])
    assert seen["nonFinite"] == {"loss": 1}
    assert (await shown(api, run_id, "?keys=lr")).keys().isdisjoint({"nonFinite", "notes"})
    await api.post(f"/runs/{run_id}/metrics", rows=[{"loss": 0.2}])
    seen = await shown(api, run_id)
    assert (seen["metrics"], "nonFinite" in seen) == ({"loss": 0.2, "lr": 2}, False)


async def test_never_a_number(api: Api) -> None:
    """It has no point and no value, but it is said, of many metrics of some."""
    run_id = await api.create_at("running")
    await api.post(f"/runs/{run_id}/metrics", rows=[{"step": 4, **{f"m{n}": float("inf") for n in range(9)}}])
    seen = await shown(api, run_id)
    assert (seen["metricSeries"], seen["metricKeys"], seen["metrics"]) == ({}, [], {})
    assert seen["nonFinite"] == {f"m{n}": 4 for n in range(9)}
    assert seen["notes"][0].endswith("m3 (first at step 4), m4 (first at step 4) and 4 more")


async def test_post_before_the_start(api: Api) -> None:
    """What a run was given does not keep it from running, nor does the run from keeping it."""
    run = await api.create("echo '{\"loss\": 1}' > $RA_ARTIFACTS_DIR/m.jsonl")
    await api.post(f"/runs/{run['id']}/metrics", rows=[{"seed": 7}])
    await api.post(f"/runs/{run['id']}/start")
    assert (await api.ended(run["id"]))["status"] == "finished"
    assert (await shown(api, run["id"]))["metrics"] == {"seed": 7, "loss": 1}


async def test_observed(api: Api) -> None:
    """Without anybody's call an active run's metrics are read, for the table; NaN raises an alert."""
    command = """echo '{"step": 3, "loss": NaN, "acc": 1}' > $RA_ARTIFACTS_DIR/m.jsonl; exec sleep 1000"""
    run_id = (await api.create(command, auto_start=True))["id"]
    await eventually(lambda: "acc" in api.services.store.metrics([run_id]).get(run_id, {}).get("keys", {}))

    await eventually(lambda: api.services.alerts.page(limit=9, run_id=run_id))
    (alert,) = (await api.get("/alerts", run_id=run_id)).json
    assert (alert["rule"], "loss at step 3" in alert["message"]) == ("non_finite", True)
    assert (await api.post(f"/runs/{run_id}/stop")).status == 200
    await api.ended(run_id)


async def test_shared_workdir(api: Api) -> None:
    """Of a file that any of two runs could have written neither shows a number; the answer says so."""
    run_ids = [await api.create_at("running") for _ in range(2)]
    (api.services.layout.workdir / "results.csv").write_text("step,loss\n1,0.5\n")
    for run_id in run_ids:
        assert await shown(api, run_id) == {
            "metricSeries": {},
            "metricKeys": [],
            "lossHistory": [],
            "metrics": {},
            "notes": [
                "results.csv is passed over: another run could have written it; write to $RA_ARTIFACTS_DIR"
            ],
        }
        assert api.services.store.metrics([run_id])[run_id]["keys"] == {}


@pytest.mark.parametrize("fate", ["changed", "gone"])
async def test_next_run_writes_the_same_file(api: Api, fate: str) -> None:
    """The values that a run ended with stay, with another server too; the curves are gone with the file."""
    path = api.services.layout.workdir / "results.csv"
    run_id = await api.create_at("running")
    path.write_text("step,train_loss,acc\n1,0.5,1\n2,0.25,2\n")
    api.services.store.move(run_id, RunStatus.FINISHED)
    assert (await api.services.metrics.refresh(run_id)).final
    stored = api.services.store.metrics([run_id])[run_id]
    if fate == "changed":
        path.write_text("step,train_loss\n1,0.125\n")
        os.utime(path, (time.time() + 1, time.time() + 1))
    else:
        path.unlink()
    left = {
        "metricSeries": {},
        "metricKeys": ["train_loss", "acc"],
        "lossHistory": [],
        "metrics": {"train_loss": 0.25, "acc": 2},
    }
    if fate == "changed":
        left["notes"] = ["results.csv has changed since the run ended"]
    for _ in range(2):
        assert await shown(api, run_id) == left
        assert api.services.store.metrics([run_id])[run_id] == stored
        api.services.metrics._readers.clear()
    await api.post(f"/runs/{run_id}/metrics", rows=[{"test_acc": 3, "acc": 4}])
    answer = await shown(api, run_id)
    assert answer["metrics"] == {"train_loss": 0.25, "acc": 4, "test_acc": 3}
    assert answer["metricSeries"].keys() == {"acc", "test_acc"}
    assert api.services.store.metrics([run_id])[run_id]["keys"].keys() == {"train_loss", "acc", "test_acc"}


async def test_next_run_was_faster(api: Api) -> None:
    """What was last seen of a file before it changed is kept, when there was no look after the run's end."""
    path = api.services.layout.workdir / "results.csv"
    run_id = await api.create_at("running")
    path.write_text("step,loss\n1,0.5\n")
    keep(api, run_id, [{"acc": 1}])
    await api.services.metrics.refresh(run_id)
    api.services.store.move(run_id, RunStatus.FINISHED)
    path.write_text("step,loss\n1,0.125\n")
    os.utime(path, (time.time() + 1, time.time() + 1))
    keep(api, run_id, [{"acc": 2}])
    assert (await shown(api, run_id))["metrics"] == {"acc": 2, "loss": 0.5}
    assert api.services.store.metrics([run_id])[run_id]["final"]


@pytest.mark.skipif(find_spec("wandb") is None, reason="wandb is not installed")
async def test_wandb(api: Api, world: World) -> None:
    """A script that logs to WandB, offline, needs nothing else."""
    script = world.workdir / "train.py"
    script.write_text(
        "import wandb\n"
        "with wandb.init(mode='offline', project='p') as run:\n"
        "    for n in range(3):\n"
        "        run.log({'train_loss': 1 / (n + 1), 'nested': {'acc': n}})\n"
    )
    command = f"{sys.executable} {script}"
    run = await api.create(command, env={"HOME": str(world.home), "WANDB_SILENT": "true"}, auto_start=True)
    assert (await api.ended(run["id"]))["status"] == "finished"
    found = await shown(api, run["id"])
    assert found["metrics"] == {"train_loss": 1 / 3, "nested/acc": 2}
    assert [point["step"] for point in found["lossHistory"]] == [0, 1, 2]


BAD = {
    "rows": [None, [], {}, "x", [1], [{"x": 1}, 2], [[{"x": 1}]], [{"x": 1}] * 10_001],
    "rows[1]: holds nothing": [[{"x": 1}, {}]],
    "rows[0]: holds 70,": [[{"x": "y" * 70_000}]],
}


@pytest.mark.parametrize("says", BAD)
async def test_bad_rows(api: Api, says: str) -> None:
    """The error names the row, and nothing is written."""
    run_id = await api.create_at("running")
    for rows in BAD[says]:
        assert says in (await api.post(f"/runs/{run_id}/metrics", rows=rows)).error(400)
    assert "rows" in (await api.post(f"/runs/{run_id}/metrics")).error(400)
    assert not api.services.layout.metrics(run_id).exists()


@pytest.mark.parametrize("what", ["fifo", "link", "folder"])
async def test_hostile_file(api: Api, what: str, tmp_path: Path) -> None:
    """What a run puts in the place of its file is neither written nor read."""
    run_id = await api.create_at("running")
    file = api.services.layout.metrics(run_id)
    file.parent.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.write_text('{"x": 1}\n')
    {"fifo": lambda: os.mkfifo(file), "link": lambda: file.symlink_to(outside), "folder": file.mkdir}[what]()
    (await api.post(f"/runs/{run_id}/metrics", rows=[{"x": 2}])).error(409)
    assert await shown(api, run_id) == {}
    assert outside.read_text() == '{"x": 1}\n'


async def test_unknown(api: Api) -> None:
    """404, either way."""
    (await api.get(f"/runs/{UNKNOWN}/metrics")).error(404)
    (await api.post(f"/runs/{UNKNOWN}/metrics", rows=[{"x": 1}])).error(404)


def test_join_losses() -> None:
    """A validation loss stands with the training loss of its step, or with the one before."""
    train = [Point(10.0, 1.0), Point(20.0, 0.5), Point(20.0, 0.4)]
    val = [Point(5.0, 9.0), Point(15.0, 8.0), Point(20.0, 7.0), Point(0.5, 6.0)]
    assert join_losses(train, val) == [
        LossPoint(step=0.5, train_loss=1.0, val_loss=6.0),
        LossPoint(step=5, train_loss=1.0, val_loss=9.0),
        LossPoint(step=10, train_loss=1.0),
        LossPoint(step=15, train_loss=1.0, val_loss=8.0),
        LossPoint(step=20, train_loss=0.4, val_loss=7.0),
    ]
    assert join_losses([], val) == []


async def test_what_is_stored(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A summary, once it changed; one of part of the files never replaces that of all."""
    run_id = await api.create_at("running")
    rows = [{"loss": n} for n in range(200_000)]
    keep(api, run_id, rows)
    rev = api.services.store.rev()
    summary = await api.services.metrics.refresh(run_id)
    stored = api.services.store.metrics([run_id])[run_id]
    assert stored["keys"] == {"loss": [199_999, 199_999, 0, 0, 199_999, 199_999, 200_000, False]}
    assert (stored["complete"], stored["final"], summary.final) == (True, False, False)
    assert api.services.store.rev() == rev
    # Another server, which reads it all again, a piece a look.
    monkeypatch.setattr("jupyter_ra_jobs.metric_files.MOST_BYTES", 1)
    another = metrics.Metrics(api.services.store, api.services.layout, api.services.artifacts)
    assert not (await another.refresh(run_id)).complete
    assert api.services.store.metrics([run_id])[run_id] == stored
    while not (await another.refresh(run_id)).complete:
        pass
    assert api.services.store.metrics([run_id])[run_id] == stored


async def test_few_readers_stay(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded over all runs; what was forgotten is read again."""
    monkeypatch.setattr(metrics, "_MOST_HELD", 1_000)
    monkeypatch.setattr(metrics, "_MOST_READERS", 3)
    runs = [await api.create_at("running") for _ in range(5)]
    for run_id in runs:
        keep(api, run_id, [{"loss": n} for n in range(400)])
    for run_id in [*runs, *runs]:
        assert (await shown(api, run_id))["metrics"] == {"loss": 399}
    assert len(api.services.metrics._readers) == 2


# -- the table -----------------------------------------------------------------------------------------


async def table(api: Api, sweep_id: str, **query: Any) -> list[dict[str, Any]]:
    """The rows."""
    answer = await api.get(f"/sweeps/{sweep_id}/table", **query)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.json
    return found


async def ended_sweep(api: Api) -> dict[str, Any]:
    """Four runs that have ended, of which three have metrics."""
    made: dict[str, Any] = (
        await api.post(
            "/sweeps",
            name="s",
            base_command="until [ -e go ]; do sleep 0.05; done; exit $(( {lr} == 3 )) #",
            parameters={"lr": [1, 2, 3, 4], "loss": ["a"], "none": [None]},
            auto_start=True,
            parallel=4,
        )
    ).json
    curves = [[5, 1, 4], [4, 3, 2], [6, 0.5, 3]]
    for run_id, curve in zip(made["run_ids"], curves, strict=False):
        keep(api, run_id, [{"step": n, "val_loss": value, "loss": 1} for n, value in enumerate(curve)])
    (api.services.layout.workdir / "go").touch()
    for run_id in made["run_ids"]:
        await api.ended(run_id)
    return made


async def test_best_row(api: Api) -> None:
    """One call: by the last value, or by the best epoch."""
    sweep = await ended_sweep(api)
    assert [row["metrics"] for row in await table(api, sweep["id"])] == [
        {"val_loss": 4, "loss": 1},
        {"val_loss": 2, "loss": 1},
        {"val_loss": 3, "loss": 1},
        {},
    ]

    async def lrs(**query: Any) -> list[int]:
        return [row["parameters"]["lr"] for row in await table(api, sweep["id"], **query)]

    assert await lrs(sort="val_loss", limit=1) == [2]
    assert await lrs(sort="val_loss", metrics="min", limit=1) == [3]
    assert await lrs(sort="val_loss") == [2, 3, 1, 4]
    assert await lrs(sort="val_loss", order="desc") == [1, 3, 2, 4]
    assert await lrs(sort="metrics.val_loss", metrics="max") == [2, 1, 3, 4]
    assert await lrs(sort="lr", order="desc", limit=2) == [4, 3]
    assert await lrs(sort="exit_code", order="desc", limit=1) == [3]
    assert await lrs(sort="status", order="asc", limit=1) == [3]  # failed before finished
    assert await lrs(sort="loss") == [1, 2, 3, 4]  # the parameter
    assert await lrs(sort="metrics.loss", order="desc") == [1, 2, 3, 4]
    assert await lrs(sort="val_loss", status="finished") == [2, 1, 4]
    assert await lrs(status="failed,stopped") == [3]
    message = (await api.get(f"/sweeps/{sweep['id']}/table", sort="acc")).error(400)
    assert message == (
        "sort: there is no 'acc' in this table; there are run_id, name, status, exit_code, duration, "
        "retried, lr, loss, none, val_loss, metrics.loss"
    )
    for wrong in ({"metrics": "mean"}, {"order": "up"}, {"limit": 0}, {"status": "good"}):
        (await api.get(f"/sweeps/{sweep['id']}/table", **wrong)).error(400)


async def test_a_diverged_run_is_not_the_best(api: Api) -> None:
    """Whatever it had reached before: its last value is none, and it comes last."""
    sweep = (await api.post("/sweeps", name="s", base_command="true", parameters={"n": [1, 2]})).json
    for run_id, losses in zip(sweep["run_ids"], ([0.1, float("nan")], [float("nan"), 0.5]), strict=True):
        for status in ("launching", "running", "finished"):
            api.services.store.move(run_id, RunStatus(status))
        keep(api, run_id, [{"loss": loss} for loss in losses])
    path = f"/sweeps/{sweep['id']}/table"
    rows = (await api.get(path, sort="loss")).json
    assert [(row["parameters"]["n"], row["metrics"]) for row in rows] == [
        (2, {"loss": 0.5}),
        (1, {"loss": None}),
    ]
    assert [row["metrics"]["loss"] for row in (await api.get(path, metrics="min")).json] == [0.1, 0.5]
    lines = csv.DictReader(io.StringIO((await api.get(path, format="csv")).body.decode()))
    assert [line["loss"] for line in lines] == ["", "0.5"]


async def test_csv(api: Api) -> None:
    """A column for each metric; one whose name is taken says that it is a metric."""
    sweep = await ended_sweep(api)
    answer = await api.get(f"/sweeps/{sweep['id']}/table", format="csv", sort="val_loss", limit=3)
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [(row["lr"], row["loss"], row["val_loss"], row["metrics.loss"]) for row in rows] == [
        ("2", "a", "2.0", "1.0"),
        ("3", "a", "3.0", "1.0"),
        ("1", "a", "4.0", "1.0"),
    ]
    assert [(row["status"], row["none"]) for row in rows] == [
        ("finished", "null"),
        ("failed", "null"),
        ("finished", "null"),
    ]


async def test_large_table(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written in a thread: nobody else waits."""
    monkeypatch.setattr(metrics, "_PAGE", 2)
    sweep = make_sweep()
    api.services.store.sweeps.add(sweep)
    for n in range(7):
        run = make_run(sweep_id=sweep.id, sweep_params={"n": n})
        api.services.store.add(run)
        api.services.store.set_metrics(run.id, {"keys": {"loss": [n] * 7 + [False]}, "final": True})
    threads = []

    def written(*arguments: Any) -> bytes:
        threads.append(threading.current_thread())
        return really(*arguments)

    really = sweep_table._written
    monkeypatch.setattr(sweep_table, "_written", written)
    rows = await table(api, sweep.id)
    assert [(row["parameters"]["n"], row["metrics"]["loss"]) for row in rows] == [(n, n) for n in range(7)]
    assert threads != [threading.main_thread()]


async def test_table_reads_what_nobody_has_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of runs that ended unseen so many a call; of all others the store knows, and no file is opened."""
    monkeypatch.setattr(metrics, "MOST_READ", 3)
    sweep = make_sweep()
    api.services.store.sweeps.add(sweep)
    runs = [make_run(sweep_id=sweep.id, sweep_params={"n": n}) for n in range(5)]
    for run in runs:
        api.services.store.add(run)
        for status in ("launching", "running", "finished"):
            assert api.services.store.move(run.id, RunStatus(status))
        keep(api, run.id, [{"loss": 1}])
    for known in (3, 5, 5):
        assert sum(bool(row["metrics"]) for row in await table(api, sweep.id)) == known
    monkeypatch.setattr(metrics.Metrics, "refresh", None)
    assert len(await table(api, sweep.id)) == 5
