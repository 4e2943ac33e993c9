"""Who may go next: sweeps, GPUs, and runs that wait for others; who tries again."""

import time
from typing import Any

import pytest

from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.models import Run
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store
from tests.unit.records import make_run, make_sweep

ALL = 1_000
GPUS = ["0", "1", "2", "3"]


def queue(store: Store, name: str, at: float = 0.0, **fields: Any) -> str:
    """A run in the queue that was asked to start; its id."""
    run = make_run(name=name, **fields)
    store.add(run)
    store.move(run.id, RunStatus.QUEUED, at=at, start_requested=1)
    return run.id


def end(store: Store, run_id: str, how: RunStatus = RunStatus.FINISHED, **details: Any) -> None:
    """Run it through to its end."""
    assert store.move(run_id, RunStatus.LAUNCHING)
    assert store.move(run_id, RunStatus.RUNNING)
    assert store.move(run_id, how, **details)


def go_on(store: Store) -> int:
    """Do all that is under way; in how many steps."""
    steps = 0
    while store.bulk.step():
        steps += 1
    return steps


def names(store: Store, limit: int = ALL, gpus: list[str] | None = None) -> list[str]:
    """Who may go now, in order."""
    return [store.run(run_id).name for run_id, _ in store.queue.next(limit, gpus or [])]


def only(store: Store, name: str) -> Run:
    """The newest run of this name."""
    return next(run for run in store.runs(limit=ALL) if run.name == name)


# -- the order -------------------------------------------------------------------------------------


def test_clock_set_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """First come first, also of those that come when it is earlier than it was; retries and sweeps too."""
    now = time.time()
    sweep = make_sweep(parallel=4)
    store.sweeps.add(sweep)
    late = make_run(name="1 of a sweep", sweep_id=sweep.id)  # created before those that are queued before it
    store.add(late)
    failing = make_run(name="failing", max_retries=1)
    store.add(failing)
    runs = [make_run(name=name, priority=n % 2) for n, name in enumerate("abcd")]
    for run in reversed(runs):
        store.add(run)
    for run in runs:
        now -= 3600
        monkeypatch.setattr(time, "time", lambda at=now: at)
        store.move(run.id, RunStatus.QUEUED, start_requested=1)
    store.bulk.begin(sweep.id, "start")
    end(store, failing.id, RunStatus.FAILED)
    assert names(store) == ["b", "d", "a", "c", "1 of a sweep", "failing"]


