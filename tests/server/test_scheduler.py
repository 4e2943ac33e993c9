"""The scheduler's loop, whatever the store holds."""

from typing import Any

import pytest

from jupyter_ra_jobs.states import RunStatus
from tests.server.conftest import Api, eventually


async def test_a_failed_tick_is_not_the_last(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at the queue that fails is logged, and made again: the queue goes on once it can."""
    store, task = api.services.store, api.services.scheduler._task
    look, failed = store.queue.next, list[int]()

    def fail(*_: Any) -> Any:
        failed.append(1)
        raise TypeError("what nobody thought of")

    monkeypatch.setattr(store.queue, "next", fail)
    run_id = (await api.create())["id"]
    assert store.move(run_id, RunStatus.QUEUED, start_requested=1)
    api.services.scheduler.wake()
    await eventually(lambda: len(failed) > 1, "it looks again after a failure")
    monkeypatch.setattr(store.queue, "next", look)
    api.services.scheduler.wake()
    assert (await api.ended(run_id))["status"] == "finished"
    assert task is not None
    assert not task.done()


@pytest.mark.parametrize("settings", [{"RaJobsApp": {"max_running": 1}}])
async def test_one_that_can_not_be_launched(api: Api) -> None:
    """Waits on, and holds nobody up, even where there is one slot."""
    first, second = [(await api.create())["id"] for _ in range(2)]
    run_dir = api.services.layout.run_dir(first)
    run_dir.write_text("a run can have put a file there")
    for run_id in (first, second):
        assert api.services.store.move(run_id, RunStatus.QUEUED, start_requested=1)
    api.services.scheduler.wake()
    assert (await api.ended(second))["status"] == "finished"
    assert (await api.run(first))["status"] == "queued"
    run_dir.unlink()
    assert (await api.ended(first))["status"] == "finished"
