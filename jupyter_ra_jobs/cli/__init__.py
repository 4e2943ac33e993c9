# PYTHON_ARGCOMPLETE_OK
"""The command line: `jupyter ra-jobs VERB …`. Without a verb it starts the server, as `jupyter ra-jobs`.

Nothing of the server is imported for a verb, or for `--version`, and nothing of a verb for the server.
"""

import os
import signal
import sys
from collections.abc import Sequence

from jupyter_ra_jobs._version import __version__
from jupyter_ra_jobs.cli.verbs import APPS, VERBS


def main() -> None:
    """Do what the command line says; exits."""
    words = sys.argv[1:]
    if "_ARGCOMPLETE" in os.environ:
        from jupyter_ra_jobs.cli import completing

        words = completing.words()
        if not words or words[0] in VERBS:
            completing.complete()  # exits
    first = words[0] if words else ""
    if first in VERBS:
        sys.exit(call(first, words[1:]))
    if first in ("--version", "-V"):
        print(__version__)
        return
    if first and not first.startswith("-") and first not in APPS:
        sys.exit(_no_verb(first))
    from jupyter_ra_jobs.app import main as start

    if first not in APPS:
        start()
        return
    try:
        try:
            start()
        finally:
            sys.stdout.flush()  # or the interpreter's last flush complains
    except BrokenPipeError:
        from jupyter_ra_jobs.cli import calling

        sys.exit(calling.reader_gone())


def call(verb: str, words: Sequence[str]) -> int:
    """Do what a verb says; returns the exit code."""
    try:
        from jupyter_ra_jobs.cli.calling import call as call_verb

        return call_verb(verb, words)
    except KeyboardInterrupt:  # also while still importing
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would be told with a traceback
        return 130


def _no_verb(word: str) -> int:
    import difflib

    names = [*VERBS, *APPS]
    near = difflib.get_close_matches(word, names, 1)
    advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    sys.stderr.write(f"jupyter ra-jobs: {word!r} is no verb; {advice}\n")
    return 2
