"""The disk is full, read-only or away; what lies on it is spoilt, or not what it was."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.conftest import Server, World, wait_for
from tests.faults.catalogue.disk import (
    backup,
    hanging,
    mount,
    no_room_for,
    quiet,
    read_only,
    refuses_to_begin,
    restore,
    umount,
)
from tests.faults.test_tmux_killed import sidecar

WAITS = "echo before; until [ -e go ]; do sleep 0.02; done; echo after; exit 3"
OUTPUT = b"before\nafter\n"
BURST = 500_000_000


def at_work(server: Server, command: str = WAITS, **more: str) -> str:
    """A run in the middle of its output; it ends when `go` is there."""
    run_id = server.launch(command, **more)
    wait_for(lambda: server.log(run_id) == b"before\n", "it is at work")
    server.until(run_id, "running")
    return run_id


def go(server: Server) -> None:
    """Let it end."""
    (server.world.workdir / "go").touch()


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended; tmux may leave it a zombie for long."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def spooled_end(server: Server, run_id: str) -> bool:
    """Whether its spool says that it has ended."""
    return b'"exit_code"' in (server.run_dir(run_id) / "events.jsonl").read_bytes()


def check_end(server: Server, run_id: str) -> None:
    """It has ended as it should, with all of its output."""
    run = server.ended(run_id)
    assert (run["status"], run["exit_code"]) == ("failed", 3), run
    assert server.log(run_id) == OUTPUT


# -- full, read-only, away -----------------------------------------------------------------------------


@pytest.mark.parametrize("server_lives", [True, False])
def test_spool_full(server: Server, server_lives: bool) -> None:
    """No room for the end: the server is told it; is there none, the sidecar waits for either."""
    run_id = at_work(server, "echo before; until [ -e go ]; do sleep 0.02; done; exit 3")
    process, spool = sidecar(server, run_id), server.run_dir(run_id) / "events.jsonl"
    if not server_lives:
        server.kill()
    with no_room_for([process], spool.stat().st_size):
        go(server)
        if server_lives:
            assert server.ended(run_id)["exit_code"] == 3
        else:
            wait_for(lambda: not process.children(), "the command has ended")
            assert not is_gone(process)
        assert not spooled_end(server, run_id)
    if not server_lives:
        wait_for(lambda: spooled_end(server, run_id), "it is on the disk")
        server.start()
    run = server.ended(run_id)
    assert (run["status"], run["exit_code"]) == ("failed", 3)


def test_read_only_from_the_start(world: World) -> None:
    """A server refuses to begin there, and says why; when it can write, it begins."""
    (world.workdir / ".agents").mkdir()
    with read_only(world):
        assert "Read-only" in refuses_to_begin(Server(world))
    assert Server(world).start().get("/").status == 200


@pytest.mark.parametrize("what", [".", ".agents", ".agents/runs"])
def test_moved_away(server: Server, what: str) -> None:
    """Runs end there meanwhile, and none is taken for lost; when it is back, all is known."""
    run_id = at_work(server)
    process, world = sidecar(server, run_id), server.world
    folder, aside = (world.workdir / what).resolve(), world.root / "aside"
    with quiet(server):
        folder.rename(aside)
        (aside if what == "." else world.workdir).joinpath("go").touch()
        wait_for(lambda: is_gone(process), "its sidecar has gone")
        if what == ".agents/runs":
            wait_for(lambda: "can't be read" in server.output(), "the server has noticed")
        else:
            wait_for(lambda: "is away" in server.output(), "the server has noticed")
            assert server.get("/runs").status == 503
        aside.rename(folder)
        check_end(server, run_id)
    assert server.ended(server.launch("true"))["status"] == "finished"


def test_runs_away_when_a_server_starts(server: Server) -> None:
    """It refuses to begin, so that none is taken for lost; with the folder back, all is known."""
    run_id, done = at_work(server), server.ended(server.launch("true"))["id"]
    process, world = sidecar(server, run_id), server.world
    server.stop()
    folder, aside = world.workdir / ".agents" / "runs", world.root / "aside"
    folder.rename(aside)
    go(server)
    wait_for(lambda: is_gone(process), "its sidecar has gone")
    assert "the 1 active runs" in refuses_to_begin(server)
    assert not folder.exists()
    aside.rename(folder)
    server.start()
    check_end(server, run_id)
    assert server.run(done)["status"] == "finished"


def test_runs_removed_when_none_is_active(server: Server) -> None:
    """Somebody wanted the room: the next server begins, and knows what there was."""
    run_id = server.ended(server.launch("echo gone"))["id"]
    server.kill()
    shutil.rmtree(server.world.workdir / ".agents" / "runs")
    server.start()
    assert server.run(run_id)["status"] == "finished"
    assert server.get(f"/runs/{run_id}/logs").status == 200
    assert server.ended(server.launch("true"))["status"] == "finished"


def test_workdir_removed_for_good(server: Server) -> None:
    """The server says so, once; no sidecar stays behind, and nothing is made where the folder was."""
    run_id = at_work(server)
    process = sidecar(server, run_id)
    with quiet(server):
        shutil.rmtree(server.world.workdir)
        wait_for(lambda: "is away" in server.output(), "the server has noticed")
        assert server.post("/runs", name="x", command="true").status == 503
        process.terminate()
        wait_for(lambda: is_gone(process), "its sidecar has gone")
        assert not server.world.workdir.exists()
    server.stop()
    server.world.workdir.mkdir()
    server.start()
    assert server.ended(server.launch("true"))["status"] == "finished"


def test_working_folder_removed(server: Server) -> None:
    """The folder in which a run works is removed under it: it ends as its command does."""
    folder = server.world.workdir / "folder"
    folder.mkdir()
    run_id = at_work(
        server,
        "echo before; until [ -e ../go ] || [ ! -e . ]; do sleep 0.02; done; echo after; exit 3",
        workdir="folder",
    )
    folder.rmdir()
    go(server)
    check_end(server, run_id)


def test_working_folder_hangs(server: Server) -> None:
    """A folder answers nothing: its run's caller is told so, one in the queue waits, all others go on."""
    folder = server.world.root / "hangs"
    folder.mkdir()
    first = at_work(server, WAITS.removesuffix("; exit 3"))
    ready = server.create("echo on", workdir=str(folder))["id"]
    queued = server.launch("echo on", workdir=str(folder), after=[first])
    with hanging(folder):
        for answer in (
            server.post(f"/runs/{ready}/start"),
            server.post("/runs", name="new", command="true", workdir=str(folder)),
            server.post("/sweeps", name="new", base_command="true", parameters={}, workdir=str(folder)),
        ):
            assert (answer.status, "does not answer" in answer.json["message"]) == (400, True), answer
        go(server)
        server.ended(first)
        other = server.launch("sleep 600")
        server.until(other, "running")
        server.post(f"/runs/{other}/stop")
        assert server.ended(other)["status"] == "stopped"
        assert [server.run(run_id)["status"] for run_id in (ready, queued)] == ["ready", "queued"]
    wait_for(lambda: server.post(f"/runs/{ready}/start").status == 200, "the folder answers again")
    for run_id in (ready, queued):
        assert server.ended(run_id)["status"] == "finished"
        assert server.log(run_id) == b"on\n"


