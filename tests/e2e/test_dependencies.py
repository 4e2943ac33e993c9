"""Runs that wait for others, that are tried again, and that share GPUs: real commands, real servers."""

import pytest

from tests.conftest import Server, World, wait_for

SHOW_GPUS = 'echo "gpus=${CUDA_VISIBLE_DEVICES-unset}"'


def test_after(world: World) -> None:
    """A chain runs in its order over a server that dies in the middle; what can't go any more has failed."""
    server = Server(world).start()
    first = server.create("until [ -e go ]; do sleep 0.02; done; echo 1 >>order")["id"]
    second = server.launch("echo 2 >>order; exit 3", after=[first])
    never = server.launch("echo never >>order", after=[first, second])
    third = server.launch("echo 3 >>order", after=[first])
    assert server.run(second)["status"] == "queued"
    assert server.run(second)["after"] == [first]
    server.post(f"/runs/{first}/start")
    server.until(first, "running")
    server.kill()
    (world.workdir / "go").touch()
    server.start()
    assert [server.ended(run_id)["exit_code"] for run_id in (first, second, third)] == [0, 3, 0]
    failed = server.ended(never)
    assert failed["status"] == "failed"
    assert "started_at" not in failed
    assert failed["error"] == f"run {second}, which had to finish first, failed"
    order = (world.workdir / "order").read_text().split()
    assert order[0] == "1"
    assert sorted(order[1:]) == ["2", "3"]


def test_retries(shared_server: Server) -> None:
    """It fails twice, and finishes the third time: three runs, linked."""
    server = shared_server
    command = 'echo x >>tries; test "$(wc -l <tries)" = 3'
    first = server.launch(command, max_retries=5)
    waiting = server.launch("true", after=[first])
    assert server.ended(waiting)["status"] == "finished"
    last, middle, _ = [run for run in server.get("/runs").json if run["command"] == command]
    assert (last["status"], last["attempt"], last["parent_run_id"]) == ("finished", 3, middle["id"])
    assert (middle["status"], middle["parent_run_id"]) == ("failed", first)


def test_retries_of_a_sweep(shared_server: Server) -> None:
    """A cell counts once, as its last try stands."""
    server = shared_server
    answer = server.post(
        "/sweeps",
        name="flaky",
        base_command="test -e tried.{n} || { touch tried.{n}; false; }",
        parameters={"n": [1, 2, 3]},
        max_retries=1,
        auto_start=True,
        parallel=2,
    )
    assert answer.json["run_options"] == {"max_retries": 1}
    sweep_id = answer.json["id"]
    sweep = wait_for(
        lambda: (now := server.get(f"/sweeps/{sweep_id}").json)["status"] == "completed" and now, "all done"
    )
    assert sweep["progress"]["completed"] == sweep["progress"]["total"] == 3
    assert len(sweep["run_ids"]) == 6


def test_gpus(world: World) -> None:
    """Each run sees its own GPUs; one more waits until some are free."""
    server = Server(world, "--RaJobsApp.gpus=4", "--RaJobsApp.gpus=7").start()
    hold = f"{SHOW_GPUS}; until [ -e go ]; do sleep 0.02; done"
    first, second = server.launch(hold, gpus=1), server.launch(hold, gpus=1)
    both = server.launch(SHOW_GPUS, gpus=2)
    none, silent = server.launch(SHOW_GPUS, gpus=0), server.launch(SHOW_GPUS)
    for run_id in (first, second):
        server.until(run_id, "running")
    assert {*server.run(first)["gpu_ids"], *server.run(second)["gpu_ids"]} == {"4", "7"}
    assert [server.ended(run_id)["status"] for run_id in (none, silent)] == ["finished"] * 2
    assert server.log(none) == b"gpus=\n"
    assert server.log(silent) == b"gpus=unset\n"
    assert server.run(both)["status"] == "queued"
    server.kill()
    server.start()
    assert server.run(both)["status"] == "queued"
    (world.workdir / "go").touch()
    assert server.ended(both)["gpu_ids"] == ["4", "7"]
    assert server.log(both) == b"gpus=4,7\n"
    assert server.log(first) == f"gpus={server.run(first)['gpu_ids'][0]}\n".encode()


def test_gpus_that_are_gone(world: World) -> None:
    """The next server has fewer: what waits for more is told of, and no more of that is started."""
    server = Server(world).start("--RaJobsApp.gpus=4", "--RaJobsApp.gpus=7")
    hold = server.launch("sleep 600", gpus=2)
    server.until(hold, "running")
    waits = server.launch("true", gpus=2)
    sweep = {"name": "s", "base_command": "true", "parameters": {"n": [1, 2]}, "gpus": 2}
    ready = server.post("/sweeps", **sweep).json["id"]
    server.stop()
    server.start("--RaJobsApp.gpus=4")
    (alert,) = wait_for(lambda: server.get("/alerts").json, "an alert")
    assert (alert["run_id"], alert["rule"]) == (waits, "too_few_gpus")
    assert "more GPUs are asked for than this server can give (1)" in alert["message"]
    for answer in (server.post(f"/runs/{waits}/start"), server.post(f"/sweeps/{ready}/start")):
        assert answer.status == 400
        assert "gpus: 2 are more than this server can give (1)" in answer.json["message"]
    assert server.get(f"/sweeps/{ready}").json["progress"]["ready"] == 2
    server.post(f"/alerts/{alert['id']}/respond", choice="Stop run")
    assert server.run(waits)["status"] == "stopped"
    server.post(f"/runs/{hold}/stop")
    server.ended(hold)


@pytest.mark.parametrize("path", ["/runs", "/sweeps"])
def test_more_gpus_than_there_are(shared_server: Server, path: str) -> None:
    """That can never fit, so nothing is created."""
    named = {"name": "large", "command": "true", "base_command": "true", "parameters": {"n": [1]}}
    answer = shared_server.post(path, **named, gpus=3)
    assert answer.status == 400
    assert "gpus: 3 are more than this server can give (0)" in answer.json["message"]


@pytest.mark.parametrize("path", ["/runs", "/sweeps"])
def test_after_nobody(shared_server: Server, path: str) -> None:
    """Nothing is created that waits for a run that does not exist."""
    named = {"name": "orphan", "command": "true", "base_command": "true", "parameters": {"n": [1]}}
    before = len(shared_server.get("/runs?limit=1000").json)
    answer = shared_server.post(path, **named, after=["0" * 12])
    assert answer.status == 400
    assert answer.json["message"] == "after: there is no run 000000000000"
    assert len(shared_server.get("/runs?limit=1000").json) == before


def test_found_gpus(world: World) -> None:
    """The server's own CUDA_VISIBLE_DEVICES says what it may give; a batch system sets it so."""
    world.env["CUDA_VISIBLE_DEVICES"] = "GPU-a1,3"
    server = Server(world).start()
    run_id = server.launch(SHOW_GPUS, gpus=2)
    assert server.ended(run_id)["gpu_ids"] == ["GPU-a1", "3"]
    assert server.log(run_id) == b"gpus=GPU-a1,3\n"
