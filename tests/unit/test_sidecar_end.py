"""How runs end: by themselves, when asked to, at their time limit; and that nothing of them is left."""

import contextlib
import signal
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.conftest import World, wait_for
from tests.unit.sidecars import Run

DEAF = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in ({})]; print('on'); time.sleep(1000)"
FAST = {"interrupt_grace": 0.3, "terminate_grace": 0.3}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One tmux server for all of these, since none harms it."""
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.end()


def deaf(*names: str) -> str:
    """A command that ignores these signals."""
    return f'{sys.executable} -uc "{DEAF.format("".join(f"signal.{name}, " for name in names))}"'


@pytest.mark.parametrize(
    ("command", "status", "code", "name"),
    [
        ("true", "finished", 0, None),
        ("exit 3", "failed", 3, None),
        ("no-such-program", "failed", 127, None),
        ("exit 255", "failed", 255, None),
        ("kill -KILL $$", "failed", 137, "SIGKILL"),
        ("kill -SEGV $$", "failed", 139, "SIGSEGV"),
        ("kill -INT $$", "failed", 130, "SIGINT"),
        ("sh -c 'kill -KILL $$'; exit $?", "failed", 137, None),
        ("sleep 0.1; exec false", "failed", 1, None),
    ],
)
def test_exit_code(world: World, command: str, status: str, code: int, name: str | None) -> None:
    """As a shell gives it, and the signal's name beside."""
    end = Run(world, command).start().end()
    assert (end["status"], end["exit_code"], end["signal"]) == (status, code, name)
    assert bool(end["error"]) == (status == "failed")


@pytest.mark.parametrize(
    ("command", "code", "name"),
    [
        ("echo on; exec sleep 1000", 130, "SIGINT"),
        ("trap 'echo bye; exit 7' INT; echo on; while :; do sleep 0.05; done", 7, None),
        (deaf("SIGINT"), 143, "SIGTERM"),
        (deaf("SIGINT", "SIGTERM", "SIGHUP"), 137, "SIGKILL"),
    ],
    ids=["obedient", "trap", "deaf-to-int", "deaf-to-all"],
)
def test_stop(world: World, command: str, code: int, name: str | None) -> None:
    """SIGINT, SIGTERM, SIGKILL, each after a grace; then the run is stopped, and gone."""
    run = Run(world, command, **FAST).start().says(b"on\n").stop()
    end = run.end()
    assert (end["status"], end["exit_code"], end["signal"]) == ("stopped", code, name)
    wait_for(lambda: not run.processes(), "nothing of it lives")


@pytest.mark.parametrize(
    "escape",
    [
        "sleep 1000 & wait",
        "setsid sleep 1000 & sleep 1000; :",
        "(setsid sh -c 'sleep 1000 & echo forked' &) ; sleep 1000; :",
        "env -i setsid sleep 1000 & wait",
        f"setsid {deaf('SIGINT', 'SIGTERM', 'SIGHUP')} & wait",
    ],
    ids=["background", "setsid", "double-fork", "no-environment", "deaf-setsid"],
)
def test_stop_reaches_all_descendants(world: World, escape: str) -> None:
    """Nobody leaves the run by forking, by a session of their own, or by being deaf."""
    run = Run(world, escape, **FAST).start().running()
    command = psutil.Process(run.events()[0]["sidecar"]["pgid"])
    wanted = 1 if escape.endswith("& wait") else 2

    def others() -> list[psutil.Process]:
        """All that the run consists of but its shell; those that went away are children of no one here."""
        with contextlib.suppress(psutil.Error):
            below = set(command.children(recursive=True)) | set(run.processes())
            return [p for p in below - {command, run.sidecar} if p.name() in ("sleep", "python", "python3")]
        return []

    found = wait_for(lambda: others() if len(others()) >= wanted else None, "its processes are there")
    run.stop()
    assert run.end()["status"] == "stopped"
    assert not [process for process in found if process.is_running() and process.status() != "zombie"]


def test_stop_of_a_suspended_command(world: World) -> None:
    """A process that was suspended is woken to its end."""
    run = Run(world, "echo on; kill -STOP $$; echo never", **FAST).start().says(b"on\n")
    pid = run.events()[0]["sidecar"]["pgid"]
    wait_for(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, "it is suspended")
    run.stop()
    assert run.end()["status"] == "stopped"
    assert run.log == b"on\n"


def test_stop_of_many(world: World) -> None:
    """A command that goes on forking is ended too."""
    run = Run(world, "trap '' INT TERM; while :; do sleep 1000 & sleep 0.01; done", **FAST).start()
    wait_for(lambda: len(run.processes()) > 20, "it forks")
    run.stop()
    assert run.ended() == ("stopped", 137)
    wait_for(lambda: not run.processes(), "nothing of it lives")


