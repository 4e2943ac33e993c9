"""`list` and `show`: tables that fit, records as the API has them."""

import fcntl
import json
import os
import re
import select
import struct
import subprocess
import termios
import unicodedata

import pytest

from tests.cli.conftest import Cli
from tests.conftest import PATIENCE, wait_for


def test_json_is_the_api(cli: Cli) -> None:
    """Runs, sweeps and one of each, field by field."""
    run_id = cli("run", "--wait", "--name", "näme", "true").strip()
    sweep_id = cli("sweep", "--wait", "-p", "a=1", "true").strip()
    assert json.loads(cli("list", "--json")) == cli.server.get("/runs").json
    assert json.loads(cli("list", "sweeps", "--json")) == cli.server.get("/sweeps").json
    assert cli.show(run_id) == cli.server.run(run_id)
    assert cli.show(sweep_id) == cli.server.get(f"/sweeps/{sweep_id}").json


def test_filters(cli: Cli) -> None:
    """Status, text, the archived ones, and how many."""
    good = cli("run", "--wait", "--name", "Needle one", "true").strip()
    bad = cli("run", "--wait", "--name", "needle two", "false", code=1).strip()

    def listed(*words: str) -> list[str]:
        return [run["id"] for run in json.loads(cli("list", "--json", *words))]

    assert listed("--search", "NEEDLE") == [bad, good]
    assert listed("--search", "needle", "--status", "failed,stopped") == [bad]
    assert listed("--search", "needle", "--limit", "1") == [bad]
    assert cli("archive", good[:8]) == f"{good} finished, archived\n"
    assert listed("--search", "needle") == [bad]
    assert listed("--search", "needle", "--all") == [bad, good]
    assert cli("archive", "--undo", good) == f"{good} finished\n"
    done = cli.done("list", "--search", "no such thing")
    assert (done.stdout, done.stderr) == (b"", b"there are no runs like that\n")
    assert "is none of runs, which are ready" in cli.error("list", "--status", "done", code=2)
    assert "is none of sweeps" in cli.error("list", "sweeps", "--status", "finished", code=2)
    sweep_id = cli("sweep", "--no-start", "-p", "a=1", "--name", "Hay", "true").strip()
    sweeps = cli("list", "sweeps", "--search", "hAY", "--status", "pending").splitlines()
    assert [line.split()[0] for line in sweeps] == ["ID", sweep_id]


def test_more_than_a_page(cli: Cli) -> None:
    """The server gives a thousand at a time."""
    sweep_id = cli("sweep", "--no-start", "-p", "a=0:1203", "true").strip()
    found = json.loads(cli("list", "--json", "--sweep", sweep_id, "--limit", "5000"))
    assert len({run["id"] for run in found}) == 1203


def shown(cli: Cli, terminal: tuple[int, int], columns: int, *words: str, **env: str) -> str:
    """What a terminal of this width gets."""
    ours, its = terminal
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = {**cli.env, "TERM": "xterm", **env}
    folder = cli.server.world.workdir
    subprocess.run([cli.program, *words], stdout=its, env=env, cwd=folder, check=True, timeout=PATIENCE)
    out = b""
    while select.select([ours], [], [], 0)[0]:  # it has ended, so all of it is there
        out += os.read(ours, 1 << 16)
    return out.decode()


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_table_fits(cli: Cli, terminal: tuple[int, int], columns: int) -> None:
    """Whatever runs are called, no line is wider than the terminal, and none steers it."""
    for name in ["x" * 300, "名前" * 100, "\x1b[2J\x07bell", "a\nb"]:
        cli("run", "--wait", "--name", name, "true")
    out = shown(cli, terminal, columns, "list", "--limit", "4")
    assert "\x1b[32mfinished\x1b[0m" in out
    plain = re.sub(r"\x1b\[\d*m", "", out)
    assert "\x1b" not in plain
    assert "\x07" not in plain
    lines = plain.splitlines()
    assert len(lines) == 5
    for line in lines:
        width = sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line)
        assert width <= columns
    ages = {line.rstrip().rpartition(" ")[2] for line in lines[1:]}
    assert all(re.fullmatch(r"\d+[smhd]", age) for age in ages)


def test_colours_only_where_wanted(cli: Cli, terminal: tuple[int, int]) -> None:
    """On a terminal, unless NO_COLOR is set."""
    cli("run", "--wait", "true")
    assert "\x1b" not in cli("list")
    assert "\x1b" not in shown(cli, terminal, 80, "list", NO_COLOR="1")


def test_progress_and_rest(cli_of_server: Cli) -> None:
    """A run that tells how far it is has its percentage, and how long it would still take."""
    cli = cli_of_server
    run_id = cli("run", "printf ' 40%%|####      | 4/10 [00:04<00:06]\\r'; exec sleep 1000").strip()
    wait_for(lambda: cli.show(run_id)["progress"], "its progress is seen")
    head, row = cli("list").splitlines()
    assert head.split() == ["ID", "STATUS", "NAME", "DONE", "TIME", "LEFT", "AGE"]
    cells = row.split()
    assert cells[:2] == [run_id, "running"]
    assert cells[-4] == "40%"
    cli("stop", run_id)


def test_show(cli: Cli) -> None:
    """All that is known, a line each, fit for a terminal."""
    run_id = cli("run", "--wait", "--name", "a\x1bb", "--tag", "t", "true\nexit 2", code=2).strip()
    lines = cli("show", run_id[:5]).splitlines()
    known = dict(line.split(maxsplit=1) for line in lines if not line.startswith(" "))
    assert known["id"] == run_id
    assert known["name"] == "a?b"
    assert known["exit_code"] == "2"
    assert known["tags"] == '["t"]'
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S+  \(\d+s ago\)", known["created_at"])
    assert any(line.strip() == "exit 2" for line in lines)