def test_working_folders_of_runs_at_work_hang(server: Server) -> None:
    """More of them than there are threads that look: all end right, and what others leave is seen as ever."""
    folders = [server.world.root / f"hangs-{number}" for number in range(8)]
    for folder in folders:
        folder.mkdir()
    waits = WAITS.replace("-e go", f"-e {server.world.workdir}/go")
    hung = [at_work(server, waits, workdir=str(folder)) for folder in folders]
    ended = server.launch("echo 1 > $RA_ARTIFACTS_DIR/mine.txt", workdir=str(folders[0]))
    server.ended(ended)
    with contextlib.ExitStack() as stack:
        for folder in folders:
            stack.enter_context(hanging(folder))
        paths = [f"/runs/{run_id}/{what}" for run_id in [*hung, ended] for what in ("artifacts", "metrics")]
        with ThreadPoolExecutor(len(paths)) as callers:
            for answer in callers.map(server.get, paths):
                assert (answer.status, "does not answer" in answer.json["message"]) == (503, True), answer
        other = server.launch(
            "echo 'loss' > $RA_ARTIFACTS_DIR/m.csv; echo nan >> $RA_ARTIFACTS_DIR/m.csv;"
            " printf '[####      ] 40%%\\n'; sleep 600"
        )
        wait_for(lambda: server.run(other)["progress"] == 40, "its progress is seen")
        wait_for(lambda: server.get("/alerts").json, "the alert of its NaN")
        assert [each["name"] for each in server.get(f"/runs/{other}/artifacts").json] == ["m.csv"]
        server.post(f"/runs/{other}/stop")
        assert server.ended(other)["status"] == "stopped"
        go(server)
        for run_id in hung:
            check_end(server, run_id)
    path = f"/runs/{ended}/artifacts/mine.txt"
    wait_for(lambda: server.get(path).body == b"1\n", "the folder answers again")


