"""The command is run as it was written, in the folder and the environment that were given."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import World
from tests.unit.sidecars import TOKEN, Run

MAX_RSS = 15 * 1024 * 1024
"""What a sidecar may need, by the design; the kernel's shared pages included."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One tmux server for all of these, since none harms it."""
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.end()


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("""echo "a  b" 'c "d"' "it's" """, 'a  b c "d" it\'s\n'),
        ("echo one\necho two", "one\ntwo\n"),
        ("echo a # the end", "a\n"),
        ("# only a remark", ""),
        ("cat <<END\n$((6 * 7)) \\$x 'q'\nEND", "42 $x 'q'\n"),
        ("cat <<'END'\n$x `no` \\\nEND\n", "$x `no` \\\n"),
        ("echo žluťoučký 🐎", "žluťoučký 🐎\n"),
        ("-x 2>/dev/null; echo $?", "127\n"),
        ("echo '#{pane_id} %H ;' \\;", "#{pane_id} %H ; ;\n"),
        ("echo a; echo b;", "a\nb\n"),
        ("for i in 1 2; do\n  echo $i\ndone", "1\n2\n"),
        ("echo $0 $#", "bash 0\n"),
        ("printf '%s' 'tab\there'", "tab\there"),
        ("test -t 0 && test -t 1 && test -t 2 && test -t 2 </dev/tty && echo terminal", "terminal\n"),
    ],
)
def test_commands(world: World, command: str, output: str) -> None:
    """Whatever the shell means to be said is said to it."""
    run = Run(world, command).start()
    assert run.ended() == ("finished", 0)
    assert run.log.decode() == output


@pytest.mark.parametrize(
    "name", ["a b", "it's", 'say "x"', "žluť 🐎", "a;b", "end;", "#{pid}", "%H%%", "$HOME", "-v", "a\\n"]
)
def test_folders(world: World, name: str) -> None:
    """A folder may have any name: as the workdir, and as the one of the run dir."""
    folder = world.workdir / name
    folder.mkdir()
    run = Run(world, "pwd; echo $PWD", folder, workdir=str(folder)).start()
    assert run.ended() == ("finished", 0)
    assert run.log.decode() == f"{folder}\n" * 2


def test_environment(world: World) -> None:
    """The variables are those that were given, and what belongs to the terminal; nothing of tmux's own."""
    world.tmux("set-environment", "-g", "OF_TMUX", "yes")
    run = Run(world, "exec env -0", env={"GIVEN": "a\nb='c'", "LANG": "C.UTF-8"}).start()
    assert run.ended() == ("finished", 0)
    seen = dict(line.split("=", 1) for line in run.log.decode().split("\0") if line)
    terminal = {name: seen.pop(name) for name in ("TERM", "TMUX", "TMUX_PANE", "PWD")}
    assert terminal["PWD"] == str(world.workdir)
    assert terminal["TMUX_PANE"] == run.events()[0]["tmux_pane"]
    assert {name: seen.pop(name) for name in seen.keys() - run.env.keys()}.keys() <= {"SHLVL", "_", "OLDPWD"}
    assert seen == run.env


def test_umask(world: World) -> None:
    """Files are made as the server's user makes them, not as the sidecar does."""
    Run(world, "umask; touch made", umask=0o027).start().end()
    assert stat.S_IMODE((world.workdir / "made").stat().st_mode) == 0o640


def test_signals_are_as_in_a_shell(world: World) -> None:
    """`yes | head` ends quietly, and nothing is ignored or blocked but the hang-up, as under nohup."""
    run = Run(world, "yes | head -1; echo ${PIPESTATUS[0]}; grep -E 'Sig(Ign|Blk)' /proc/self/status").start()
    assert run.ended() == ("finished", 0)
    ended, code, blocked, ignored = run.log.decode().splitlines()
    assert (ended, code) == ("y", "141")
    assert int(blocked.split()[1], 16) == 0
    own = ~(0b11 << 31)  # 32 and 33 are the C library's, which lets nobody set them
    assert int(ignored.split()[1], 16) & own == 1 << (signal.SIGHUP - 1)


def test_open_files(world: World) -> None:
    """The command inherits its terminal, and no other file of the sidecar's."""
    run = Run(world, f"exec {sys.executable} -c 'import os; print(os.listdir(\"/proc/self/fd\"))'").start()
    run.end()
    assert run.log == b"['0', '1', '2', '3']\n"  # the last is the listing's own


def test_token_stays_secret(world: World) -> None:
    """The run's token is on no command line, in no environment, and in no log."""
    run = Run(world, "env; echo on; read go").start().says(b"on\n")
    for process in world.processes():
        assert TOKEN not in " ".join(process.cmdline())
        assert TOKEN not in str(process.environ())
    run.keys("Enter")
    run.end()
    assert TOKEN.encode() not in run.log
    assert TOKEN not in run.story
    assert TOKEN not in str(run.events())


def test_memory(world: World) -> None:
    """A sidecar stays small, after much output too."""
    run = Run(world, "seq 1 1000000; echo on; read go").start().says(b"on\n")
    size = run.sidecar.memory_info().rss
    run.keys("Enter")
    run.end()
    print(f"a sidecar's RSS: {size / 2**20:.1f} MB")
    assert size <= MAX_RSS


def test_second_sidecar(world: World) -> None:
    """A second one on the same run dir leaves the run alone: nothing runs twice."""
    run = Run(world, "echo on; read go; echo off").start().says(b"on\n")
    events = run.events()
    run.start_another()
    assert run.events() == events
    assert run.log == b"on\n"
    run.keys("Enter")
    assert run.ended() == ("finished", 0)
    run.start_another()
    assert run.log == b"on\n\noff\n"
    assert [event["seq"] for event in run.events()] == [1, 2]


def crowd(processes: int) -> list[str]:
    """What starts a program as somebody who may have so many processes, threads included; else it skips."""
    user = ["setpriv", f"--reuid={60_000 + os.getpid() % 5_000}", "--clear-groups"]
    rights = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]  # the test's folders are root's
    command = [*user, *rights, "prlimit", f"--nproc={processes}"]
    if os.getuid() or subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        pytest.skip("a number of processes can't be forbidden here")
    return command


def test_no_process_for_the_command(world: World) -> None:
    """Nothing was begun, so the next sidecar may."""
    run = Run(world, "echo on; exit 3")
    assert run.start_another(*crowd(1)) == 1
    assert "Resource temporarily unavailable" in run.story
    assert not (run.dir / "events.jsonl").exists()
    assert run.start().ended() == ("failed", 3)
    assert run.log == b"on\n"


def test_no_thread_for_reports(world: World) -> None:
    """The command goes on, and its end is on the spool: a report is a hint."""
    run = Run(world, "echo on; exit 3")
    assert run.start_another(*crowd(2)) == 0
    assert "no report is posted: can't start new thread" in run.story
    assert [event["status"] for event in run.events()] == ["running", "failed"]
    assert run.ended() == ("failed", 3)
    assert run.log == b"on\n"


def test_no_spec(world: World) -> None:
    """Without a spec that makes sense nothing starts, and the sidecar's log says why."""
    run = Run(world, "echo never")
    (run.dir / "spec.json").write_text("{}")
    run.start_another()
    assert "cannot start" in run.story
    assert not run.events()
