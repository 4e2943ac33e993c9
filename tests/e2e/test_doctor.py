"""`jupyter ra-jobs doctor`, on workdirs that are broken as real ones are."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store
from jupyter_ra_jobs.store.database import wal_of
from tests.conftest import RA_JOBS, Server, World, wait_for

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def call(world: World, *options: str) -> subprocess.CompletedProcess[str]:
    """Call the doctor, and see that it has changed nothing."""
    was = files(world)
    command = [*RA_JOBS, "doctor", "--workdir", str(world.workdir), *options]
    done = subprocess.run(command, env=world.env, cwd=world.root, capture_output=True, text=True, check=False)
    assert files(world) == was
    assert done.stderr == ""
    return done


def files(world: World) -> dict[str, Any]:
    """All that lies in the workdir and at tmux's socket; nothing while a server writes there too."""
    found: dict[str, Any] = {}
    if Layout(world.workdir).other_server() is not None:
        return found
    for path in [*world.workdir.rglob("*"), *world.tmux_tmpdir.rglob("*")]:
        at = path.lstat()
        kept = path.name in {"jobs.db", "jobs.db-wal", "spec.json", "server.json"}
        found[str(path)] = (at.st_mode, at.st_uid, at.st_mtime_ns if kept else None)
    return found


def examined(world: World, *options: str) -> dict[str, list[dict[str, Any]]]:
    """What was found wrong, by what it is about; the exit code says whether something failed."""
    done = call(world, "--json", *options)
    findings = json.loads(done.stdout)
    for finding in findings:
        assert finding.keys() == {"level", "what", "says", "mend"}
        assert (finding["mend"] is None) == (finding["level"] == "ok")
    assert done.returncode == int(any(finding["level"] == "fail" for finding in findings))
    wrong: dict[str, list[dict[str, Any]]] = {}
    for finding in findings:
        if finding["level"] != "ok":
            wrong.setdefault(finding["what"], []).append(finding)
    return wrong


def only(wrong: dict[str, list[dict[str, Any]]], level: str, what: str) -> dict[str, Any]:
    """The one thing that is wrong."""
    assert list(wrong) == [what], wrong
    (finding,) = wrong[what]
    assert finding["level"] == level
    return finding


@pytest.fixture
def used(world: World) -> World:
    """A workdir with a run of old, and no server."""
    server = Server(world).start()
    server.ended(server.launch("echo hello"))
    server.stop()
    return world


def store(world: World) -> Store:
    """The store, opened as a server does."""
    layout = Layout(world.workdir)
    return Store(layout.database, layout.runs)


def test_well(server: Server) -> None:
    """Beside a server with a run at work: every line is `ok`, and nothing needs mending."""
    server.until(server.launch("cat"), "running")
    done = call(server.world)
    assert (done.returncode, done.stderr) == (0, "")
    assert {line[:4] for line in done.stdout.splitlines()} == {"ok  "}
    for words in ("Python 3", "tmux 3", "sessions: research-agent", "1 runs", "1 active", "answers, version"):
        assert words in done.stdout


def test_nothing_yet(world: World) -> None:
    """A new project is no illness; nor is anything made there, or a tmux server started."""
    assert examined(world) == {}
    assert list(world.workdir.iterdir()) == list(world.tmux_tmpdir.iterdir()) == []
    world.workdir.rmdir()
    assert "no folder" in only(examined(world), "fail", "workdir")["says"]
    world.workdir.mkdir()


def test_server_killed(server: Server) -> None:
    """What waits in the WAL, and the address that was left; the next start mends both."""
    server.until(server.launch("cat"), "running")
    server.kill()
    shared = server.world.workdir / ".agents" / "jobs.db-shm"
    was = shared.read_bytes()
    wrong = examined(server.world)
    assert shared.read_bytes() == was
    shared.unlink()
    assert examined(server.world) == wrong
    assert wrong.keys() == {"store", "server"}
    assert (
        "jobs.db-wal, as after a server that was killed; all of them can be read"
        in (wrong["store"][0]["says"])
    )
    assert "ended without a word" in wrong["server"][0]["says"]
    server.start()
    assert examined(server.world) == {}


def test_sidecar_lost(server: Server) -> None:
    """A run that nobody supervises, while no server is there to see it."""
    run_id = server.launch("cat")
    server.until(run_id, "running")
    server.kill()
    server.world.tmux("kill-server")
    for process in server.world.processes():
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    wait_for(lambda: not server.world.processes(), "all are gone")
    assert run_id in examined(server.world)["runs"][0]["says"]
    server.start()
    server.ended(run_id)
    wait_for((server.run_dir(run_id) / "found.json").exists, "the last look at what it left")
    assert examined(server.world) == {}


