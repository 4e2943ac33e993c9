"""The statuses of a run, and the one table that says which may follow which."""

from enum import Enum


class RunStatus(str, Enum):
    """Where a run stands. The values are the contract's words."""

    READY = "ready"
    QUEUED = "queued"
    LAUNCHING = "launching"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"

    __str__ = str.__str__
    __repr__ = str.__repr__  # a cell shows 'finished'


TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.READY: frozenset({RunStatus.QUEUED, RunStatus.LAUNCHING, RunStatus.FAILED}),
    RunStatus.QUEUED: frozenset({RunStatus.LAUNCHING, RunStatus.STOPPED, RunStatus.FAILED}),
    RunStatus.LAUNCHING: frozenset({RunStatus.RUNNING, RunStatus.FAILED, RunStatus.STOPPED}),
    RunStatus.RUNNING: frozenset({RunStatus.FINISHED, RunStatus.FAILED, RunStatus.STOPPED}),
    RunStatus.FINISHED: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.STOPPED: frozenset(),
}

TERMINAL = frozenset(status for status, following in TRANSITIONS.items() if not following)
ACTIVE = frozenset({RunStatus.LAUNCHING, RunStatus.RUNNING})
"""Statuses in which a sidecar works, or is about to."""


def sources(target: RunStatus) -> frozenset[RunStatus]:
    """The statuses from which a run may move to `target`."""
    return frozenset(status for status, following in TRANSITIONS.items() if target in following)
