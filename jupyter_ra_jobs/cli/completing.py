"""A shell's completion, by argcomplete: verbs, options, statuses, and the ids that a server has."""

import argparse
import os
import re
import signal
from collections.abc import Callable
from typing import Any, get_args

from jupyter_ra_jobs.cli.verbs import APPS, VERBS

WAITING = ("running", "launching", "queued")
_SECONDS = 1.0
"""How long somebody who presses the tabulator is kept waiting for a server."""
_SHOWN = 100
_ID = re.compile(r"[0-9a-f]{12}")
Completer = Callable[..., dict[str, str]]


def words() -> list[str]:
    """The words before the one that is to be completed, our own name aside; itself if it is an option."""
    from argcomplete.lexers import split_line

    line, point = os.environ["COMP_LINE"], int(os.environ["COMP_POINT"])
    _, prefix, _, before, _ = split_line(line, point)
    rest: list[str] = before[int(os.environ["_ARGCOMPLETE"]) :]
    return rest or ([prefix] if prefix.startswith("-") else [])


def complete() -> None:
    """Tell the shell what may stand there; exits."""
    from argcomplete.finders import CompletionFinder

    from jupyter_ra_jobs.cli.calling import add_arguments

    parser = argparse.ArgumentParser(add_help=False)
    verbs = parser.add_subparsers()
    for verb, text in {**{verb: text for verb, (_, text) in VERBS.items()}, **APPS}.items():
        of_verb = verbs.add_parser(verb, help=text)
        if words()[:1] == [verb]:
            add_arguments(of_verb, verb)

    class Finder(CompletionFinder):
        """When bash lists words and takes none (COMP_TYPE 63), ids have their names beside them."""

        def quote_completions(self, completions: list[str], *how: Any) -> list[str]:
            quoted: list[str] = super().quote_completions(completions, *how)
            if os.environ.get("_ARGCOMPLETE_SHELL") != "bash" or os.environ.get("COMP_TYPE") != "63":
                return quoted
            names = self.get_display_completions()
            return [f"{word}  ({names[word]})" if _ID.fullmatch(word) else word for word in quoted]

    Finder()(parser)


def runs(*of: str) -> Completer:
    """Ids of the newest runs that have one of these statuses, with what they are called."""
    return _asking(lambda server: _runs(server, of))


def sweeps() -> Completer:
    """Ids of the newest sweeps."""
    return _asking(lambda server: _sweeps(server, ()))


def both(*of: str) -> Completer:
    """Ids of the newest runs and sweeps."""
    return _asking(lambda server: {**_runs(server, of), **_sweeps(server, of)})


def statuses(*, prefix: str, parsed_args: Any, **_: Any) -> list[str]:
    """The next one, after the commas that are there."""
    from jupyter_ra_jobs.models import SweepStatus
    from jupyter_ra_jobs.states import RunStatus

    before = prefix.rpartition(",")[0]
    possible = get_args(SweepStatus) if getattr(parsed_args, "what", "") == "sweeps" else [*RunStatus]
    return [f"{before},{word}" if before else str(word) for word in possible if word not in before.split(",")]


def _runs(server: Any, of: tuple[str, ...]) -> dict[str, str]:
    found = server.runs(status=of or None, limit=_SHOWN)
    return {run.id: f"{run.status}: {run.name}" for run in found}


def _sweeps(server: Any, of: tuple[str, ...]) -> dict[str, str]:
    found = server.sweeps(limit=_SHOWN)
    return {
        sweep.id: f"sweep, {sweep.status}: {sweep.name}"
        for sweep in found
        if not of or sweep.status not in ("completed", "failed", "canceled")
    }


def _asking(ask: Callable[[Any], dict[str, str]]) -> Completer:
    def completer(*, parsed_args: Any, **_: Any) -> dict[str, str]:
        from jupyter_ra_jobs.cli.reaching import client
        from jupyter_ra_jobs.errors import RaJobsError

        signal.signal(signal.SIGALRM, _enough)
        signal.setitimer(signal.ITIMER_REAL, _SECONDS)
        try:
            # Of words that are no whole command yet, argparse tells no defaults.
            given = argparse.Namespace(**{"url": None, "token_file": None, **vars(parsed_args)})
            with client(given, patience=0) as server:
                return ask(server)
        except (RaJobsError, OSError):
            return {}  # a shell has no place for what went wrong
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    return completer


def _enough(*_: object) -> None:
    raise TimeoutError
