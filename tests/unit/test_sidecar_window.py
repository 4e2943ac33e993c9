"""The window shows the run and takes keys for it; whatever becomes of it, the run ends right."""

import signal
import sys
from collections.abc import Callable

import psutil
import pytest
from jupyter_ra_jobs_sidecar import procs

from tests.conftest import World, wait_for
from tests.unit.sidecars import Run

COUNT = "for i in $(seq 1 20); do echo $i; sleep 0.05; done; exit 5"
COUNTED = b"".join(b"%d\n" % n for n in range(1, 21))


def tmux_server(world: World) -> psutil.Process:
    """The process of this world's tmux server."""
    return psutil.Process(int(world.tmux("display-message", "-p", "#{pid}").stdout))


def test_prompt_is_answered(world: World) -> None:
    """Keys typed in the window reach the command, and are echoed as on any terminal."""
    run = Run(world, "printf 'name? '; read name; echo hello $name").start().says(b"name? ")
    run.keys("wörld", "Enter")
    assert run.ended() == ("finished", 0)
    assert run.log == "name? wörld\nhello wörld\n".encode()


def test_keys_of_control(world: World) -> None:
    """Ctrl-C interrupts the command, Ctrl-D ends its input, and neither ends the sidecar."""
    run = (
        Run(world, "trap 'echo interrupted' INT; echo on; cat; echo then; cat; exit 6").start().says(b"on\n")
    )
    run.keys("C-c")
    run.says(b"then\n")
    run.keys("more", "Enter")
    run.says(b"more\nmore\n")
    run.keys("C-d")
    assert run.ended() == ("failed", 6)
    assert b"interrupted" in run.log


def test_interrupt_from_the_window(world: World) -> None:
    """A command that Ctrl-C kills has failed: nobody asked us to stop it."""
    run = Run(world, "echo on; exec sleep 1000").start().says(b"on\n")
    run.keys("C-c")
    end = run.end()
    assert (end["status"], end["exit_code"], end["signal"]) == ("failed", 130, "SIGINT")


def test_size(world: World) -> None:
    """The command's terminal has the window's size, and hears of a change."""
    run = Run(world, "stty size; trap 'stty size; exit 0' WINCH; while :; do sleep 0.05; done").start()
    run.says(b"24 80\n")
    assert not world.tmux("resize-window", "-t", run.window, "-x", "131", "-y", "47").returncode
    assert run.ended() == ("finished", 0)
    assert run.log == b"24 80\n47 131\n"


def test_many_keys(world: World) -> None:
    """A long paste arrives whole, in order, though the command reads slowly."""
    text = " ".join(str(n) for n in range(20_000))
    (world.workdir / "paste").write_text(text)
    run = Run(world, "stty raw -echo; echo on; sleep 0.3; head -c 108889 >pasted").start().says(b"on\n")
    assert len(text) == 108889
    assert not world.tmux("load-buffer", str(world.workdir / "paste")).returncode
    assert not world.tmux("paste-buffer", "-t", run.window).returncode
    assert run.ended() == ("finished", 0)
    assert (world.workdir / "pasted").read_text() == text


def test_lines_begin_at_the_left(world: World) -> None:
    """Plain newlines in the output are shown as a terminal shows them."""
    run = Run(world, "printf 'one\\ntwo\\nthree'; read go").start().says(b"three")
    assert wait_for(lambda: run.screen() if "three" in run.screen() else "").split() == [
        "one",
        "two",
        "three",
    ]
    assert run.screen().startswith("one\ntwo\nthree\n")


def test_full_screen_program(world: World) -> None:
    """A program that sets its terminal raw is shown as it draws, single newlines included."""
    draw = (
        "import sys, tty; tty.setraw(0); sys.stdout.write('\\x1b[2J\\x1b[3;5HA\\nB'); sys.stdout.flush(); "
        "key = sys.stdin.read(1); print(repr(key))"
    )
    (world.workdir / "draw.py").write_text(draw)
    run = Run(world, f"{sys.executable} draw.py; stty sane; printf '\\nC\\nD'; read go").start().running()
    wait_for(lambda: run.screen().startswith("\n\n    A\n     B\n"), "A is at row 3, B below and beside it")
    run.keys("Enter")  # raw: a return is a return
    wait_for(lambda: run.log.endswith(b"D"), "the terminal is a plain one again")
    assert b"'\\r'" in run.log
    wait_for(lambda: "\nC\nD\n" in run.screen(), "and so is the window")


def test_terminal_answers_whom_it_should(world: World) -> None:
    """A program that asks the terminal something, and reads raw, gets the answer."""
    ask = (
        "import sys, tty; tty.setraw(0); print('\\x1b[6n', end='', flush=True); key = ''\n"
        "while not key.endswith('R'): key += sys.stdin.read(1)\n"
        "print(repr(key))"
    )
    (world.workdir / "ask.py").write_text(ask)
    run = Run(world, f"{sys.executable} ask.py").start()
    assert run.ended() == ("finished", 0)
    assert b"'\\x1b[1;1R'" in run.log


def test_killed_window(world: World) -> None:
    """Who kills the window stops the run."""
    run = Run(world, "echo on; exec sleep 1000").start().says(b"on\n")
    assert not world.tmux("kill-window", "-t", run.window).returncode
    end = run.end()
    assert (end["status"], end["exit_code"], end["signal"]) == ("stopped", 130, "SIGINT")
    assert "the window was killed" in run.story


@pytest.mark.parametrize("how", ["kill-server", "SIGKILL", "SIGTERM"])
def test_lost_tmux_server(world: World, how: str) -> None:
    """The run goes on to its own end, with all of its output."""
    runs = [Run(world, COUNT).start() for _ in range(3)]
    for run in runs:
        wait_for(lambda run=run: b"1\n" in run.log, "it is at work")
    if how == "kill-server":
        world.tmux("kill-server")
    else:
        tmux_server(world).send_signal(signal.Signals[how])
    assert [run.ended() for run in runs] == [("failed", 5)] * 3
    assert [run.log for run in runs] == [COUNTED] * 3


STAGES: dict[str, Callable[[Run], bool]] = {
    "at once": lambda run: True,
    "its story begins": lambda run: (run.dir / "sidecar.log").exists(),
    "the spool is taken": lambda run: (run.dir / "events.jsonl").exists(),
    "the command runs": lambda run: bool(run.events()),
    "it has written": lambda run: bool(run.log),
}


@pytest.mark.parametrize("stage", STAGES)
def test_tmux_server_lost_early(world: World, stage: str) -> None:
    """Also while a sidecar starts: what began to run is not taken for stopped, and loses no byte."""
    for _ in range(3):
        run = Run(world, "seq 1 2000; exit 5").start()
        server = tmux_server(world)
        wait_for(lambda run=run: STAGES[stage](run), stage)
        server.kill()
        wait_for(lambda server=server: procs.look(server.pid) is None, "tmux is gone")
        wait_for(lambda run=run: not run.sidecars(), "its sidecar has ended")
        if run.events():
            assert run.ended() == ("failed", 5), run.story
            assert run.log == b"".join(b"%d\n" % n for n in range(1, 2001))
        else:
            assert run.log == b""  # never began, and never will


def test_stop_without_a_window(world: World) -> None:
    """After tmux is gone a run can be stopped like any other."""
    run = Run(world, "echo on; exec sleep 1000").start().says(b"on\n")
    world.tmux("kill-server")
    wait_for(lambda: "goes on without a window" in run.story, "it knows")
    assert run.stop().ended() == ("stopped", 130)
