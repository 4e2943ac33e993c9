"""`run`, `rerun`, `wait`: commands, their surroundings, and the codes that a script goes on by."""

import json
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_ra_jobs import __version__
from jupyter_ra_jobs.app import RaJobsApp
from jupyter_ra_jobs.cli.serving import complaint
from tests.cli.conftest import Cli
from tests.conftest import PATIENCE, TOKEN, Server, wait_for


def test_words_are_quoted(cli: Cli) -> None:
    """Several words reach the command as they are, one is a shell's own text."""
    words = ["printf", "%s|", "a b", "$HOME", "it's", "*", "--wait", "--", ""]
    assert cli("run", "--follow", "--", *words) == "a b|$HOME|it's|*|--wait|--||"
    assert cli("run", "--follow", "echo $((6 * 7)) | tr 4 5") == "52\n"


def test_options_reach_the_record(cli: Cli) -> None:
    """Each says what the HTTP API says."""
    first = cli("run", "true", "--no-start").strip()
    words = ["run", "--name", "n", "--tag", "a", "--tag", "b", "--notes", "why", "--timeout", "1.5h"]
    words += [
        "--priority",
        "-3",
        "--after",
        first[:6],
        "--max-retries",
        "2",
        "--gpus",
        "0",
        "--no-start",
        "true",
    ]
    run = cli.show(cli(*words).strip())
    told = {name: run[name] for name in ("name", "tags", "notes", "timeout_seconds", "priority", "after")}
    assert told == {
        "name": "n",
        "tags": ["a", "b"],
        "notes": "why",
        "timeout_seconds": 5400,
        "priority": -3,
        "after": [first],
    }
    assert (run["max_retries"], run["gpus"], run["status"]) == (2, 0, "ready")


def test_surroundings(cli: Cli) -> None:
    """The caller's folder and environment, as under nohup, but for what would log in or mislead."""
    folder = cli.server.world.workdir / "sub"
    folder.mkdir()
    script = "pwd; echo $MINE $EMPTY$PASSED ${RA_JOBS_TOKEN-none} ${PAGER-none}; which python-of-mine"
    (folder / "python-of-mine").write_text("#!/bin/sh\n")
    (folder / "python-of-mine").chmod(0o755)
    env = {
        "MINE": "mine",
        "RA_JOBS_TOKEN": "secret",
        "PAGER": "less",
        "BASH_FUNC_x%%": "() { :; }",
        "PATH": f"{folder}:{cli.env['PATH']}",
    }
    out = cli("run", "--follow", "--env", "PASSED=it=is", script, env=env, cwd=folder)
    assert out.splitlines() == [str(folder), "mine it=is none none", str(folder / "python-of-mine")]
    assert cli("run", "--follow", "--env", "PAGER", "echo $PAGER", env=env) == "less\n"
    assert cli("run", "--follow", "--no-env", "echo ${MINE-none}", env=env) == "none\n"
    assert cli("run", "--follow", "--workdir", "sub", "pwd") == f"{folder}\n"