# -- the store -----------------------------------------------------------------------------------------


def cut(store: Path) -> None:
    """Half of it."""
    os.truncate(store, store.stat().st_size // 2)


def garble(store: Path) -> None:
    """Its size, and nothing else."""
    store.write_bytes(os.urandom(store.stat().st_size))


def from_the_future(store: Path) -> None:
    """Written by a newer version."""
    with contextlib.closing(sqlite3.connect(store)) as db:
        db.execute("PRAGMA user_version = 99")


def somebody_elses(store: Path) -> None:
    """A database of something else."""
    store.unlink()
    with contextlib.closing(sqlite3.connect(store)) as db:
        db.execute("CREATE TABLE runs (x)")


def make_folder(store: Path) -> None:
    """A folder in its place."""
    store.unlink()
    store.mkdir()


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (cut, "is broken"),
    "garbage": (garble, "is broken"),
    "empty": (lambda store: store.write_bytes(b""), "gone, or empty"),
    "deleted": (Path.unlink, "gone, or empty"),
    "folder": (make_folder, "is no file"),
    "newer": (from_the_future, "newer jupyter_ra_jobs (schema 99"),
    "another's": (somebody_elses, "none of runs"),
}


def test_store_spoilt_while_the_server_is_down(server: Server) -> None:
    """However it is: the next server refuses it, says why, and changes nothing. Runs go on meanwhile."""
    run_id = at_work(server)
    server.stop()
    agents = server.world.workdir / ".agents"
    whole = (agents / "jobs.db").read_bytes()
    for spoil, why in SPOILT.values():
        for left in agents.glob("jobs.db*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        (agents / "jobs.db").write_bytes(whole)
        spoil(agents / "jobs.db")
        assert why in refuses_to_begin(server)
    go(server)
    wait_for(lambda: spooled_end(server, run_id), "it has ended")
    (agents / "jobs.db").unlink()
    (agents / "jobs.db").write_bytes(whole)
    server.start()
    check_end(server, run_id)


def replace(store: Path) -> None:
    """By another file."""
    shutil.copy(store, store.with_name("other"))
    store.with_name("other").replace(store)


@pytest.mark.parametrize(
    ("spoil", "says"), [(Path.unlink, "is away"), (replace, "was replaced"), (cut, "was cut"), (garble, "")]
)
def test_store_spoilt_under_the_server(server: Server, spoil: Callable[[Path], object], says: str) -> None:
    """It says so, and gives no wrong status; restarted on a backup it knows how all ended."""
    run_id = at_work(server)
    copy = backup(server.world)
    with quiet(server):
        spoil(server.world.workdir / ".agents" / "jobs.db")
        go(server)
        wait_for(lambda: spooled_end(server, run_id), "it has ended")
        answer = server.get(f"/runs/{run_id}")
        if says or answer.status != 200:  # of what SQLite still has in memory, the words are right
            assert answer.status == 503
            assert says in answer.json["message"]
    server.kill()
    restore(server.world, copy)
    server.start()
    check_end(server, run_id)


def test_leftover_log_of_the_store(server: Server) -> None:
    """The -wal of a server that was killed is part of the store; without it, what it held is not known."""
    run_id = at_work(server)
    server.kill()
    wal = server.world.workdir / ".agents" / "jobs.db-wal"
    assert wal.stat().st_size
    server.start()
    go(server)
    check_end(server, run_id)
    server.kill()
    for left in wal.parent.glob("jobs.db-*"):
        left.unlink()
    server.start()
    assert {run["id"] for run in server.get("/runs").json} <= {run_id}
    assert server.ended(server.launch("true"))["status"] == "finished"


def test_log_of_another_store(server: Server, tmp_path: Path) -> None:
    """A backup beside the -wal of what was there before: no mixture of the two is taken for the truth."""
    early = backup(server.world)
    ids = [server.create("true", notes="x" * 20_000)["id"] for _ in range(300)]  # the log is used again
    server.kill()
    store = server.world.workdir / ".agents" / "jobs.db"
    shutil.copy(store, tmp_path / "kept.db")
    shutil.copy(early, store)
    assert "is broken" in refuses_to_begin(server)
    shutil.copy(tmp_path / "kept.db", store)
    server.start()
    assert server.run(ids[0])["status"] == "ready"
    assert server.run(ids[-1])["status"] == "ready"


# -- logs ----------------------------------------------------------------------------------------------

PUT: dict[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo,
    "folder": Path.mkdir,
    "link": lambda path: path.symlink_to("/etc/passwd"),
    "file": lambda path: path.write_bytes(b"another\n"),
}


@pytest.mark.parametrize("what", PUT)
def test_log_replaced(server: Server, what: str) -> None:
    """Readers get what is a file there, and nothing else; the run ends as it should, and so do streams."""
    run_id = at_work(server)
    log = server.run_dir(run_id) / "run.log"
    log.unlink()
    PUT[what](log)
    page = server.get(f"/runs/{run_id}/logs")
    assert page.status == (200 if what == "file" else 404)
    assert what != "file" or page.json["content"] == "another\n"
    go(server)
    run = server.ended(run_id)
    assert (run["status"], run["exit_code"]) == ("failed", 3)
    stream = server.get(f"/runs/{run_id}/logs/stream")
    assert stream.status == (200 if what == "file" else 404)
    assert b"root:" not in page.body + stream.body
    assert "could not be put back" in (server.run_dir(run_id) / "sidecar.log").read_text()


def test_log_cut(server: Server) -> None:
    """What comes after the cut is there, to its readers too."""
    run_id = at_work(server)
    os.truncate(server.run_dir(run_id) / "run.log", 0)
    go(server)
    assert server.ended(run_id)["exit_code"] == 3
    assert server.log(run_id) == b"after\n"
    assert server.get(f"/runs/{run_id}/logs").json["content"] == "after\n"


def test_huge_burst(server: Server) -> None:
    """In one go, without a newline: every byte, and the server answers meanwhile."""
    if shutil.disk_usage(server.world.root).free < 3 * BURST:
        pytest.skip("there is no room for it")
    run_id = server.launch(f"head -c {BURST} /dev/zero | tr '\\0' x; exit 3")
    log = server.run_dir(run_id) / "run.log"

    def growing() -> bool:
        assert server.get(f"/runs/{run_id}/logs?limit=1000").status == 200
        return server.run(run_id)["status"] == "failed"

    wait_for(growing, "it has ended", patience=300)
    assert server.run(run_id)["exit_code"] == 3
    assert log.stat().st_size == BURST
    with log.open("rb") as file:
        while part := file.read(1 << 20):
            assert part.count(b"x") == len(part)


def test_full_disk_of_a_run_folder(server: Server) -> None:
    """The folder of one run takes nothing: that one waits in the queue, and others go."""
    first, second = (server.create("echo on")["id"] for _ in range(2))
    folder = server.run_dir(first)
    folder.mkdir(parents=True)
    mount("-t", "tmpfs", "-o", "ro,size=4k", "tmpfs", folder)
    try:
        for run_id in (first, second):
            server.post(f"/runs/{run_id}/queue")
        assert server.post(f"/runs/{first}/start").status == 507
        assert server.post(f"/runs/{second}/start").status == 200
        assert server.ended(second)["status"] == "finished"
        assert server.run(first)["status"] == "queued"
    finally:
        umount(folder)
    assert server.post(f"/runs/{first}/start").status == 200
    assert server.ended(first)["status"] == "finished"
