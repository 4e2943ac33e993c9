"""From a verb's words to its exit code; whatever goes wrong is one line on stderr."""

import importlib
import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from jupyter_ra_jobs.cells.plain import clean
from jupyter_ra_jobs.cli import codes
from jupyter_ra_jobs.cli.parsing import Parser, add_server
from jupyter_ra_jobs.cli.verbs import VERBS
from jupyter_ra_jobs.errors import RaJobsError


def call(verb: str, words: Sequence[str]) -> int:
    """Do what the verb's words say."""
    parser = Parser(verb, VERBS[verb][1])
    try:
        module = add_arguments(parser, verb)
        try:
            " ".join(words).encode()
        except UnicodeEncodeError:
            parser.error("there are bytes in the command line that are no UTF-8")
        code: int = module.call(parser.parse_args(words))
        sys.stdout.flush()
    except RaJobsError as problem:
        say(f"{parser.prog}: {problem}")
        return codes.code_of(problem)
    except BrokenPipeError:
        return reader_gone()
    except OSError as problem:
        say(f"{parser.prog}: {problem}")
        _drop_unwritten()
        return codes.ERROR
    return code


def add_arguments(parser: ArgumentParser, verb: str) -> Any:
    """Tell the parser what the verb takes; returns the verb's module."""
    module = importlib.import_module(f"jupyter_ra_jobs.cli.{VERBS[verb][0]}")
    parser.set_defaults(verb=verb)
    module.arguments(parser, verb)
    add_server(parser)
    return module


def say(line: str) -> None:
    """To the user, beside the output; without what a terminal would obey, as others' words may have it."""
    sys.stderr.write(" ".join(clean(line).splitlines()) + "\n")


def reader_gone() -> int:
    """What to exit with when whoever read our output has seen enough."""
    _drop_unwritten()
    return codes.READER_GONE


def _drop_unwritten() -> None:
    """What can't be written to stdout is let go, or the interpreter's last flush would complain of it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