def test_sidecar_left_over(server: Server) -> None:
    """One whose run has ended, as the store has it; what mends it stops the command too."""
    run_id = server.launch("exec sleep 1000")
    server.until(run_id, "running")
    server.kill()
    opened = store(server.world)
    assert opened.move(run_id, RunStatus.FAILED)
    opened.close()
    (finding,) = examined(server.world)["runs"]
    assert run_id in finding["says"]
    subprocess.run(finding["mend"].partition("stop them: ")[2].split(), check=True)
    wait_for(lambda: not server.world.find("sleep", "1000"), "the command has ended")
    wait_for(lambda: "runs" not in examined(server.world), "the sidecar too")


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 10_000)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scribble(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 + 100)
        file.write(os.urandom(path.stat().st_size - 8192))


def empty(path: Path) -> None:
    os.truncate(path, 0)


def empty_bytes(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def newer(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("spoil", [garbage, truncate, scribble, empty, newer, Path.unlink])
def test_store_broken(used: World, spoil: Callable[[Path], None]) -> None:
    """Fails, and says what to do."""
    spoil(used.workdir / ".agents" / "jobs.db")
    finding = only(examined(used), "fail", "store")
    assert ("newer" in finding["says"]) if spoil is newer else ("restore" in finding["mend"])


@pytest.fixture
def waiting(used: World) -> Path:
    """What a writer that was killed has left beside the store: a word in the WAL, that of a run's name."""
    database, kept = used.workdir / ".agents" / "jobs.db", used.root / "kept"
    kept.mkdir()
    with contextlib.closing(sqlite3.connect(database)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        for name in ("first", "second"):
            writer.execute("UPDATE runs SET name = ?", (name,))
            writer.commit()
        for path in (database, wal_of(database)):
            shutil.copy(path, kept)
    for path in kept.iterdir():
        path.chmod(0o600)
        path.rename(database.with_name(path.name))
    return wal_of(database)


class TestWal:
    """What a server that was killed left is told of as far as it can be known."""

    def test_whole(self, used: World, waiting: Path) -> None:
        """All of it fits its checksums."""
        says = only(examined(used), "warn", "store")["says"]
        assert f"{waiting.stat().st_size:,} bytes" in says
        assert "all of them can be read" in says

    def test_cut(self, used: World, waiting: Path) -> None:
        """A part of it does."""
        os.truncate(waiting, waiting.stat().st_size - 100)
        assert "the first 4,152 can be read, and" in only(examined(used), "warn", "store")["says"]

    @pytest.mark.parametrize("spoil", [garbage, empty_bytes])
    def test_garbage(self, used: World, waiting: Path, spoil: Callable[[Path], None]) -> None:
        """Nothing is promised of it; and it is left as it is."""
        spoil(waiting)
        finding = only(examined(used), "warn", "store")
        assert "none of them can be read: what was written last may be lost" in finding["says"]
        assert "backup" in finding["mend"]

    def test_no_room_for_a_copy(self, used: World, waiting: Path) -> None:
        """It is read from a copy, which must not fill the disk."""
        os.truncate(waiting, 1 << 43)
        finding = only(examined(used), "fail", "store")
        assert "TMPDIR" in finding["says"]


def test_beside_a_writer(used: World) -> None:
    """Another program has it open, and amid a write; what it has committed is read."""
    database = used.workdir / ".agents" / "jobs.db"
    with contextlib.closing(sqlite3.connect(database)) as writer:
        writer.execute("INSERT INTO meta VALUES ('committed', '')")
        writer.commit()
        writer.execute("UPDATE runs SET status = 'ready'")
        assert examined(used) == {}
        writer.rollback()
    assert [path.name for path in database.parent.glob("jobs.db*")] == ["jobs.db"]


@pytest.mark.parametrize("is_file", [False, True])
def test_runs_gone(used: World, is_file: bool) -> None:
    """The folder of all runs is not there, or something else is in its place; what it says mends it."""
    runs = used.workdir / ".agents" / "runs"
    runs.rename(used.root / "backup")
    if is_file:
        runs.touch(mode=0o600)
    *no_folder, lost = examined(used)["runs"]
    assert (lost["level"], "1 runs were started" in lost["says"]) == ("fail", True)
    assert "backup" in lost["mend"]
    assert len(no_folder) == is_file
    for finding in no_folder:
        assert "no folder" in finding["says"]
        assert "move it away" in finding["mend"]
        runs.unlink()
    (used.root / "backup").rename(runs)
    assert examined(used) == {}


def test_data_is_a_file(world: World) -> None:
    """No server starts there."""
    (world.workdir / ".agents").touch()
    assert "no folder" in only(examined(world), "fail", "data")["says"]


def test_store_is_no_file(used: World) -> None:
    """A pipe, which who opens it waits for."""
    database = used.workdir / ".agents" / "jobs.db"
    database.unlink()
    os.mkfifo(database, 0o600)
    with database.open("rb+", buffering=0) as pipe:
        assert "no file" in only(examined(used), "fail", "store")["says"]
        assert pipe


def test_start_that_was_refused(used: World) -> None:
    """An older version left a folder without a spec: no run was in it, and none is lost."""
    runs = used.workdir / ".agents" / "runs"
    (runs / "0123456789ab" / "artifacts").mkdir(mode=0o700, parents=True)
    (runs / "0123456789ab").chmod(0o700)
    for path in [*runs.glob("0123456789ab"), *runs.glob("0123456789ab/*")]:
        os.utime(path, (time.time() - 100,) * 2)
    assert examined(used) == {}


def test_left_over_files(used: World) -> None:
    """Of a crash while a launch was prepared, and of a store that was put back; not those of this moment."""
    runs = used.workdir / ".agents" / "runs"
    (known,) = runs.iterdir()
    unknown = runs / "\x1b[31m$(touch x)"
    unknown.mkdir(mode=0o700)
    (unknown / "spec.json").touch(mode=0o600)
    half = known / "spec.json.123.a b"
    half.touch(mode=0o600)
    assert examined(used) == {}
    for path in (unknown, half):
        os.utime(path, (time.time() - 100,) * 2)
    folders, leftover = examined(used)["runs"]
    assert str(unknown) in folders["says"]
    shown = call(used).stdout
    assert "warn" in shown
    assert "\x1b" not in shown
    subprocess.run(["bash", "-c", leftover["mend"]], check=True)
    assert not half.exists()
    shutil.rmtree(unknown)
    assert examined(used) == {}


def test_files_gone(server: Server) -> None:
    """Of runs that were given them; and a half-made upload is no file."""
    content = b"content"
    sha256 = hashlib.sha256(content).hexdigest()
    assert server.request("PUT", f"/files/{sha256}", content).status == 200
    run_id = server.create("true", files={"a": sha256})["id"]
    assert examined(server.world) == {}
    folder = server.world.workdir / ".agents" / "files"
    (folder / sha256).rename(folder / f"{sha256}.123.1.abcd")
    os.utime(folder / f"{sha256}.123.1.abcd", (time.time() - 100,) * 2)
    half, gone = examined(server.world)["runs"]
    assert f"{sha256}.123.1.abcd" in half["says"]
    assert f"{sha256} (of run {run_id})" in gone["says"]
    (folder / f"{sha256}.123.1.abcd").chmod(0o644)
    assert "others may read" in examined(server.world)["rights"][0]["says"]


@pytest.mark.parametrize("name", ["", "runs", "jobs.db"])
def test_open_to_others(used: World, name: str) -> None:
    """Fails, and what it says mends it."""
    path = used.workdir / ".agents" / name
    path.chmod(path.stat().st_mode | 0o044)
    finding = only(examined(used), "fail", "rights")
    assert finding["says"].count(".agents") == 1
    subprocess.run(["bash", "-c", finding["mend"]], check=True)
    assert examined(used) == {}


@as_root
@pytest.mark.parametrize("name", ["", "runs", "jobs.db"])
def test_not_ours(used: World, name: str) -> None:
    """The server would refuse it; what it says mends it."""
    os.chown(used.workdir / ".agents" / name, 65534, 65534)
    finding = only(examined(used), "fail", "rights")
    subprocess.run(["bash", "-c", finding["mend"].partition(",")[0]], check=True)
    assert examined(used) == {}


def test_workdir_of_many(world: World) -> None:
    """Where others may write, they could exchange .agents; not where the sticky bit is set."""
    world.workdir.chmod(0o777)
    assert "others may write" in only(examined(world), "warn", "workdir")["says"]
    world.workdir.chmod(0o1777)
    assert examined(world) == {}


def test_disk_low(used: World) -> None:
    """By the server's own setting."""
    assert (
        "nearly full" in only(examined(used, f"--RaJobsApp.disk_low_bytes={1 << 60}"), "warn", "disk")["says"]
    )


def test_settings_of_the_server(world: World) -> None:
    """Are taken from its file, as the server takes them."""
    config = Path(world.env["JUPYTER_CONFIG_DIR"])
    config.mkdir()
    (config / "jupyter_ra_jobs_config.py").write_text("c.RaJobsApp.shell = 'no-such-shell'\n")
    assert "no-such-shell" in only(examined(world), "fail", "shell")["says"]
    assert examined(world, "--RaJobsApp.shell=sh") == {}


@pytest.mark.parametrize("file", ["jupyter_ra_jobs_config.py", "jupyter_server_config.py"])
def test_wrong_settings(used: World, file: str) -> None:
    """All of them are said, and what would be right; the rest is looked at as ever."""
    config = Path(used.env["JUPYTER_CONFIG_DIR"])
    config.mkdir(exist_ok=True)
    (config / file).write_text(
        "c.RaJobsApp.max_streams = 'x'\nc.RaJobsApp.tmux_session = 'a:b'\nc.RaJobsApp.shell = 'no-such-shell'"
    )
    wrong = examined(used, "--RaJobsApp.max_running=-1")
    assert wrong.keys() == {"settings", "shell"}
    assert {finding["level"] for finding in wrong["settings"]} == {"fail"}
    said = {finding["says"].split()[0]: finding for finding in wrong["settings"]}
    assert said.keys() == {f"RaJobsApp.{name}" for name in ("max_streams", "tmux_session", "max_running")}
    assert "'x'" in said["RaJobsApp.max_streams"]["says"]
    assert str(config / file) in said["RaJobsApp.max_streams"]["mend"]
    assert "set it to an int, min 1; its default is 500" in said["RaJobsApp.max_streams"]["mend"]
    assert "may not hold any of" in said["RaJobsApp.tmux_session"]["says"]
    assert "-1" in said["RaJobsApp.max_running"]["says"]


def test_wrong_workdir(world: World) -> None:
    """Then there is nothing to look at."""
    config = Path(world.env["JUPYTER_CONFIG_DIR"])
    config.mkdir()
    (config / "jupyter_ra_jobs_config.py").write_text("c.RaJobsApp.workdir = 3\n")
    command = [*RA_JOBS, "doctor"]
    done = subprocess.run(command, env=world.env, cwd=world.root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert [line[:14] for line in done.stdout.splitlines()] == ["fail  settings", "      to mend:"]


class TestTmux:
    """What can be wrong with it."""

    def test_missing(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """No such program."""
        folder = world.root / "bin"
        folder.mkdir()
        (folder / "bash").symlink_to("/bin/bash")
        monkeypatch.setitem(world.env, "PATH", str(folder))
        finding = only(examined(world), "fail", "tmux")
        assert finding["says"] == "tmux is not installed"
        assert "install tmux 3.2" in finding["mend"]

    def test_folder(self, world: World) -> None:
        """tmux refuses a folder that others may enter; one that is not there counts for nothing."""
        folder = world.tmux_tmpdir / f"tmux-{os.getuid()}"
        folder.mkdir()
        folder.chmod(0o777)
        assert "tmux refuses it" in only(examined(world), "fail", "tmux")["says"]
        folder.chmod(0o700)
        assert examined(world) == {}

    def test_name_too_long(self, world: World) -> None:
        """A socket's path has its bounds."""
        assert (
            "too long"
            in only(examined(world, f"--RaJobsApp.tmux_socket={'x' * 100}"), "fail", "tmux")["says"]
        )

    def test_deaf(self, world: World) -> None:
        """A server that hangs."""
        world.tmux("new-session", "-d")
        pid = int(world.tmux("display-message", "-p", "#{pid}").stdout)
        os.kill(pid, signal.SIGSTOP)
        try:
            assert "does not answer" in only(examined(world), "fail", "tmux")["says"]
        finally:
            os.kill(pid, signal.SIGCONT)
        assert examined(world) == {}


def test_server_deaf(server: Server) -> None:
    """A server that hangs; one that was killed, whose pid another process has now."""
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        wrong = examined(server.world)
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert "does not answer" in only(wrong, "fail", "server")["says"]
    server.kill()
    file = server.world.workdir / ".agents" / "server.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "pid": os.getpid()}))
    (finding,) = examined(server.world)["server"]
    assert (finding["level"], "ended without a word" in finding["says"]) == ("warn", True)
    file.write_text("{")
    (finding,) = examined(server.world)["server"]
    assert (finding["level"], "can't be read" in finding["says"]) == ("fail", True)


def test_help(world: World) -> None:
    """The program is called as it is shown."""
    for verb in ([], ["doctor"], ["export"]):
        command = [*RA_JOBS, *verb, "--help"]
        shown = subprocess.run(command, env=world.env, capture_output=True, text=True, check=True).stdout
        assert "jupyter ra-jobs" in shown
        assert "ra_jobs" not in shown
