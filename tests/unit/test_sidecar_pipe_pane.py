"""`capture = "pipe-pane"`: tmux hands the output over; and where that falls behind the sidecar's own pty."""

import psutil

from tests.conftest import World, wait_for
from tests.faults.catalogue.disk import no_room_for
from tests.unit.sidecars import Run


def test_output_and_exit_code(world: World) -> None:
    """Both streams are complete, newlines as the terminal has them."""
    run = Run(world, "seq 1 50000; echo err >&2; printf last; exit 3", capture="pipe-pane").start()
    assert run.ended() == ("failed", 3)
    assert run.log == b"".join(b"%d\r\n" % n for n in range(1, 50001)) + b"err\r\nlast"
    assert not (run.dir / "pipe.done").read_bytes()


def test_full_disk(world: World) -> None:
    """What the disk does not take waits until there is room."""
    command = "stty -echo; echo before; read go; seq 1 5000; read go; exit 3"  # an echo may fall among them
    run = Run(world, command, capture="pipe-pane").start()
    run.says(b"before\r\n")
    (pipe,) = [process for process in run.sidecars() if "--pipe" in process.cmdline()]
    with no_room_for([pipe], 1000):
        run.keys("Enter")
        wait_for(lambda: b"the output waits" in (run.dir / "sidecar.log").read_bytes(), "it meets the end")
    run.keys("Enter")
    assert run.ended() == ("failed", 3)
    assert run.log == b"before\r\n" + b"".join(b"%d\r\n" % n for n in range(1, 5001))


def test_full_disk_at_the_end(world: World) -> None:
    """The run has not ended as long as the pipe has output that the disk does not take."""
    command = "stty -echo; echo before; read go; seq 1 5000; exit 3"
    run = Run(world, command, capture="pipe-pane").start()
    run.says(b"before\r\n")
    (pipe,) = [process for process in run.sidecars() if "--pipe" in process.cmdline()]
    with no_room_for([pipe], 1000):
        run.keys("Enter")
        wait_for(lambda: "and we for the pipe" in run.story, "the sidecar does not give it up")
        assert len(run.events()) == 1
    assert run.ended() == ("failed", 3)
    assert run.log == b"before\r\n" + b"".join(b"%d\r\n" % n for n in range(1, 5001))


def test_quick_runs(world: World) -> None:
    """Of 50 that end at once none loses its output."""
    runs = [Run(world, f"printf 'output {n}'", capture="pipe-pane").start() for n in range(50)]
    assert [run.ended() for run in runs] == [("finished", 0)] * 50
    assert [run.log for run in runs] == [b"output %d" % n for n in range(50)]


def test_window_and_stop(world: World) -> None:
    """Keys reach the command, and it can be stopped."""
    run = Run(world, "echo on; read name; echo hello $name; exec sleep 1000", capture="pipe-pane").start()
    run.says(b"on\r\n").keys("you", "Enter")
    run.says(b"you\r\nhello you\r\n").stop()
    end = run.end()
    assert (end["status"], end["exit_code"], end["signal"]) == ("stopped", 130, "SIGINT")
    wait_for(lambda: not run.sidecars(), "sidecar and pipe are gone")


def test_difference_when_tmux_dies(world: World) -> None:
    """With the tmux server goes a command on the pane; one on the sidecar's own pty does not notice."""
    command = "for i in $(seq 1 20); do echo $i; sleep 0.05; done"
    kept = Run(world, command).start()
    lost = Run(world, command, capture="pipe-pane").start()
    for run in (kept, lost):
        wait_for(lambda run=run: run.log.startswith(b"1"), "it is at work")
    psutil.Process(int(world.tmux("display-message", "-p", "#{pid}").stdout)).kill()
    assert kept.ended() == ("finished", 0)
    assert kept.log.count(b"\n") == 20
    end = lost.end()
    assert end["status"] == "failed"
    assert "tmux server died" in end["error"]
    assert lost.log.count(b"\n") < 20


def test_difference_in_newlines(world: World) -> None:
    """The pane has what the terminal made of the output; the pty of the sidecar's own what was written."""
    runs = [
        Run(world, "printf 'a\\nb\\r\\n'", capture=capture).start() for capture in ("sidecar", "pipe-pane")
    ]
    assert [run.ended() for run in runs] == [("finished", 0)] * 2
    assert [run.log for run in runs] == [b"a\nb\r\n", b"a\r\nb\r\r\n"]
