"""Processes are named beyond doubt, and found wherever they went."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import psutil
import pytest
from jupyter_ra_jobs_sidecar import procs

from tests.conftest import wait_for


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    """A process with a name that is hard to read, in a session of its own."""
    started = subprocess.Popen(
        ["bash", "-c", "exec -a 'a) R 1 (b' sleep 1000"],
        env={**os.environ, procs.RUN_ID_VARIABLE: "abc"},
        start_new_session=True,
        # Whoever started us in the background may have had us ignore it, and it would be inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    yield started
    started.kill()
    started.wait()


def test_look(child: "subprocess.Popen[bytes]") -> None:
    """Parent, session and start time are those of the process."""
    seen = procs.look(child.pid)
    assert seen is not None
    assert (seen.pid, seen.parent, seen.session) == (child.pid, os.getpid(), child.pid)
    started = psutil.boot_time() + seen.start / os.sysconf("SC_CLK_TCK")
    assert abs(started - time.time()) < 60


def test_gone_and_zombie(child: "subprocess.Popen[bytes]") -> None:
    """A zombie is as good as gone."""
    seen = procs.look(child.pid)
    assert seen is not None
    assert procs.is_alive(child.pid, seen.start)
    child.kill()
    wait_for(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE, "it is a zombie")
    assert not procs.is_alive(child.pid, seen.start)
    assert not procs.send(child.pid, seen.start, signal.SIGTERM)
    child.wait()
    assert procs.look(child.pid) is None


def test_named_for_others(child: "subprocess.Popen[bytes]") -> None:
    """A process that wrote its name down lives under that alone: not by its pid, nor after another boot."""
    me = procs.name_myself()
    assert procs.still_lives(me)
    assert me["pid"] == os.getpid()
    seen = procs.look(child.pid)
    assert seen is not None
    theirs = {**me, "pid": seen.pid, "pid_start": seen.start}
    assert procs.still_lives(theirs)
    for other in ({"pid_start": seen.start - 1}, {"pid_start": None}, {"boot_id": "another"}, {"pid": "1"}):
        assert not procs.still_lives({**theirs, **other})
    assert not procs.still_lives({"pid": seen.pid})
    child.kill()
    child.wait()
    assert not procs.still_lives(theirs)


def test_recycled_pid(child: "subprocess.Popen[bytes]") -> None:
    """A process with the same pid and another start time is another one, and gets no signal."""
    seen = procs.look(child.pid)
    assert seen is not None
    assert not procs.is_alive(child.pid, seen.start - 1)
    assert not procs.send(child.pid, seen.start - 1, signal.SIGKILL)
    assert procs.send(child.pid, seen.start, signal.SIGKILL)
    assert child.wait(30) == -signal.SIGKILL


def test_of_run(child: "subprocess.Popen[bytes]") -> None:
    """By the mark, by the session, by having been known; never anything older than the command."""
    seen = procs.look(child.pid)
    assert seen is not None
    mine = {child.pid: seen.start}
    wait_for(lambda: procs.of_run("abc", -1, 0, {}) == mine, "the mark is in its environment")
    assert procs.of_run("ab", -1, 0, {}) == {}
    assert procs.of_run("other", child.pid, 0, {}) == mine
    assert procs.of_run("other", -1, 0, mine) == mine
    assert procs.of_run("other", -1, 0, {child.pid: seen.start - 1}) == {}
    assert procs.of_run("abc", child.pid, seen.start + 1, mine) == {}


@pytest.fixture
def always_in_exec() -> Iterator["subprocess.Popen[bytes]"]:
    """It becomes another program, and another one, without end."""
    program = 'exec sh -c "$0" "$0"'
    env = {"PATH": os.environ["PATH"], procs.RUN_ID_VARIABLE: "abc"}
    process = subprocess.Popen(["sh", "-c", program, program], env=env, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_in_exec(always_in_exec: "subprocess.Popen[bytes]") -> None:
    """A process that is between two programs has no environment for a moment; it is found all the same."""
    process = procs.look(always_in_exec.pid)
    assert process is not None
    for _ in range(200):
        assert process.pid in procs.of_run("abc", -1, process.start, {})


def test_of_another_run(child: "subprocess.Popen[bytes]") -> None:
    """What carries another run's id is not ours for descending from us: it may be a server's sidecar."""
    seen = procs.look(child.pid)
    me = procs.look(os.getpid())
    assert seen is not None
    assert me is not None
    mine = {me.parent: procs.look(me.parent).start}  # type: ignore[union-attr]
    wait_for(lambda: procs.of_run("abc", -1, 0, {}), "the mark is in its environment")
    assert child.pid not in procs.of_run("other", -1, 0, mine)


def test_ladder_ends(child: "subprocess.Popen[bytes]") -> None:
    """It is done when nothing is left."""
    ladder = procs.Ladder("other", child.pid, 0, procs.stop_rungs(30.0, 30.0))
    wait_for(lambda: psutil.Process(child.pid).name() != "bash", "it is what it will be")
    wait_for(ladder.poll, "all is ended")
    assert child.wait() == -signal.SIGINT
    assert not ladder.left


def test_boot_id() -> None:
    """One for all processes of a boot."""
    assert len(procs.boot_id()) == 36
    assert procs.boot_id() == procs.boot_id()
