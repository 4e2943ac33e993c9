"""What `run` and `sweep` share: the options of a run, and what becomes of them in a request."""

import argparse
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_ra_jobs.cells import surroundings
from jupyter_ra_jobs.cli import completing
from jupyter_ra_jobs.cli.calling import say
from jupyter_ra_jobs.cli.parsing import completed_by, count_or_none, seconds
from jupyter_ra_jobs.cli.reaching import find_run
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.errors import BadInput


def add_options(parser: argparse.ArgumentParser) -> None:
    """Those of a run, which a sweep has for all of its runs."""
    parser.add_argument("--name", help="else the beginning of the command")
    parser.add_argument("--workdir", metavar="FOLDER", help="where it runs; else this folder")
    parser.add_argument(
        "--env",
        metavar="NAME[=VALUE]",
        action="append",
        default=[],
        help="set a variable; NAME alone passes yours on: the way for secrets (command lines are seen)",
    )
    parser.add_argument(
        "--no-env", action="store_true", help="not this shell's environment, the server's alone"
    )
    parser.add_argument("--tag", dest="tags", metavar="TAG", action="append", default=[])
    parser.add_argument("--timeout", type=seconds, metavar="TIME", help="end it after 90, 30m, 2h, 1d")
    parser.add_argument(
        "--priority", type=int, default=0, help="higher ones leave the queue first; 0 unless said"
    )
    after = parser.add_argument(
        "--after",
        metavar="ID",
        action="append",
        default=[],
        help="wait until this run has finished; repeatable",
    )
    completed_by(after, completing.runs())
    parser.add_argument(
        "--max-retries",
        type=count_or_none,
        default=0,
        metavar="N",
        help="run it again so often when it fails",
    )
    parser.add_argument(
        "--gpus", type=count_or_none, metavar="N", help="so many of the server's GPUs for it alone"
    )
    parser.add_argument("--no-start", action="store_true", help="make it, and leave the start to `start`")


@contextlib.contextmanager
def perhaps_made(what: str, listing: str) -> Iterator[None]:
    """While the server is asked: an interrupt tells where to look for what may have been made."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"interrupted while the server was asked: perhaps there is a new {what}; `{listing}` shows it")
        raise


def options(server: Client, args: argparse.Namespace) -> dict[str, Any]:
    """The fields of a new run or sweep that the options say."""
    return {
        "workdir": _workdir(server, args.workdir),
        "env": _environment(server, args),
        "tags": args.tags,
        "timeout_seconds": args.timeout,
        "priority": args.priority,
        "after": [find_run(server, word).id for word in args.after],
        "max_retries": args.max_retries,
        "gpus": args.gpus,
        "auto_start": not args.no_start,
    }


def _workdir(server: Client, given: str | None) -> str | None:
    """Relative to the caller's folder where the server is on this machine; else the server's own."""
    if server.address.workdir is None:
        return given
    return str(Path(given or ".").expanduser().absolute())


def _environment(server: Client, args: argparse.Namespace) -> dict[str, str]:
    """This shell's, where the server is on this machine, and over it what the options say."""
    here = server.address.workdir is not None and not args.no_env
    env = surroundings.of_shell(os.environ) if here else {}
    for word in args.env:
        name, given, value = word.partition("=")
        if not given:
            if name not in os.environ:
                raise BadInput(f"--env {name}: there is no such variable here to pass on; say {name}=VALUE")
            value = os.environ[name]
        env[name] = value
    return env
