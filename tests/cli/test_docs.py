"""docs/cli.md: its examples print what it says, and it leaves nothing out."""

import re
import subprocess
from typing import NamedTuple

import pytest

from jupyter_ra_jobs.cli.calling import add_arguments
from jupyter_ra_jobs.cli.parsing import Parser
from jupyter_ra_jobs.cli.verbs import APPS, VERBS
from tests.cli.conftest import ROOT, Cli

PAGE = (ROOT / "docs" / "cli.md").read_text()


class Example(NamedTuple):
    """A command, and what it prints; `…` stands for anything."""

    command: str
    prints: str


def examples() -> list[Example]:
    """All of the page, in order: one session."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, prints = part.partition("\n")
            found.append(Example(command, prints))
    return found


def test_examples(cli_of_server: Cli) -> None:
    """Run in one shell, as a reader would."""
    shown = examples()
    script = "\n".join(f"printf '\\0'\n{example.command}" for example in shown)
    done = subprocess.run(
        ["bash", "-c", script],
        env=cli_of_server.env,
        cwd=cli_of_server.server.world.workdir,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    printed = done.stdout.split("\0")[1:]
    assert len(printed) == len(shown)
    for example, out in zip(shown, printed, strict=True):
        wanted = ".*".join(re.escape(part) for part in example.prints.split("…"))
        wanted = wanted.replace("launching", "(launching|running)")  # whichever is seen first
        assert re.fullmatch(wanted, out, re.DOTALL), (example, out)


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_left_out(verb: str) -> None:
    """Each verb and each of its options is on the page."""
    parser = Parser(verb, "")
    add_arguments(parser, verb)
    for option in parser._option_string_actions:
        assert option in ("-h", "--help", "--parameter", "--lines") or f"{option}" in PAGE, option
    assert re.search(rf"^#+ .*\b{verb}\b", PAGE, re.MULTILINE)


def test_applications() -> None:
    """Those too that are Jupyter's."""
    assert all(re.search(rf"^#+ .*\b{verb}\b", PAGE, re.MULTILINE) for verb in APPS)