def test_bytes_that_are_no_text(cli: Cli) -> None:
    """A variable of such bytes is left out, such a command refused."""
    env = {**cli.env, "ODD": "\udcff"}
    done = subprocess.run(
        [cli.program, "run", "--follow", "echo ${ODD-none}"],
        env=env,
        cwd=cli.server.world.workdir,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"none\n"
    assert "no UTF-8" in cli.error("run", "echo \udcff", code=2)


@pytest.mark.parametrize(
    ("command", "code"),
    [("true", 0), ("exit 3", 3), ("kill -TERM $$", 143), ("exit 255", 255), ("no-such-command", 127)],
)
def test_wait(cli: Cli, command: str, code: int) -> None:
    """Exits as the command did; the run's id is the output."""
    run_id = cli("run", "--wait", command, code=code).strip()
    assert cli.show(run_id)["exit_code"] == code
    cli("wait", run_id, code=code)


def test_unknown_end(cli: Cli) -> None:
    """What never ran, or was ended though it exits with 0, is no success."""
    first = cli("run", "until test -e fail; do sleep 0.05; done; false").strip()
    waiting = cli.started("run", "--wait", "--after", first, "true")
    assert waiting.stdout is not None
    waiting.stdout.readline()
    (cli.server.world.workdir / "fail").touch()
    _, said = waiting.communicate()
    assert waiting.returncode == 1
    assert first in said.decode()
    timed_out = "trap 'exit 0' INT TERM; echo on; while :; do sleep 0.05; done"
    done = cli.done("run", "--follow", "--timeout", "1", timed_out)
    assert (done.returncode, done.stdout) == (1, b"on\n")


def test_retries_are_waited_for(cli: Cli) -> None:
    """The last try counts, and its output follows that of the first."""
    command = "echo try; test -e twice || { touch twice; exit 5; }"
    done = cli.done("run", "--follow", "--max-retries", "3", command)
    assert (done.returncode, done.stdout) == (0, b"try\ntry\n"), done.stderr
    assert b"tried again as" in done.stderr


@pytest.mark.parametrize("option", ["--wait", "--follow"])
def test_interrupt(cli: Cli, option: str) -> None:
    """Ends the waiting, not the run."""
    waiting = cli.started("run", option, "echo begun; exec sleep 1000", text=True)
    assert waiting.stdout is not None
    assert waiting.stderr is not None
    line = (waiting.stdout if option == "--wait" else waiting.stderr).readline()
    run_id = line.split()[-1]
    cli.server.until(run_id, "running")
    if option == "--follow":
        assert waiting.stdout.readline() == "begun\n"
    waiting.send_signal(signal.SIGINT)
    _, said = waiting.communicate()
    assert waiting.returncode == 130
    assert said == f"run {run_id} goes on; `jupyter ra-jobs stop {run_id}` stops it\n"
    assert cli.show(run_id)["status"] == "running"
    assert cli("stop", run_id) == f"{run_id} stopping\n"
    cli("wait", run_id, code=130)


@pytest.mark.parametrize("words", [["run", "true"], ["sweep", "-p", "x=1", "true"]])
def test_interrupted_while_asking(cli: Cli, words: list[str]) -> None:
    """Nobody knows whether it was made, and how to look is told."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        asking = cli.started(words[0], "--url", url, *words[1:], env={**cli.env, "RA_JOBS_TOKEN": "x"})
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(4) == b"POST"
            asking.send_signal(signal.SIGINT)
            _, said = asking.communicate(timeout=PATIENCE)
    assert asking.returncode == 130
    (line,) = said.decode().splitlines()
    assert f"perhaps there is a new {words[0]}; `jupyter ra-jobs list" in line


_REPORT = """
import json, os, urllib.request
spec = json.load(open(os.environ["RA_RUN_DIR"] + "/spec.json"))
server = json.load(open(spec["server_file"]))
url = "http://127.0.0.1:%d%s/runs/%s/status" % (server["port"], server["path"], spec["run_id"])
end = {"status": "failed", "exit_code": 1, "error": "\\x1b]0;title\\x07odd"}
headers = {"X-RA-Run-Token": spec["token"], "Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request(url, json.dumps(end).encode(), headers))
"""


def test_why_it_failed(cli: Cli) -> None:
    """Is said once, and without what a terminal would obey."""
    done = cli.done("run", "--wait", "exit 3")
    assert done.stderr.decode().endswith("failed (exit code 3)\n")
    run_id = cli("run", shlex.join([sys.executable, "-c", _REPORT])).strip()
    assert cli.error("wait", run_id, code=1) == f"run {run_id} failed (odd, exit code 1)"
    assert cli.show(run_id)["error"] == "\x1b]0;title\x07odd"


def test_wait_no_longer(cli: Cli) -> None:
    """A time limit of the waiting is none of the run."""
    run_id = cli("run", "exec sleep 1000").strip()
    assert "has not ended after 0.2 seconds" in cli.error("wait", run_id, "--timeout", "0.2", code=1)
    cli("stop", run_id)
    assert "has not been started" in cli.error("wait", cli("run", "--no-start", "true").strip(), code=1)


def test_rerun(cli: Cli) -> None:
    """The same again, or another command in the same surroundings."""
    first = cli("run", "--wait", "--env", "WORD=hello", "echo $WORD").strip()
    assert cli("rerun", "--follow", first) == "hello\n"
    assert cli("rerun", "--follow", first, "--command", "echo $WORD, you") == "hello, you\n"
    again = cli.show(cli("rerun", "--no-start", first).strip())
    assert (again["parent_run_id"], again["status"]) == (first, "ready")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run"], "required: command"),
        (["run", "python", "a.py", "--lr", "1"], "options of the command itself go behind --"),
        (["run", "  "], "the command is empty"),
        (["run", "--timeout", "soon", "true"], "'soon' is no length of time; say seconds, or as in 30m"),
        (["run", "--max-retries", "-1", "true"], "'-1' is no whole number from 0 on"),
        (["run", "--env", "NO_SUCH_VARIABLE", "true"], "say NO_SUCH_VARIABLE=VALUE"),
        (["run", "--env", "1=2", "true"], "no name of a variable"),
        (["run", "--workdir", "nowhere", "true"], "there is no folder"),
        (["run", "--no-start", "--wait", "true"], "what was not started has no end"),
        (["run", "--wait", "--follow", "true"], "not allowed with"),
        (["run", "--nam", "x", "true"], "unrecognized arguments: --nam"),
        (["lst"], "'lst' is no verb; did you mean list?"),
        (["frobnicate"], "there are run, sweep, list"),
    ],
)
def test_usage(cli: Cli, words: list[str], says: str) -> None:
    """What is written wrong is told in a line, with what would be right."""
    assert says in cli.error(*words, code=2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--workdri", "/path"], "--workdri is no option; did you mean --workdir?"),
        (["--debug", "--max-running=2"], "did you mean --RaJobsApp.max_running?"),
        (["--RaJobsApp.max_runing=2"], "did you mean --RaJobsApp.max_running?"),
        (["--RaJobApp.shell=sh"], "did you mean --RaJobsApp.shell?"),
        (["--ServerApp.prot=8888"], "did you mean --ServerApp.port?"),
        (["--frobnicate"], "see jupyter ra-jobs --help"),
        (["--json", "list"], "goes behind it: jupyter ra-jobs list --json …"),
        (["--workdir", "/path", "run", "true"], "run must come first"),
    ],
)
def test_server_options(cli: Cli, tmp_path: Path, words: list[str], says: str) -> None:
    """A server whose options are written wrong is not started, and nothing is created."""
    assert says in cli.error(*words, code=2, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        "--ServerApp.port=1 --debug -y --no-browser --port 8888 --ip=::1 --allow-root",
        "--workdir run --RaJobsApp.max_running 2 --RaJobsApp.open_browser=False --log-level 10",
        "--ServerApp.jpserver_extensions.lab=True --ServerProxy.servers={} --LabApp.collaborative=True",
        "--IdentityProvider.token '' --no-brow",
        "--help list",
    ],
)
def test_server_options_that_there_are(words: str) -> None:
    """Jupyter's, ours, other extensions', and a value that reads like a verb."""
    assert complaint(shlex.split(words), RaJobsApp) is None


@pytest.mark.parametrize("way", ["jupyter", "module"])
def test_other_ways_in(cli: Cli, way: str, programs: Path) -> None:
    """`jupyter ra-jobs` and `python -m jupyter_ra_jobs` are the same."""
    program = (
        [str(programs / "jupyter"), "ra-jobs"]
        if way == "jupyter"
        else [sys.executable, "-m", "jupyter_ra_jobs"]
    )
    done = subprocess.run(
        [*program, "run", "--follow", "--", "echo", "hello"],
        env=cli.env,
        cwd=cli.server.world.workdir,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"hello\n"


def test_help(cli: Cli) -> None:
    """The server's help lists all verbs, the applications of their own among them, which go on working."""
    shown = cli("--help").splitlines()
    for verb in ["run", "sweep", "list", "logs", "attach", "doctor", "export"]:
        assert verb in shown
    assert "--max-retries N" in cli("run", "--help")
    assert "runs" in json.loads(cli("export"))
    assert "DoctorApp" in cli("doctor", "--help-all")


def test_a_verb_brings_no_server(cli: Cli) -> None:
    """Nor its libraries: start-up counts."""
    code = (
        "import sys; from jupyter_ra_jobs.cli import call; call('list', []);"
        "print({'jupyter_server', 'tornado', 'traitlets', 'asyncio', 'rich'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=cli.env,
        cwd=cli.server.world.workdir,
        capture_output=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == b"set()"


def test_version() -> None:
    """Comes at once, with no server's libraries."""
    code = (
        "import sys; from jupyter_ra_jobs.cli import main; sys.argv[1:] = ['--version']; main();"
        "print({'jupyter_server', 'traitlets', 'argparse', 'httpx', 'msgspec'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.splitlines() == [__version__.encode(), b"set()"]


def test_by_url(cli: Cli, tmp_path: Path) -> None:
    """A server that is named may be elsewhere: the run gets nothing of here but what is said."""
    url = f"http://127.0.0.1:{cli.server.port}"
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    named = ["run", "--url", url, "--token-file", str(token)]
    script = "pwd; echo ${MINE-none} $OTHER"
    mine = {"MINE": "mine", "OTHER": "other"}
    out = cli(*named, "--follow", "--env", "OTHER", script, env=mine, cwd=tmp_path)
    assert out.splitlines() == [str(cli.server.world.workdir), "none other"]
    by_environment = {"RA_JOBS_URL": f"{url}/lab", "RA_JOBS_TOKEN": TOKEN}
    assert "finished" in cli("list", env=by_environment, cwd=tmp_path)
    assert cli("list", "--url", url, env={"RA_JOBS_TOKEN": TOKEN}, cwd=tmp_path)


def test_no_way_in(cli: Cli, tmp_path: Path) -> None:
    """No server, a wrong token, a token where others see it: each with its code, in a line."""
    assert "no server was found" in cli.error("list", code=3, cwd=tmp_path)
    url = f"http://127.0.0.1:{cli.server.port}"
    assert cli.error("list", "--url", url, env={"RA_JOBS_TOKEN": "wrong"}, code=1)
    assert "RA_JOBS_TOKEN" in cli.error("list", "--url", f"{url}/?token={TOKEN}", code=2)
    assert "one begins with http" in cli.error("list", "--url", "localhost:8888", code=2)
    empty = tmp_path / "empty"
    empty.touch()
    assert "does not hold a token" in cli.error("list", "--url", url, "--token-file", str(empty), code=2)
    empty.write_text("x")
    assert "is for --url" in cli.error("list", "--token-file", str(empty), code=2)


def test_server_that_is_away(server: Server, programs: Path) -> None:
    """Is told as none; one that comes back while somebody waits is found again."""
    cli = Cli(server, programs)
    waiting = cli.started(
        "run", "--follow", "echo begun; until test -e go; do sleep 0.05; done; echo end; exit 4"
    )
    assert waiting.stdout is not None
    assert waiting.stderr is not None
    assert waiting.stdout.readline() == b"begun\n"
    assert waiting.stderr.readline().startswith(b"run ")
    server.kill()
    assert "no server" in cli.error("list", code=3)
    away = waiting.stderr.readline()
    assert b"; runs go on without it; it is looked for until " in away
    server.start()
    assert waiting.stderr.readline().startswith(b"the server is back")
    (server.world.workdir / "go").touch()
    out, err = waiting.communicate()
    assert (out, waiting.returncode) == (b"end\n", 4)
    assert b"server" not in err


def test_nothing_secret_is_seen(cli: Cli) -> None:
    """Neither the token nor a variable that is passed on is on any command line."""
    waiting = cli.started(
        "run", "--wait", "--env", "SECRET", "exec sleep 1000", env={**cli.env, "SECRET": "s3cr3t"}
    )
    assert waiting.stdout is not None
    run_id = waiting.stdout.readline().decode().strip()
    cli.server.until(run_id, "running")
    lines = [" ".join(process.cmdline()) for process in cli.server.world.processes()]
    assert any("sleep 1000" in line for line in lines)
    assert not any("s3cr3t" in line or TOKEN in line for line in lines)
    cli("stop", run_id)
    waiting.communicate()
    wait_for(lambda: not cli.server.world.of_run(run_id), "it has ended")
