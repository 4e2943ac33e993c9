"""What an answer says: a record, an event, an error; and whether what it tells of has ended."""

import re
from typing import Any, TypeVar

import msgspec

from jupyter_ra_jobs import errors
from jupyter_ra_jobs.client.steps import Answer, Flow, Open, Request, Send
from jupyter_ra_jobs.models import ErrorBody, LogEvent, LogGap, Run, Sweep
from jupyter_ra_jobs.states import TERMINAL, RunStatus

T = TypeVar("T")

_BY_STATUS: dict[int, type[errors.RaJobsError]] = {
    kind.status: kind
    for kind in (
        errors.BadInput,
        errors.Conflict,
        errors.Forbidden,
        errors.NotFound,
        errors.StorageFull,
        errors.TooLarge,
        errors.Unavailable,
    )
}
# Those of proxies.
_BY_STATUS |= {401: errors.Forbidden} | dict.fromkeys([424, 502, 504], errors.Unavailable)
_SWEEP_ENDED = {"completed", "failed", "canceled"}
_HOW_TO_LOG_IN = "give it as RA_JOBS_TOKEN, to ra.connect, or on a command line by --token-file"


def part_of(name: str, flow: Flow[Any]) -> Flow[Any]:
    """A call for one field of what it gives."""
    answer = yield from flow
    return getattr(answer, name)


def gap_of(answer: Answer) -> LogGap | None:
    """What a download's header says of the log's gap."""
    said = re.fullmatch(r"bytes (\d+)-(\d+)", answer.headers.get("x-ra-log-gap", ""))
    return LogGap(int(said[1]), int(said[2]) + 1) if said else None


def record_of(answer: Answer, kind: type[T]) -> T:
    """The record in an answer; NoServer for an answer that is none of ours."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise not_ours(answer) from problem


def event_of(data: bytes) -> LogEvent:
    """An event of a log's stream; NotFound where it says that the log can't be read."""
    try:
        event = msgspec.json.decode(data, type=LogEvent)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise errors.Unavailable(f"an event of the log is not ours: {problem}") from problem
    if event.type == "error":
        raise errors.NotFound(event.error or "the log cannot be read")
    return event


def checked(answer: Answer, step: Request | Send | Open) -> Answer:
    """An answer to what was asked for: another service may say 200 to everything."""
    kind = answer.headers.get("content-type", "")
    if isinstance(step, Open) and not kind.startswith("text/event-stream"):
        raise not_ours(answer)
    return answer


def not_ours(answer: Answer) -> errors.NoServer:
    """The error for another service's answer."""
    kind = answer.headers.get("content-type", "no content type")
    return errors.NoServer(
        f"what answers at {answer.url} is not jupyter_ra_jobs (HTTP status {answer.status}, {kind}); is this "
        "the URL of the Jupyter server, with its base URL, and has that loaded jupyter_ra_jobs?"
    )


def has_run_ended(run: Run) -> bool:
    """Raises Conflict for a run that nobody has started: it would be waited for in vain."""
    if run.status is RunStatus.READY:
        raise errors.Conflict(
            f"run {run.id} has not been started, so there is no end to wait for; start it first"
        )
    return run.status in TERMINAL


def has_sweep_ended(sweep: Sweep) -> bool:
    """Likewise."""
    if sweep.status in ("draft", "pending"):
        raise errors.Conflict(
            f"sweep {sweep.id} is {sweep.status}, so there is no end to wait for; start it first"
        )
    return sweep.status in _SWEEP_ENDED


def problem_of(answer: Answer) -> errors.RaJobsError | None:
    """The error that an answer tells of; also one that a proxy or Jupyter itself wrote."""
    if answer.status < 300:
        return None
    said = words_of(answer)
    kind = _BY_STATUS.get(answer.status, errors.RaJobsError)
    if said is not None:
        more = f"; {_HOW_TO_LOG_IN}" if said.startswith("not logged in") else ""
        return kind(said + more)
    if answer.status < 400:
        to = answer.headers.get("location", "elsewhere")
        if "login" in to or "oauth" in to:
            return errors.Forbidden(f"{answer.url} wants a login by the server's token; {_HOW_TO_LOG_IN}")
        return errors.NoServer(
            f"{answer.url} has moved (HTTP status {answer.status}) to {to.partition('?')[0]}; use that"
        )
    if answer.status == 404:
        return not_ours(answer)
    return kind(f"HTTP status {answer.status} from {answer.url}, which is no answer of jupyter_ra_jobs")


def words_of(answer: Answer) -> str | None:
    """The message of an error of ours; None for one that somebody else wrote."""
    try:
        return msgspec.json.decode(answer.body, type=ErrorBody).message
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def seconds_of(retry_after: str) -> float:
    """What a `Retry-After` asks for; 0 where there is none, or a date."""
    return float(retry_after) if retry_after.isdecimal() else 0.0