def test_ends_not_before_it_began(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the clock says."""
    run = make_run()
    store.add(run)
    store.move(run.id, RunStatus.LAUNCHING)
    store.move(run.id, RunStatus.RUNNING)
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    store.move(run.id, RunStatus.STOPPED)
    ended = store.run(run.id)
    assert ended.ended_at == ended.stopped_at == ended.started_at


# -- sweeps ----------------------------------------------------------------------------------------


def test_each_sweep_gets_its_share(store: Store) -> None:
    """Of a sweep as many as it has room for, in the order of the whole queue; of no sweep, all."""
    sweeps = [make_sweep(parallel=2), make_sweep(parallel=1), make_sweep()]
    for sweep in sweeps:
        store.sweeps.add(sweep)
    for n in range(4):
        for letter, sweep in zip("abc", sweeps, strict=True):
            queue(store, f"{letter}{n}", at=n, sweep_id=sweep.id)
        queue(store, f"-{n}", at=n)
    assert sorted(names(store)) == sorted(
        ["a0", "a1", "b0", *(f"c{n}" for n in range(4)), "-0", "-1", "-2", "-3"]
    )
    assert names(store, limit=3) == ["a0", "b0", "c0"]
    for run_id, _ in store.queue.next(ALL, []):
        assert store.move(run_id, RunStatus.LAUNCHING)
    assert names(store) == []


def test_sweep_that_is_not_stored(store: Store) -> None:
    """A run may name a sweep that nobody knows: an imported one does."""
    queue(store, "stray", sweep_id="gone")
    assert names(store) == ["stray"]


def test_priority_goes_across_sweeps(store: Store) -> None:
    """The highest first, wherever it is from."""
    sweep = make_sweep(parallel=5)
    store.sweeps.add(sweep)
    queue(store, "low", priority=-1)
    queue(store, "high", at=9, priority=5, sweep_id=sweep.id)
    queue(store, "middle", at=5)
    assert names(store) == ["high", "middle", "low"]
    assert only(store, "low").queue_position == 3


# -- GPUs ------------------------------------------------------------------------------------------


def claim(store: Store, gpus: list[str]) -> dict[str, list[str] | None]:
    """Launch all that may go; which GPUs each has got."""
    got = {}
    for run_id, gpu_ids in store.queue.next(ALL, gpus):
        assert store.move(run_id, RunStatus.LAUNCHING, gpu_ids=gpu_ids)
        got[store.run(run_id).name] = gpu_ids
    return got


def test_gpus_of_its_own(store: Store) -> None:
    """No GPU is given twice; who asks for none in so many words gets none, who says nothing is left alone."""
    for name, gpus in (("one", 1), ("two", 2), ("none", 0), ("silent", None), ("late", 2)):
        queue(store, name, gpus=gpus)
    assert claim(store, GPUS) == {"one": ["0"], "two": ["1", "2"], "none": [], "silent": None}
    one = only(store, "one").id
    assert names(store, gpus=GPUS) == []
    store.move(one, RunStatus.FAILED)
    assert claim(store, GPUS) == {"late": ["0", "3"]}


def test_a_large_one_is_not_starved(store: Store) -> None:
    """Small ones behind it wait; runs without GPUs pass by."""
    queue(store, "running", gpus=1)
    claim(store, GPUS)
    queue(store, "large", at=1, gpus=4)
    queue(store, "small", at=2, gpus=1)
    queue(store, "cpu", at=3)
    assert names(store, gpus=GPUS) == ["cpu"]
    store.move(only(store, "running").id, RunStatus.FAILED)
    assert names(store, gpus=GPUS) == ["large", "cpu"]


def test_what_never_fits_holds_nobody_up(store: Store) -> None:
    """It was queued when there were more GPUs."""
    queue(store, "too large", gpus=5)
    queue(store, "small", at=1, gpus=1)
    assert names(store, gpus=GPUS) == ["small"]


def test_claim_of_a_taken_gpu(store: Store) -> None:
    """Two who chose the same GPU: the second gets nothing, and has not moved."""
    first, second = (queue(store, name, gpus=1) for name in "ab")
    assert store.move(first, RunStatus.LAUNCHING, gpu_ids=["0"])
    assert not store.move(second, RunStatus.LAUNCHING, gpu_ids=["1", "0"])
    assert store.status(second) is RunStatus.QUEUED
    assert store.run(second).gpu_ids is None


# -- after -----------------------------------------------------------------------------------------


def test_after(store: Store) -> None:
    """It goes when all that it waits for have finished, and by no other way before."""
    first, second = queue(store, "first"), queue(store, "second")
    last = queue(store, "last", after=[first, second])
    assert names(store) == ["first", "second"]
    assert not store.move(last, RunStatus.LAUNCHING)
    end(store, first)
    assert names(store) == ["second"]
    end(store, second)
    assert names(store) == ["last"]
    assert store.run(last).after == [first, second]


def test_after_what_has_finished(store: Store) -> None:
    """There is nothing to wait for."""
    first = queue(store, "first")
    end(store, first)
    queue(store, "last", after=[first])
    assert names(store) == ["last"]


@pytest.mark.parametrize("how", [RunStatus.FAILED, RunStatus.STOPPED])
def test_after_in_vain(store: Store, how: RunStatus) -> None:
    """It fails, says why, and so do those that wait for it, however many in a row."""
    first = queue(store, "first")
    row = [first]
    for n in range(2_000):
        run = make_run(name=str(n), after=[row[-1]])
        store.add(run)  # `ready`: whoever has not started can fail
        row.append(run.id)
    end(store, first, how)
    go_on(store)
    ended = [store.run(run_id) for run_id in row[1:]]
    assert {run.status for run in ended} == {RunStatus.FAILED}
    how_it_ended = "failed" if how is RunStatus.FAILED else "was stopped"
    assert ended[0].error == f"run {first}, which had to finish first, {how_it_ended}"
    assert ended[1].error == f"run {ended[0].id}, which had to finish first, failed"
    assert all(run.ended_at and run.started_at is None for run in ended)


def test_after_a_stopped_sweep(store: Store) -> None:
    """A sweep that is taken out of the queue as a whole takes those along that wait for its runs."""
    store.sweeps.add(make_sweep(id="sweep"))
    cell = queue(store, "cell", sweep_id="sweep")
    waiting = queue(store, "waiting", after=[cell])
    store.bulk.begin("sweep", "stop")
    go_on(store)
    assert store.status(cell) is RunStatus.STOPPED
    assert store.status(waiting) is RunStatus.FAILED


@pytest.mark.parametrize("how", [RunStatus.FAILED, RunStatus.STOPPED])
def test_after_what_has_failed_already(store: Store, how: RunStatus) -> None:
    """That is refused."""
    first = queue(store, "first")
    store.queue.check_after([first])
    end(store, first, how)
    with pytest.raises(BadInput, match=f"after: run {first} has {how}; rerun it"):
        store.queue.check_after([first])
    with pytest.raises(BadInput, match="after: there is no run nobody"):
        store.queue.check_after(["nobody"])


# -- retries ---------------------------------------------------------------------------------------


def test_retries(store: Store) -> None:
    """Each failure queues the same run anew, as often as was asked for; who waits for it waits on."""
    first = queue(store, "first", max_retries=2, gpus=1, priority=3, tags=["x"], sweep_params={"lr": 1})
    waiting = queue(store, "waiting", after=[first])
    for attempt in (1, 2, 3):
        run = only(store, "first")
        assert (run.attempt, run.status, store.run(waiting).status) == (attempt, "queued", "queued")
        assert (run.gpus, run.priority, run.tags, run.sweep_params) == (1, 3, ["x"], {"lr": 1})
        assert names(store, gpus=GPUS) == ["first"]
        end(store, run.id, RunStatus.FAILED, exit_code=1)
    attempts = [run for run in store.runs(limit=ALL) if run.name == "first"]
    assert [run.parent_run_id for run in attempts] == [attempts[1].id, attempts[2].id, None]
    assert store.run(waiting).error == f"run {attempts[0].id}, which had to finish first, failed"


def test_a_retry_that_finishes(store: Store) -> None:
    """It lets those go that waited for the first try."""
    first = queue(store, "first", max_retries=1)
    queue(store, "waiting", after=[first])
    end(store, first, RunStatus.FAILED)
    end(store, only(store, "first").id)
    assert names(store) == ["waiting"]


def test_after_what_is_tried_again(store: Store) -> None:
    """To wait for a run that failed and is tried again is to wait for its last try."""
    first = queue(store, "first", max_retries=1)
    end(store, first, RunStatus.FAILED)
    store.queue.check_after([first])
    last = queue(store, "last", after=[first])
    assert store.run(last).after == [first]
    assert names(store) == ["first"]
    again = only(store, "first").id
    end(store, again)
    assert names(store) == ["last"]
    rerun = make_run(name="by hand", parent_run_id=again)  # is another run
    store.add(rerun)
    store.queue.check_after([first, again])


def test_no_retry_of_what_somebody_stopped(store: Store) -> None:
    """Nor of what failed while it was being stopped, nor of what never started."""
    stopped, failing = queue(store, "stopped", max_retries=5), queue(store, "failing", max_retries=5)
    queue(store, "waiting", max_retries=5, after=[stopped])
    end(store, stopped, RunStatus.STOPPED)
    store.move(failing, RunStatus.LAUNCHING)
    store.request_stop(failing)
    store.move(failing, RunStatus.FAILED)
    assert len(store.runs(limit=ALL)) == 3
    assert names(store) == []


def test_a_retry_takes_its_environment_along(store: Store) -> None:
    """Which no listing shows."""
    run = make_run(max_retries=1)
    store.add(run, {"SECRET": "x"})
    end(store, run.id, RunStatus.FAILED)
    (again,) = (found for found in store.runs(limit=ALL) if found.id != run.id)
    assert store.env(again.id) == {"SECRET": "x"}
