"""Words of a command line to values: argparse, with errors of one line that say what would be right."""

import argparse
import re
from typing import Any, NoReturn

from jupyter_ra_jobs.cli import codes
from jupyter_ra_jobs.client import times
from jupyter_ra_jobs.errors import BadInput


class Parser(argparse.ArgumentParser):
    """The parser of one verb."""

    def __init__(self, verb: str, help_text: str) -> None:
        super().__init__(prog=f"jupyter ra-jobs {verb}", description=help_text, allow_abbrev=False)

    advice = ""
    """What to say to whoever wrote an option that there is not."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and exit."""
        message = " ".join(message.split())
        if message.startswith("unrecognized arguments") and self.advice:
            message = f"{message}; {self.advice}"
        self.exit(codes.USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def add_server(parser: argparse.ArgumentParser) -> None:
    """What every verb takes."""
    server = parser.add_argument_group("which server")
    server.add_argument(
        "--url", help="the server's URL; else RA_JOBS_URL, else the one in whose workdir this folder is"
    )
    server.add_argument("--token-file", metavar="FILE", help="holds its token; else RA_JOBS_TOKEN")


def count(text: str) -> int:
    """1 or more."""
    return _whole(text, 1)


def count_or_none(text: str) -> int:
    """0 or more."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not re.fullmatch(r"\d+", text, re.ASCII) or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on")
    return int(text)


def seconds(text: str) -> float:
    """As `90`, `1.5h` or `30m`."""
    try:
        return times.seconds(text)
    except BadInput as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def completed_by(action: argparse.Action, completer: Any) -> None:
    """Have a shell's completion ask `completer` for the values of this argument."""
    action.completer = completer  # type: ignore[attr-defined]  # as argcomplete looks for it
