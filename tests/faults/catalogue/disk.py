"""What happens to the disk, and to what lies on it."""

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import RA_JOBS, Server, World, wait_for
from tests.faults.amid import PARALLEL, Amid, End, alone, fault, full_disk


def mount(*arguments: str | Path) -> None:
    """mount(8), or a test that is skipped."""
    if subprocess.run(["mount", *map(str, arguments)], check=False, capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")


def umount(*arguments: str | Path) -> None:
    """umount(8)."""
    subprocess.run(["umount", *map(str, arguments)], check=True)


@contextlib.contextmanager
def no_room_for(processes: list[psutil.Process], size: int) -> Iterator[None]:
    """No file takes a byte beyond this offset from these processes: a full disk, for them alone."""
    before = [(process, process.rlimit(resource.RLIMIT_FSIZE)) for process in processes]
    for process, (_, hard) in before:
        process.rlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        for process, limits in before:
            with contextlib.suppress(psutil.NoSuchProcess):  # it told the server, and has ended
                process.rlimit(resource.RLIMIT_FSIZE, limits)


@contextlib.contextmanager
def quiet(server: Server) -> Iterator[None]:
    """What was foreseen is no traceback in the server's log, and not said at each try."""
    before = server.output()
    yield
    said = server.output().removeprefix(before)
    assert "Traceback" not in said, said
    assert len(said.splitlines()) < 60, said


@contextlib.contextmanager
def away(world: World) -> Iterator[Path]:
    """The workdir's file system is detached, as one that the network lost; where it still can be reached."""
    if not world.workdir.is_mount():
        pytest.skip("a tmpfs may not be mounted here")
    kept = world.root / "kept"
    kept.mkdir()
    mount("--bind", world.workdir, kept)
    umount("--lazy", world.workdir)
    try:
        yield kept
    finally:
        mount("--bind", kept, world.workdir)
        umount(kept)
        kept.rmdir()


@contextlib.contextmanager
def hanging(folder: Path) -> Iterator[None]:
    """A file system is mounted here that answers nothing, as that of a network whose server is away."""
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        pytest.skip("there is no FUSE here")
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
    try:
        if ctypes.CDLL(None).mount(b"hangs", os.fsencode(folder), b"fuse", 0, options.encode()):
            pytest.skip("nothing may be mounted here")
        try:
            yield
        finally:
            umount("--lazy", folder)
    finally:
        os.close(device)  # ends it, and whoever still waits for an answer


@contextlib.contextmanager
def read_only(world: World) -> Iterator[None]:
    """Nothing more can be opened to write in the workdir."""
    mount("--bind", world.workdir, world.workdir)
    mount("-o", "remount,bind,ro", world.workdir)
    try:
        yield
    finally:
        umount("--lazy", world.workdir)


@contextlib.contextmanager
def no_inodes(world: World) -> Iterator[None]:
    """There is room for bytes, and for not one file more."""
    if not world.workdir.is_mount():
        pytest.skip("a tmpfs may not be mounted here")

    def limited_to(files: int) -> bool:
        options = ["-o", f"remount,nr_inodes={files}"]
        return not subprocess.run(["mount", *options, world.workdir], check=False).returncode

    def used() -> int:
        now = os.statvfs(world.workdir)
        return now.f_files - now.f_ffree

    all_of_them = os.statvfs(world.workdir).f_files
    wait_for(lambda: limited_to(used()), "there are no more files than are allowed")
    try:
        yield
    finally:
        assert limited_to(all_of_them)


def refuses_to_start(server: Server) -> str:
    """A new run can't be started, and is none the worse for it; its id."""
    run_id = str(server.create("echo later")["id"])
    refused = server.post(f"/runs/{run_id}/start")
    assert refused.status == 507, refused.body
    assert server.run(run_id)["status"] == "ready"
    return run_id


def starts_now(server: Server, run_id: str) -> None:
    """It can be."""
    assert server.post(f"/runs/{run_id}/start").status == 200
    assert server.ended(run_id)["status"] == "finished"
    assert server.log(run_id) == b"later\n"


def ended_there(amid: Amid, kept: Path) -> None:
    """Let all that is at work end, in the file system that the server does not see."""
    (kept / amid.folder.name / "go").touch()
    for run_id in amid.at_work:
        spool = kept / ".agents" / "runs" / run_id / "events.jsonl"
        wait_for(lambda spool=spool: b'"exit_code"' in spool.read_bytes(), "it has ended")


@fault
@alone
def disk_full(amid: Amid) -> None:
    """Not one byte more fits; then there is room again."""
    with full_disk(amid.world), quiet(amid.server):
        # What SQLite has of the disk already, it can write over: that takes some.
        wait_for(lambda: _post_much(amid.server) == 507, "no run can be made")
        assert amid.progress()["running"] == PARALLEL


def _post_much(server: Server) -> int:
    return server.post("/runs", name="x", command="true", env={"X": "x" * 100_000}).status


@fault
@alone
def store_full(amid: Amid) -> None:
    """The disk takes nothing from the server while runs end."""
    assert amid.server.process is not None
    with no_room_for([psutil.Process(amid.server.process.pid)], 1), quiet(amid.server):
        amid.go()
        for run_id in amid.at_work:
            wait_for(lambda run_id=run_id: amid.ended_on_disk(run_id), "it has ended")
        assert amid.server.post("/runs", name="x", command="true").status == 507
        assert amid.progress()["running"] == PARALLEL


@fault
def logs_full(amid: Amid) -> None:
    """The disk takes nothing more of the logs while the commands write on: they wait, and lose nothing."""
    sidecars = [amid.sidecar(run_id) for run_id in amid.at_work]
    size = len(amid.server.log(amid.at_work[0]))
    with no_room_for(sidecars, size):
        amid.go()
        for run_id in amid.at_work:
            story = amid.server.run_dir(run_id) / "sidecar.log"
            wait_for(lambda story=story: "the output waits" in story.read_text(), "its output waits")
        assert amid.progress()["running"] == PARALLEL


@fault
@alone
def inodes_used_up(amid: Amid) -> None:
    """Not one file more can be made."""
    with no_inodes(amid.world):
        later = refuses_to_start(amid.server)
    starts_now(amid.server, later)


@fault
@alone
def workdir_read_only(amid: Amid) -> None:
    """The workdir is mounted read-only, and read-write again."""
    with read_only(amid.world):
        later = refuses_to_start(amid.server)
    starts_now(amid.server, later)


@fault
@alone
def workdir_away(amid: Amid) -> None:
    """The workdir's file system is gone while runs end there; then it is back."""
    with away(amid.world) as kept, quiet(amid.server):
        ended_there(amid, kept)
        wait_for(lambda: "is away" in amid.server.output(), "the server has noticed")
        answer = amid.server.get(f"/runs/{amid.ids[0]}")
        assert answer.status == 503
        assert "is away" in answer.json["message"]


def remove(folder: Path) -> None:
    """rm -rf, again if somebody has made a file there behind its back."""
    command = ["rm", "-rf", folder]
    wait_for(lambda: not subprocess.run(command, check=False).returncode, "it is removed")


@fault
def run_folders_removed(amid: Amid) -> None:
    """rm -rf of the folders of runs at work: their logs and spools come back."""
    for run_id in amid.at_work:
        remove(amid.server.run_dir(run_id))


@fault
def logs_removed(amid: Amid) -> None:
    """Of runs at work, with a folder in place of sidecar.log too."""
    for run_id in amid.at_work:
        folder = amid.server.run_dir(run_id)
        (folder / "run.log").unlink()
        (folder / "sidecar.log").unlink()
        (folder / "sidecar.log").mkdir()


@fault
@alone
def small_files_damaged(amid: Amid) -> None:
    """server.json, and the spec.json of runs at work, hold anything but what they should."""
    for n, run_id in enumerate(amid.at_work):
        spec = amid.server.run_dir(run_id) / "spec.json"
        spec.write_bytes([b"", b"{", b"\xff\x00", b"[1]"][n])
    where = amid.world.workdir / ".agents" / "server.json"
    for content in (b"", b"{", b'{"port": "x"}', b"\xff\x00"):
        where.write_bytes(content)
        wait_for(lambda: _port(where) == amid.server.port, "the server says again where it is")


def _port(where: Path) -> object:
    with contextlib.suppress(ValueError):
        return json.loads(where.read_bytes()).get("port")
    return None


# -- the store -----------------------------------------------------------------------------------------


def backup(world: World) -> Path:
    """A copy of the store, as docs/operations.md has it made."""
    copy = world.root / "backup.db"
    copy.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(world.workdir / ".agents" / "jobs.db")) as db:
        db.execute("VACUUM INTO ?", [str(copy)])
    return copy


