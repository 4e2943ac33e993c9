"""`logs`: every byte, and no other."""

import os
import subprocess

import pytest

from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.models import LogGap
from tests.cli.conftest import Cli
from tests.conftest import TOKEN, Server, World

ALL_BYTES = bytes(range(256)) + "né€😀\ufffd\n".encode() + b"\xe2\x82\n\xff\xfe\n" + b"last"


@pytest.fixture(scope="module")
def written(shared_server: Server) -> str:
    """A run that has written all bytes there are."""
    (shared_server.world.workdir / "bytes").write_bytes(ALL_BYTES)
    run_id = shared_server.launch("stty -opost; cat bytes")
    shared_server.ended(run_id)
    assert shared_server.log(run_id) == ALL_BYTES
    return run_id


@pytest.mark.parametrize("options", [[], ["-f"], ["-n", "1000"], ["-f", "-n", "1000"]])
def test_bytes(cli: Cli, written: str, options: list[str]) -> None:
    """As they were written, whatever they are in UTF-8."""
    assert cli.done("logs", written[:6], *options).stdout == ALL_BYTES


def test_live_bytes(cli: Cli) -> None:
    """A piece of a character is not lost either, nor a byte that begins none."""
    script = "stty -opost; printf 'a\\342'; until test -e more; do sleep 0.02; done; printf '\\202\\254\\377'"
    run_id = cli("run", script).strip()
    following = cli.started("logs", "-f", run_id)
    assert following.stdout is not None
    assert following.stdout.read(1) == b"a"
    (cli.server.world.workdir / "more").touch()
    out, _ = following.communicate()
    assert (out, following.returncode) == (b"\xe2\x82\xac\xff", 0)


@pytest.mark.parametrize(
    ("lines", "out"),
    [(0, b""), (1, b"3"), (2, b"2\n3"), (3, b"\n2\n3"), (4, b"1\n\n2\n3"), (9, b"1\n\n2\n3")],
)
def test_last_lines(cli: Cli, lines: int, out: bytes) -> None:
    """As `tail -n`, with and without a newline at the end."""
    for end in ("", "\\n"):
        run_id = cli("run", "--wait", f"printf '1\\n\\n2\\n3{end}'").strip()
        assert cli.done("logs", "-n", str(lines), run_id).stdout == out + end.replace(
            "\\n", "\n"
        ).encode() * bool(out)


def test_last_lines_of_much(cli: Cli) -> None:
    """Read from the end; a line may be longer than what is read at once."""
    run_id = cli("run", "--wait", "seq 100000; head -c 300000 /dev/zero | tr '\\0' x; echo; seq 3").strip()
    out = cli("logs", "-n", "5", run_id).split("\n")
    assert [out[0], len(out[1]), *out[2:]] == ["100000", 300000, "1", "2", "3", ""]
    assert cli("logs", run_id).count("\n") == 100_004


def test_nothing_yet(cli: Cli) -> None:
    """A run that has not begun has written nothing."""
    run_id = cli("run", "--no-start", "true").strip()
    for options in ([], ["-n", "3"]):
        assert cli("logs", run_id, *options) == ""


def test_reader_that_has_seen_enough(cli: Cli) -> None:
    """`| head` is quiet, also while a run says nothing."""
    run_id = cli("run", "echo first; seq 100000; exec sleep 1000").strip()
    cli.server.until(run_id, "running")
    for command in (f"logs -f {run_id}", f"logs {run_id}"):
        done = subprocess.run(
            ["bash", "-c", f"'{cli.program}' {command} | head -n 1; echo ${{PIPESTATUS[0]}}"],
            env=cli.env,
            cwd=cli.server.world.workdir,
            capture_output=True,
            check=True,
        )
        first, code = done.stdout.decode().splitlines()
        assert (first, done.stderr) == ("first", b"")
        assert code in ("0", "141")
    silent = cli.started("logs", "-f", "-n", "1", run_id)
    assert silent.stdout is not None
    os.read(silent.stdout.fileno(), 100)
    silent.stdout.close()
    assert silent.wait(60) == 141
    cli("stop", run_id)


def test_full_disk(cli: Cli, written: str) -> None:
    """What cannot be written is an error."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [cli.program, "logs", written],
            stdout=full,
            stderr=subprocess.PIPE,
            env=cli.env,
            cwd=cli.server.world.workdir,
            check=False,
        )
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)


def test_search(cli: Cli) -> None:
    """The lines in the log's order; nothing found is 1, as of grep."""
    run_id = cli("run", "--wait", "seq 300; echo Needle; printf 'needle\\377\\n'").strip()
    assert cli("logs", run_id, "--search", "needle").splitlines() == ["Needle", "needle\ufffd"]
    assert cli("logs", run_id, "--search", "^29.$", "--regex", "-n", "2").splitlines() == ["298", "299"]
    assert "no line of run" in cli.error("logs", run_id, "--search", "nothing", code=1)
    assert "logs -f ID | grep" in cli.error("logs", run_id, "-f", "--search", "x", code=2)
    assert "is for --search" in cli.error("logs", run_id, "--regex", code=2)


def test_gap(world: World) -> None:
    """What was given back to the disk is told beside the output, and is no zeros in it."""
    server = Server(world).start("--RaJobsApp.max_log_bytes=1000000")
    run_id = server.launch("seq 1 1000000")
    server.ended(run_id)
    gap = server.get(f"/runs/{run_id}/logs").json.get("gap")
    if gap is None:
        pytest.skip("this file system gives nothing back")
    log = server.log(run_id)
    wanted = log[: gap["start"]] + log[gap["end"] :]
    with Client(f"http://127.0.0.1:{server.port}", TOKEN) as client:
        for parts in (list(client.log_bytes(run_id)), list(client.follow_bytes(run_id))):
            assert b"".join(part for part in parts if isinstance(part, bytes)) == wanted
            assert [part for part in parts if isinstance(part, LogGap)] == [LogGap(gap["start"], gap["end"])]
    assert b"\0" not in wanted


def test_follow_by_lines(cli: Cli) -> None:
    """Of Python's `follow`: a last line that has its newline is not followed by an empty one."""
    run_id = cli("run", "--wait", "printf 'a\\n\\nb\\n'").strip()
    with Client(f"http://127.0.0.1:{cli.server.port}", TOKEN) as client:
        assert list(client.follow(run_id)) == ["a", "", "b"]
