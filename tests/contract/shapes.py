"""The contract's records: each with exactly its fields, and what may stand in them."""

import re
from collections.abc import Callable
from typing import Any

Kind = Callable[[Any], bool]


def exactly(value: Any, always: dict[str, Kind], later: dict[str, Kind] | None = None) -> bool:
    """`value` has the fields of `always`, perhaps those of `later`, and no other; each is of its kind."""
    kinds = {**always, **(later or {})}
    assert always.keys() <= value.keys() <= kinds.keys(), value.keys() ^ always.keys()
    for name, part in value.items():
        assert kinds[name](part), (name, part)
    return True


def text(value: Any) -> bool:
    """Some text."""
    return type(value) is str


def flag(value: Any) -> bool:
    """True or false."""
    return type(value) is bool


def count(value: Any) -> bool:
    """An integer."""
    return type(value) is int


def time(value: Any) -> bool:
    """Seconds since the epoch, as a float, and of this century."""
    return type(value) is float and 1e9 < value < 4e9


def an_id(value: Any) -> bool:
    """12 lowercase hex digits."""
    return type(value) is str and bool(re.fullmatch(r"[0-9a-f]{12}", value))


def record(value: Any) -> bool:
    """Any object."""
    return type(value) is dict


def nullable(kind: Kind) -> Kind:
    """The same, or null."""
    return lambda value: value is None or kind(value)


def one_of(*values: str) -> Kind:
    """One of these words."""
    return lambda value: value in values


def a_list(kind: Kind) -> Kind:
    """A list of it."""
    return lambda value: type(value) is list and all(kind(each) for each in value)


RUN: dict[str, Kind] = {
    "id": an_id,
    "name": text,
    "command": text,
    "workdir": text,
    "status": one_of("ready", "queued", "launching", "running", "finished", "failed", "stopped"),
    "is_archived": flag,
    "parent_run_id": nullable(an_id),
    "origin_alert_id": nullable(text),
    "sweep_id": nullable(an_id),
    "sweep_params": nullable(record),
    "chat_session_id": nullable(text),
    "created_at": time,
    "tmux_window": nullable(lambda value: bool(re.fullmatch(r"ra-job-[0-9a-f]{12}", value))),
    "tmux_pane": nullable(lambda value: bool(re.fullmatch(r"%\d+", value))),
    "run_dir": text,
    "exit_code": nullable(count),
    "error": nullable(text),
    "wandb_dir": nullable(text),
    "gpuwrap_config": nullable(record),
    "signal": nullable(text),
    "progress": nullable(lambda value: 0 <= value <= 100),
    "attach_command": nullable(text),
    "queue_position": nullable(count),
    "tags": a_list(text),
    "notes": nullable(text),
}
RUN_LATER: dict[str, Kind] = {
    "archived_at": time,
    "queued_at": time,
    "launched_at": time,
    "started_at": time,
    "ended_at": time,
    "stopped_at": time,
    "stop_requested_at": time,
    "timeout_seconds": lambda value: value > 0,
    "priority": count,
    "after": a_list(an_id),
    "max_retries": count,
    "attempt": count,
    "gpus": count,
    "gpu_ids": a_list(text),
}
PROGRESS: dict[str, Kind] = dict.fromkeys(
    ["total", "completed", "failed", "running", "launching", "ready", "queued", "canceled"], count
)
SWEEP: dict[str, Kind] = {
    "id": an_id,
    "name": text,
    "base_command": text,
    "workdir": text,
    "parameters": record,
    "run_ids": a_list(an_id),
    "status": one_of("draft", "pending", "running", "completed", "failed", "canceled"),
    "created_at": time,
    "max_runs": nullable(count),
    "goal": nullable(text),
    "is_wild": flag,
    "chat_session_id": nullable(text),
    "ui_config": nullable(record),
    "creation_context": nullable(record),
    "progress": lambda value: exactly(value, PROGRESS),
    "parallel": nullable(count),
    "method": one_of("grid", "random", "zip"),
    "seed": nullable(count),
    "total_combinations": nullable(count),
}
SWEEP_LATER: dict[str, Kind] = {"started_at": time, "completed_at": time, "run_options": record}
LOG_PAGE: dict[str, Kind] = {
    "content": text,
    "offset": count,
    "total_size": count,
    "has_more_before": flag,
    "has_more_after": flag,
    "next_offset": count,
}


def is_run(value: Any) -> bool:
    """A Run."""
    return exactly(value, RUN, RUN_LATER)


def is_sweep(value: Any) -> bool:
    """A Sweep."""
    return exactly(value, SWEEP, SWEEP_LATER)


def is_log_page(value: Any) -> bool:
    """A page of a log."""
    return exactly(value, LOG_PAGE)
