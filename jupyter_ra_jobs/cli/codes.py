"""Exit codes, as docs/cli.md has them."""

from jupyter_ra_jobs import errors

OK, ERROR, USAGE, NO_SERVER, NOT_FOUND, INTERRUPTED = 0, 1, 2, 3, 4, 130
READER_GONE = 141
"""As a shell tells of a program that SIGPIPE ended."""

_OF = {
    errors.BadInput: USAGE,
    errors.NoServer: NO_SERVER,
    errors.ConnectionLost: NO_SERVER,
    errors.NotFound: NOT_FOUND,
}


def code_of(problem: errors.RaJobsError) -> int:
    """What the program exits with when this is raised."""
    return _OF.get(type(problem), ERROR)
