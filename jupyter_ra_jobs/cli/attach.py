"""`attach`: a run's tmux window, in this terminal."""

import argparse
import os
import shlex
import shutil
import subprocess
import sys

from jupyter_ra_jobs.cli import completing
from jupyter_ra_jobs.cli.parsing import Parser, completed_by
from jupyter_ra_jobs.cli.reaching import client, find_run
from jupyter_ra_jobs.errors import Conflict, Unavailable
from jupyter_ra_jobs.models import Run
from jupyter_ra_jobs.states import TERMINAL


def arguments(parser: Parser, verb: str) -> None:
    """What it takes."""
    ids = parser.add_argument("id", help="the run's, or how it begins")
    completed_by(ids, completing.runs("running", "launching"))


def call(args: argparse.Namespace) -> int:
    """Become tmux; returns only by raising."""
    with client(args) as server:
        run = find_run(server, args.id)
        command = _command(run)
        if server.address.workdir is None:
            raise Conflict(
                f"the server of run {run.id} was named by its URL, so it may be elsewhere; there: {command}"
            )
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise Conflict(f"tmux needs a terminal, and this is none; in one: {command}")
    tmux, *words = shlex.split(command)
    program = shutil.which(tmux)
    if program is None:
        raise Unavailable("there is no tmux on PATH")
    target = words[words.index("-t") + 1]
    # Inside another tmux, TMUX would have that one asked, and the attaching refused.
    environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
    looked = subprocess.run(
        [program, *words[: words.index("attach")], "list-panes", "-t", f"={target}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if looked.returncode != 0:
        why = looked.stderr.strip() or f"exit code {looked.returncode}"
        raise Conflict(
            f"the window of run {run.id} is not to be found here ({why}); is TMUX_TMPDIR the server's?"
        )
    sys.stdout.flush()
    os.execve(program, [tmux, *words], environment)  # noqa: S606 - no shell is wanted


def _command(run: Run) -> str:
    if run.status in TERMINAL:
        raise Conflict(
            f"run {run.id} has ended ({run.status}); `jupyter ra-jobs logs {run.id}` shows what it wrote"
        )
    if run.attach_command is None:
        raise Conflict(
            f"run {run.id} is {run.status}, so it has no window; `jupyter ra-jobs start {run.id}` starts it"
        )
    return run.attach_command
