"""A shell's completion, asked as bash's and zsh's functions ask; and by bash itself."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


def completions(cli: Cli, line: str, shell: str = "bash", **more: str) -> list[str]:
    """What may stand at the end of the line."""
    program = (
        cli.program if line.startswith("jupyter-ra-jobs") else str(Path(cli.program).with_name("jupyter"))
    )
    read, write = os.pipe()
    with os.fdopen(read, "rb") as answer:
        process = subprocess.Popen(
            ["bash", "-c", 'exec 8>&"$0" "$@"', str(write), program],
            env={
                **cli.env,
                "COMP_LINE": line,
                "COMP_POINT": str(len(line)),
                "_ARGCOMPLETE": "1",
                "_ARGCOMPLETE_SHELL": shell,
                "_ARGCOMPLETE_COMP_WORDBREAKS": " \t\n\"'><=;|&(:",
                **more,
            },
            cwd=cli.server.world.workdir,
            pass_fds=[write],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        found = answer.read().decode()
    process.wait(60)
    return [word.strip() for word in found.split("\013") if word]


@pytest.mark.parametrize("program", ["jupyter-ra-jobs", "jupyter ra-jobs"])
def test_words(cli: Cli, program: str) -> None:
    """Verbs, then options, then what an option takes."""
    assert {"run", "sweep", "list", "doctor", "export"} <= set(completions(cli, f"{program} "))
    assert completions(cli, f"{program} st") == ["start", "stop"]
    assert completions(cli, f"{program} list --st") == ["--status"]
    assert completions(cli, f"{program} list --status r") == ["ready", "running"]
    assert completions(cli, f"{program} list --status failed,st") == ["failed,stopped"]
    assert "completed" in completions(cli, f"{program} list sweeps --status ")
    assert completions(cli, f"{program} sweep --method r") == ["random"]
    (cli.server.world.workdir / "train.py").touch()
    assert completions(cli, f"{program} run -- python tr") == ["train.py"]


def test_ids(cli: Cli) -> None:
    """Of the runs for which the verb makes sense, with their names where the shell shows them."""
    ready = cli("run", "--no-start", "--name", "a: b", "true").strip()
    ended = cli("run", "--wait", "true").strip()
    sweep = cli("sweep", "--no-start", "-p", "a=1", "true").strip()
    assert ready in completions(cli, "jupyter-ra-jobs start ")
    assert sweep in completions(cli, "jupyter-ra-jobs start ")
    assert ended not in completions(cli, "jupyter-ra-jobs start ")
    assert completions(cli, f"jupyter-ra-jobs logs {ended[:6]}") == [ended]
    assert completions(cli, f"jupyter-ra-jobs show {sweep[:6]}") == [sweep]
    assert completions(cli, f"jupyter-ra-jobs list --sweep {sweep[:6]}") == [sweep]
    in_zsh = completions(cli, f"jupyter-ra-jobs show {ready[:6]}", "zsh", _ARGCOMPLETE_SUPPRESS_SPACE="1")
    assert in_zsh == [f"{ready}:ready: a: b"]
    listed = completions(cli, "jupyter-ra-jobs show ", COMP_TYPE="63")
    assert f"{ready}  (ready: a: b)" in listed


def test_no_server(cli: Cli, tmp_path: Path) -> None:
    """Nothing is offered, and nobody waits."""
    assert completions(cli, "jupyter-ra-jobs logs ab", RA_JOBS_URL="http://127.0.0.1:1") == []


def test_the_servers_own_options(cli: Cli) -> None:
    """Without a verb the words are for the server."""
    assert "--workdir" in completions(cli, "jupyter-ra-jobs --work")


@pytest.mark.skipif(shutil.which("register-python-argcomplete") is None, reason="argcomplete is not on PATH")
def test_bash(cli: Cli) -> None:
    """The line of the documentation makes bash itself ask."""
    script = (
        'eval "$(register-python-argcomplete jupyter jupyter-ra-jobs)"; COMP_WORDS=(jupyter-ra-jobs arc);'
        "COMP_CWORD=1 COMP_LINE='jupyter-ra-jobs arc' COMP_POINT=19;"
        '_python_argcomplete jupyter-ra-jobs; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], env=cli.env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "archive"