def test_stop_does_not_change_what_was_decided(world: World) -> None:
    """A command that ended by itself has not been stopped, though its leftovers are being waited for."""
    run = Run(world, "sleep 1000 & exit 4", leftover_grace=1.0).start().running()
    wait_for(lambda: not psutil.pid_exists(run.events()[0]["sidecar"]["pgid"]), "the command has ended")
    run.sidecar.send_signal(signal.SIGTERM)
    assert run.ended() == ("failed", 4)


def test_leftovers_are_ended_after_their_grace(world: World) -> None:
    """What stays in the background is ended, and the run's end waits for that."""
    run = Run(world, "trap '' TERM; sleep 1000 & echo over", leftover_grace=0.2, terminate_grace=0.2).start()
    assert run.ended() == ("finished", 0)
    assert run.log == b"over\n"
    assert "ending what the command left behind" in run.story
    wait_for(lambda: not run.processes(), "nothing of it lives")


def test_daemon_that_opts_out(world: World) -> None:
    """A process without RA_RUN_ID, in its own session, whose parent is gone: it is meant to stay."""
    run = Run(world, "(env -u RA_RUN_ID setsid sleep 1001 >/dev/null 2>&1 &) ; sleep 0.2; echo over").start()
    assert run.ended() == ("finished", 0)
    (daemon,) = world.find("sleep", "1001")
    daemon.kill()


def test_daemon_that_holds_the_terminal(world: World) -> None:
    """One that may stay, and keeps the terminal open, does not keep the run from its end."""
    run = Run(world, "(env -u RA_RUN_ID setsid sleep 1002 &) ; sleep 0.2; echo over").start()
    assert run.ended() == ("finished", 0)
    assert run.log == b"over\n"
    (daemon,) = world.find("sleep", "1002")
    daemon.kill()


def test_time_limit(world: World) -> None:
    """A run that takes longer is ended and has failed, and that is the reason given."""
    run = Run(world, deaf("SIGINT"), timeout=1.0, **FAST).start()
    end = run.end()
    assert (end["status"], end["exit_code"], end["signal"]) == ("failed", 143, "SIGTERM")
    assert end["error"] == "time limit of 1 seconds reached"


def test_time_limit_of_months(world: World) -> None:
    """Longer than poll(2) can wait."""
    assert Run(world, "sleep 0.1; exit 3", timeout=1e9).start().ended() == ("failed", 3)


def test_removed_log(world: World) -> None:
    """A command that removes its own log has not removed what was in it."""
    run = Run(world, "echo one; rm ../runs/$RA_RUN_ID/run.log; echo two").start()
    assert run.ended() == ("finished", 0)
    assert run.log == b"one\ntwo\n"
    assert "was removed" in run.story


def test_log_removed_from_outside(world: World) -> None:
    """It is back before the run has ended: then the sidecar's death can take nothing along."""
    run = Run(world, "echo one; until [ -e over ]; do echo more; sleep 0.02; done").start().running()
    wait_for(lambda: run.log, "it writes")
    before = run.log
    (run.dir / "run.log").unlink()
    wait_for(lambda: run.log.startswith(before), "the log is back")
    back = run.log
    wait_for(lambda: len(run.log) > len(back), "and goes on")
    run.sidecar.kill()
    wait_for(lambda: not run.sidecars(), "the sidecar is gone")
    assert run.log.startswith(back)
    assert set(run.log.splitlines()[1:]) == {b"more"}
    assert sorted(path.name for path in run.dir.glob("run.log*")) == ["run.log"]
    (world.workdir / "over").touch()
    wait_for(lambda: not run.processes(), "the command has ended")


def test_output_of_who_cannot_be_known(world: World) -> None:
    """Without mark, session or parent it is nobody of ours, but it holds the terminal: it gets its moment."""
    stranger = "env -i setsid /bin/sh -c 'while [ ! -e over ]; do :; done; echo late'"
    command = f"rm -f over; ({stranger} &) ; sleep 0.2; (sleep 0.3; : > over) & echo main"
    assert Run(world, command, leftover_grace=20.0).start().ended() == ("finished", 0)


def test_waiting_costs_no_time(world: World) -> None:
    """A sidecar whose command is silent, or takes its time to end at its limit, uses no processor."""
    run = Run(world, deaf("SIGINT"), timeout=0.5, interrupt_grace=2.0).start().running()
    sidecar = run.sidecar
    wait_for(lambda: "time limit" in run.story, "it is being ended")
    used = []
    with contextlib.suppress(psutil.Error):
        while not used or run.events()[-1]["status"] == "running":
            used.append(sum(sidecar.cpu_times()[:2]))
    assert used[-1] - used[0] < 0.8


@pytest.mark.parametrize(
    ("details", "reason"),
    [({"workdir": "/no/such/folder"}, "/no/such/folder"), ({"shell": "no-such-shell"}, "no-such-shell")],
)
def test_command_that_cannot_start(world: World, details: dict[str, str], reason: str) -> None:
    """The run has failed, without an exit code, and says why."""
    end = Run(world, "echo never", **details).start().end()
    assert (end["status"], end["exit_code"]) == ("failed", None)
    assert end["error"].startswith("could not start")
    assert reason in end["error"]
