"""Runs wait for a slot, in their order, and start when one is free; each of them once."""

import threading

import pytest

from tests.conftest import Server, World, wait_for

COMMAND = "echo {n} >>order; until [ -e go.{n} ]; do sleep 0.02; done; echo done {n}"


def order(server: Server) -> list[str]:
    """Which runs have begun, first come first."""
    path = server.world.workdir / "order"
    return path.read_text().split() if path.exists() else []


def go(server: Server, n: int) -> None:
    """Let the n-th run end."""
    (server.world.workdir / f"go.{n}").touch()


def test_queue_drains_in_order(world: World) -> None:
    """With two slots two run; each that ends makes room for the next, without anybody asking again."""
    server = Server(world, "--RaJobsApp.max_running=2").start()
    ids = [server.create(COMMAND.format(n=n))["id"] for n in range(5)]
    wait_in_vain = server.create("echo unasked >>order")["id"]
    server.post(f"/runs/{wait_in_vain}/queue")
    answers = [server.post(f"/runs/{run_id}/start").json["run"]["status"] for run_id in ids]
    assert set(answers[:2]) <= {"launching", "running"}
    assert answers[2:] == ["queued"] * 3
    assert [server.run(run_id)["queue_position"] for run_id in ids] == [None, None, 2, 3, 4]
    wait_for(lambda: sorted(order(server)) == ["0", "1"], "two run")
    assert server.post(f"/runs/{ids[3]}/stop").json["run"]["status"] == "stopped"
    go(server, 1)
    wait_for(lambda: order(server)[2:] == ["2"], "the next one runs")
    go(server, 2)
    wait_for(lambda: order(server)[3:] == ["4"], "the one after it was stopped, so another one runs")
    for n in (0, 4):
        go(server, n)
    assert [server.ended(run_id)["status"] for run_id in ids] == [
        *["finished"] * 3,
        "stopped",
        "finished",
    ]
    assert server.run(wait_in_vain)["status"] == "queued"
    assert order(server)[2:] == ["2", "4"]


def test_queue_survives_the_server(world: World) -> None:
    """What waits for a slot when the server dies is started by the next one."""
    server = Server(world, "--RaJobsApp.max_running=1").start()
    ids = [server.launch(COMMAND.format(n=n)) for n in range(3)]
    wait_for(lambda: order(server) == ["0"], "the first runs")
    server.kill()
    for n in range(3):
        go(server, n)
    server.start()
    assert [server.ended(run_id)["status"] for run_id in ids] == ["finished"] * 3
    assert order(server) == ["0", "1", "2"]


def test_auto_start_queued(world: World) -> None:
    """With auto_start_queued the queue needs no /start, and what was queued before is taken too."""
    server = Server(world).start()
    earlier = server.create("true")["id"]
    server.post(f"/runs/{earlier}/queue")
    server.stop()
    server = Server(world, "--RaJobsApp.auto_start_queued=True").start()
    assert server.ended(earlier)["status"] == "finished"
    run_id = server.create("true")["id"]
    server.post(f"/runs/{run_id}/queue")
    assert server.ended(run_id)["status"] == "finished"


def test_started_twice_at_once(shared_server: Server) -> None:
    """Of many who start a run at the same instant one succeeds, the others are told; it runs once."""
    server = shared_server
    for n in range(3):
        run_id = server.create(f"echo once >>twice.{n}")["id"]
        together = threading.Barrier(6)
        statuses: list[int] = []

        def start(run_id: str = run_id, together: threading.Barrier = together) -> None:
            together.wait()
            statuses.append(server.post(f"/runs/{run_id}/start").status)  # noqa: B023

        threads = [threading.Thread(target=start) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] + [409] * 5
        assert server.ended(run_id)["status"] == "finished"
        assert (server.world.workdir / f"twice.{n}").read_text() == "once\n"


@pytest.mark.parametrize("attempt", range(5))
def test_stop_during_launching(shared_server: Server, attempt: int) -> None:
    """A stop that comes while the run is being launched ends it, and nothing of it goes on."""
    server = shared_server
    run_id = server.create("echo on; sleep 1000; echo never")["id"]
    starter = threading.Thread(target=lambda: server.post(f"/runs/{run_id}/start"))
    starter.start()
    wait_for(lambda: server.run(run_id)["status"] != "ready", "it is claimed")
    assert server.post(f"/runs/{run_id}/stop").status == 200
    starter.join()
    assert server.ended(run_id)["status"] == "stopped"
    assert b"never" not in server.log(run_id)
    wait_for(lambda: not any(run_id in window for window in server.world.windows()), "the window is gone")


def test_two_servers_on_one_workdir(world: World) -> None:
    """Both know all runs, each run is started once, and both may die without harm to it."""
    servers = [Server(world).start(), Server(world).start()]
    ids = [servers[0].create(f"echo once >>both.{n}; exit {n}")["id"] for n in range(8)]
    statuses: list[int] = []

    def start(server: Server) -> None:
        statuses.extend(server.post(f"/runs/{run_id}/start").status for run_id in ids)

    threads = [threading.Thread(target=start, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 8 + [409] * 8
    for server in servers:
        assert [server.ended(run_id)["exit_code"] for run_id in ids] == list(range(8))
    for n in range(8):
        assert (world.workdir / f"both.{n}").read_text() == "once\n"
    goes_on = servers[1].launch("until [ -e go ]; do sleep 0.02; done; exit 7")
    servers[0].until(goes_on, "running")
    servers[1].kill()
    (world.workdir / "go").touch()
    assert servers[0].ended(goes_on)["exit_code"] == 7
