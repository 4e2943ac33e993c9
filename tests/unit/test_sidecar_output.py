"""Every byte that a command writes is in run.log, and nothing else is."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import World, wait_for
from tests.unit.sidecars import Run

BURST = 20_000_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One tmux server for all of these, since none harms it."""
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.end()


@pytest.mark.parametrize(
    "output",
    [
        b"",
        b"no newline at the end",
        b"\n",
        b"\r\n\r\n\n\r",
        b"10%\r20%\r100%\r\n",
        b"a\0b\0\0",
        b"\x03\x04\x11\x13\x1a\x1c\x7f\t\b",
        bytes(range(256)) * 3,
        "žluťoučký 🐎\u2028\x85".encode()[:-1],
    ],
    ids=[
        "nothing",
        "no-newline",
        "newline",
        "returns",
        "progress",
        "nul",
        "control",
        "all-bytes",
        "cut-utf-8",
    ],
)
def test_bytes_are_exact(world: World, output: bytes) -> None:
    """What is written is what is logged."""
    (world.workdir / "output").write_bytes(output)
    run = Run(world, "cat output").start()
    assert run.ended() == ("finished", 0)
    assert run.log == output


def test_both_streams(world: World) -> None:
    """Standard output and standard error are one log, in the order of writing."""
    run = Run(world, "for i in 1 2 3; do echo out $i; echo err $i >&2; done").start()
    assert run.ended() == ("finished", 0)
    assert run.log == b"out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n"


def test_terminal_queries_are_not_answered_into_the_log(world: World) -> None:
    """tmux answers what it is asked by a binary file on the screen; no echo of that is output."""
    queries = b"\x1b[c\x1b[>c\x1b[5n\x1b[6n\x1b[>q\x1b]10;?\x07\x1b]11;?\x1b\\\x1bP$qm\x1b\\\x1b[18t\x1b[14t"
    (world.workdir / "output").write_bytes(queries)
    run = Run(world, "cat output; read answer; echo $answer").start()
    run.says(queries)
    run.keys("typed", "Enter")
    assert run.ended() == ("finished", 0)
    assert run.log == queries + b"typed\ntyped\n"


def test_burst(world: World) -> None:
    """20 MB at once, as fast as the command can write."""
    output = os.urandom(1_000_000).replace(b"\x1b", b"\n") * (BURST // 1_000_000)
    (world.workdir / "output").write_bytes(output)
    run = Run(world, "cat output").start()
    assert run.ended() == ("finished", 0)
    assert hashlib.sha256(run.log).digest() == hashlib.sha256(output).digest()


def test_window_that_stands_still(world: World) -> None:
    """A tmux that takes nothing (stopped here) slows no command, and costs no byte."""
    output = b"".join(b"line %d\n" % n for n in range(400_000))
    (world.workdir / "output").write_bytes(output)
    run = Run(world, "read go; cat output; echo done > copied; read go").start().running()
    tmux = psutil.Process(int(world.tmux("display-message", "-p", "#{pid}").stdout))
    run.keys("go", "Enter")
    wait_for(lambda: run.log.startswith(b"go\n"), "the command goes on")
    tmux.suspend()
    try:
        wait_for((world.workdir / "copied").exists, "the command has written all")
        run.says(output[-1000:])
    finally:
        tmux.resume()
    run.keys("go", "Enter")
    assert run.ended() == ("finished", 0)
    assert run.log == b"go\n" + output + b"go\n"


@pytest.mark.parametrize(
    "leaver",
    [
        "(sleep 0.3; echo late) &",
        "setsid sh -c 'sleep 0.3; echo late' &",
        "exec > >(cat; sleep 0.3; echo late);",  # as in scripts that log themselves through tee
    ],
)
def test_output_of_what_was_left_behind(world: World, leaver: str) -> None:
    """What a background process writes within its grace is output of the run."""
    run = Run(world, f"{leaver} echo early", leftover_grace=20.0).start()
    assert run.ended() == ("finished", 0)
    assert run.log == b"early\nlate\n"


@pytest.fixture
def small_disk(world: World) -> Iterator[Path]:
    """A folder with room for 1 MB."""
    folder = world.root / "small-disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("a tmpfs may not be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full_disk(world: World, small_disk: Path) -> None:
    """While the disk is full the command waits; once there is room, nothing is missing."""
    output = os.urandom(250_000).hex().encode()
    (world.workdir / "output").write_bytes(output)
    run = Run(world, "read go; cat output; echo; exit 3", small_disk).start().running()
    filler = small_disk / "filler"
    filler.write_bytes(bytes(700_000))
    run.keys("go", "Enter")
    wait_for(lambda: "the output waits" in run.story, "the disk is full")
    assert len(run.events()) == 1
    filler.unlink()
    assert run.ended() == ("failed", 3)
    assert run.log == b"go\n" + output + b"\n"
