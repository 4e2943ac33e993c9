"""`jupyter ra-jobs mcp`: a Model Context Protocol server over stdio, for agents.

It makes the calls of `AsyncClient`, and gives what they give in a form that fits a language model. It needs
the package `mcp`, which the extra of that name installs; nothing of it is imported before `main` is called.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str]) -> int:
    """Serve on stdin and stdout until stdin ends; returns the exit code."""
    asked = _parser().parse_args(argv)
    os.environ.setdefault("PYDANTIC_ERRORS_INCLUDE_URL", "0")  # of no use to a model
    try:
        from jupyter_ra_jobs.mcp_server import server
    except ImportError as problem:
        print(
            "jupyter ra-jobs mcp: the package mcp is missing, or is not of version 2 "
            f"({problem}): pip install 'jupyter_ra_jobs[mcp]'",
            file=sys.stderr,
        )
        return 1
    if asked.workdir is not None:
        try:
            os.chdir(asked.workdir.expanduser())
        except OSError as problem:
            print(f"jupyter ra-jobs mcp: --workdir: {problem}", file=sys.stderr)
            return 1
        for name in ("JPY_PARENT_PID", "RA_JOBS_URL", "RA_JOBS_TOKEN"):  # they would name another server
            os.environ.pop(name, None)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing here needs an end, and no traceback is wanted
    server.serve()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jupyter ra-jobs mcp",
        description="A Model Context Protocol server over stdin and stdout, for agents. It finds the server "
        "of runs as the Python client does: by RA_JOBS_URL and RA_JOBS_TOKEN in its environment, else the "
        "one in whose workdir it was started. None has to run when it starts.",
    )
    parser.add_argument(
        "--workdir",
        type=Path,
        help="the workdir of the server that is meant, or a folder in it, whatever the environment says",
    )
    return parser