def restore(world: World, copy: Path) -> None:
    """Put it in the place of what is there."""
    for path in (world.workdir / ".agents").glob("jobs.db*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copy(copy, world.workdir / ".agents" / "jobs.db")
    copy.unlink()


def refuses_to_begin(server: Server) -> str:
    """The server does not start on such a store, says why in its last line, and leaves the store as it is."""
    store = server.world.workdir / ".agents" / "jobs.db"
    before = store.read_bytes() if store.is_file() else None
    command = ["--workdir", str(server.world.workdir), "--allow-root", "--ServerApp.port=0"]
    said = subprocess.run(
        [*RA_JOBS, *command],
        env=server.world.env,
        cwd=server.world.root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 1, said.stderr
    last = said.stderr.splitlines()[-1]
    assert str(store.parent) in last, said.stderr
    assert (store.read_bytes() if store.is_file() else None) == before
    return last


@fault
@alone
def store_spoilt_while_the_server_is_down(amid: Amid) -> None:
    """Garbage, then an empty file: the next server refuses both; with a backup in place all goes on."""
    copy = backup(amid.world)
    amid.server.kill()
    amid.go()
    store = amid.world.workdir / ".agents" / "jobs.db"
    store.with_name("jobs.db-wal").unlink()  # with that it may be whole, whatever is in the file itself
    store.write_bytes(os.urandom(20_000))
    assert "is broken" in refuses_to_begin(amid.server)
    store.write_bytes(b"")
    assert "gone, or empty" in refuses_to_begin(amid.server)
    restore(amid.world, copy)
    amid.server.start()


@fault
@alone
def store_spoilt_under_the_server(amid: Amid) -> None:
    """Cut to nothing: it says so, and takes no word from it; restarted on a backup it knows all."""
    copy = backup(amid.world)
    with quiet(amid.server):
        os.truncate(amid.world.workdir / ".agents" / "jobs.db", 0)
        amid.go()
        for run_id in amid.at_work:
            wait_for(lambda run_id=run_id: amid.ended_on_disk(run_id), "it has ended")
        answer = amid.server.get(f"/runs/{amid.at_work[0]}")
        assert answer.status == 503
        assert "was cut" in answer.json["message"]
    amid.server.kill()
    restore(amid.world, copy)
    amid.server.start()


@fault
@alone
def power_cut(amid: Amid) -> None:
    """What lay on the disk at some moment is all that there is: no process lives, later words are lost."""
    agents, cut = amid.world.workdir / ".agents", amid.world.root / "cut"
    shutil.copytree(agents, cut)
    sidecars = [amid.sidecar(run_id) for run_id in amid.at_work]
    amid.server.kill()
    for sidecar in sidecars:
        for process in [*sidecar.children(recursive=True), sidecar]:
            with contextlib.suppress(psutil.NoSuchProcess):  # a child may end by itself meanwhile
                process.send_signal(signal.SIGKILL)
    psutil.wait_procs(sidecars, timeout=10)
    amid.world.tmux("kill-server")
    shutil.rmtree(agents)
    shutil.copytree(cut, agents)
    shutil.rmtree(cut)
    for run_id in amid.at_work:
        amid.expect(run_id, End("failed", None, "sidecar lost", whole=False))
    amid.server.start()
