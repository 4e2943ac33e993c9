"""Waiting for an end, and exiting as it was. An interrupt ends the waiting, never the run."""

import contextlib
import sys
import time
from collections.abc import Iterator

from jupyter_ra_jobs.cells.bars import bar
from jupyter_ra_jobs.cli import codes
from jupyter_ra_jobs.cli.calling import say
from jupyter_ra_jobs.cli.output import write
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.client.ids import kind
from jupyter_ra_jobs.models import LogGap, Run, Sweep
from jupyter_ra_jobs.states import RunStatus


def wait(server: Client, record: Run | Sweep, timeout: float | None = None) -> int:
    """Wait for the end, of a run that is retried for the last try's; the exit code says how it was."""
    until = None if timeout is None else time.monotonic() + timeout
    with _goes_on(record):
        if isinstance(record, Sweep):
            return _told_of_sweep(_ended_sweep(server, record, timeout))
        run: Run | None = record
        while run is not None:
            left = None if until is None else max(0.0, until - time.monotonic())
            last = _ended(server, run, left)
            run = _retry(server, last)
        return _told(last)
    return codes.INTERRUPTED


def follow(server: Client, run: Run) -> int:
    """Print the output to its end, then as `wait`."""
    with _goes_on(run):
        following: Run | None = run
        while following is not None:
            for part in server.follow_bytes(following.id):
                write_part(part)
            last = server.run(following.id)
            following = _retry(server, last)
        return _told(last)
    return codes.INTERRUPTED


def write_part(part: bytes | LogGap) -> None:
    """To stdout as it is; of what is not there any more is told beside it."""
    if isinstance(part, LogGap):
        say(f"[… {part.end - part.start:,} bytes were given back to the disk …]")
    else:
        write(part)


@contextlib.contextmanager
def _goes_on(record: Run | Sweep) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say(f"{kind(record)} {record.id} goes on; `jupyter ra-jobs stop {record.id}` stops it")


def _looked_at() -> bool | None:
    """None lets tqdm decide; without a terminal it need not even be imported."""
    return None if sys.stderr.isatty() else False


def _ended(server: Client, run: Run, timeout: float | None) -> Run:
    with bar(run.name, 100, _looked_at()) as show:
        for now in server.watch_run(run.id, timeout=timeout):
            show(now.progress or 0, str(now.status))
    return now


def _ended_sweep(server: Client, sweep: Sweep, timeout: float | None) -> Sweep:
    with bar(sweep.name, sweep.progress.total, _looked_at()) as show:
        for now in server.watch_sweep(sweep.id, timeout=timeout):
            counts = now.progress
            show(counts.completed + counts.failed + counts.canceled, f"{counts.running} running")
    return now


def _told_of_sweep(sweep: Sweep) -> int:
    counts = sweep.progress
    if counts.completed == counts.total:
        return codes.OK
    say(
        f"sweep {sweep.id} {sweep.status}: of {counts.total} runs {counts.completed} finished, "
        f"{counts.failed} failed, {counts.canceled} were stopped"
    )
    return codes.ERROR


def _retry(server: Client, run: Run) -> Run | None:
    """The run that was made, with its end, to try it again."""
    again = server.retry_of(run)
    if again is not None:
        say(f"run {run.id} failed ({_why(run)}); it is tried again as {again.id}")
    return again


def _told(run: Run) -> int:
    if run.status is RunStatus.FINISHED:
        return run.exit_code or codes.OK
    say(f"run {run.id} {'was stopped' if run.status is RunStatus.STOPPED else run.status} ({_why(run)})")
    return (run.exit_code or codes.ERROR) & 0xFF or codes.ERROR


def _why(run: Run) -> str:
    known = [run.error] if run.error else []
    for more in (run.signal, None if run.exit_code is None else f"exit code {run.exit_code}"):
        known += [more] if more and more not in (run.error or "") else []
    return ", ".join(known) or "nobody knows why"
