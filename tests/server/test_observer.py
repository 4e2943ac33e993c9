"""What is seen of active runs: progress, and what the rules make of it. Runs without processes, real logs."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_ra_jobs.errors import StorageFull
from jupyter_ra_jobs.folders import Folders
from jupyter_ra_jobs.observer import CloseLooks, Observer, Watching
from jupyter_ra_jobs.rules import RULES, Limits, Proposal
from jupyter_ra_jobs.states import RunStatus
from tests.server.conftest import Api, eventually

LIMITS = Limits(stalled_after=1800, disk_low_bytes=0)


def bar(percent: float) -> str:
    """A bar, as it is redrawn."""
    return f"\r[#####     ] {percent}%"


async def look(api: Api) -> None:
    """One pass of the server's own observer."""
    await api.services.observer.look()


def progress(api: Api, run_id: str) -> float | None:
    """What is shown."""
    return api.services.store.run(run_id).progress


async def pending(api: Api) -> list[tuple[str, str]]:
    """The alerts that wait: run and rule, oldest first."""
    return [(a["run_id"], a["rule"]) for a in (await api.get("/alerts?status=pending")).json[::-1]]


async def test_progress(api: Api) -> None:
    """The last bar; told to who watches only when another whole percent is to be shown."""
    run_id = await api.create_at("running")
    await look(api)
    assert progress(api, run_id) is None
    log = api.log(run_id)
    log.write_text("hello\n" + bar(10.5))
    await look(api)
    assert progress(api, run_id) == 10.5
    rev = api.services.store.rev()
    log.write_text("hello\n" + bar(10.5) + bar(10.9))
    await look(api)
    assert (progress(api, run_id), api.services.store.rev()) == (10.5, rev)
    log.write_text("hello\n" + bar(10.9) + bar(11) + "\nepilogue\n")
    await look(api)
    assert (progress(api, run_id), api.services.store.rev()) == (11, rev + 1)
    log.write_text("nothing more is said of it")
    await look(api)
    assert progress(api, run_id) == 11


async def test_unchanged_log_is_not_read(api: Api) -> None:
    """Only a log of another size is."""
    run_id = await api.create_at("running")
    api.log(run_id).write_text(bar(10))
    await look(api)
    api.log(run_id).write_text(bar(20))
    await look(api)
    assert progress(api, run_id) == 10


async def test_one_transaction(api: Api) -> None:
    """However many runs have moved on."""
    run_ids = [await api.create_at("running") for _ in range(5)]
    for percent in (5, 6):
        for run_id in run_ids:
            api.log(run_id).write_text(bar(percent) * percent)
        statements: list[str] = []
        api.services.store._db.connection.set_trace_callback(statements.append)
        await look(api)
        api.services.store._db.connection.set_trace_callback(None)
        assert statements.count("BEGIN IMMEDIATE") == 1
        assert {progress(api, run_id) for run_id in run_ids} == {percent}


@pytest.mark.parametrize("what", ["fifo", "link", "folder", "nothing"])
async def test_hostile_log(api: Api, what: str, tmp_path: Path) -> None:
    """What is no regular file is not looked at, and keeps nobody else from being."""
    run_id, other = await api.create_at("running"), await api.create_at("running")
    log = api.log(run_id)
    if what == "fifo":
        os.mkfifo(log)
    elif what == "link":
        (tmp_path / "elsewhere").write_text(bar(99))
        log.symlink_to(tmp_path / "elsewhere")
    elif what == "folder":
        log.mkdir()
    api.log(other).write_text(bar(50))
    await look(api)
    assert (progress(api, run_id), progress(api, other)) == (None, 50)


async def test_last_look(api: Api) -> None:
    """A run that has ended is looked at once more, even if it was never seen while it ran."""
    seen, unseen = await api.create_at("running"), await api.create_at("running")
    api.services.store.move(unseen, RunStatus.FINISHED)
    api.log(seen).write_text(bar(99.2))
    api.log(unseen).write_text(bar(100))
    await look(api)
    assert (progress(api, seen), progress(api, unseen)) == (99.2, None)
    api.services.store.move(seen, RunStatus.FINISHED)
    api.log(seen).write_text(bar(99.2) + bar(99.6))
    api.services.observer.note(unseen)
    await eventually(lambda: (progress(api, seen), progress(api, unseen)) == (99.6, 100))
    api.log(seen).write_text("later" + bar(99.2) + bar(50))
    await look(api)
    assert progress(api, seen) == 99.6


async def test_idle(api: Api) -> None:
    """Nothing runs: nothing is looked at, until something does."""
    run = await api.create("printf '[#####     ] 50%%\\n'; read line", auto_start=True)
    await eventually(lambda: progress(api, run["id"]) == 50)
    await api.post(f"/runs/{run['id']}/stop")
    await api.ended(run["id"])
    observer = api.services.observer
    await eventually(lambda: not (observer._watched or observer._noted or observer._awake.is_set()))


async def test_full_disk(api: Api) -> None:
    """Progress that can't be kept now is kept later."""
    run_id = await api.create_at("running")
    api.log(run_id).write_text(bar(10))
    api.services.store._db.execute("PRAGMA query_only = 1")
    await look(api)
    api.services.store._db.execute("PRAGMA query_only = 0")
    assert progress(api, run_id) is None
    await look(api)
    assert progress(api, run_id) == 10


# -- rules -----------------------------------------------------------------------------------------


async def test_out_of_memory(api: Api) -> None:
    """Raised at the end, once."""
    run_id = await api.create_at("running")
    api.log(run_id).write_text("torch.OutOfMemoryError: CUDA out of memory.\n")
    await look(api)
    assert await pending(api) == []
    api.services.store.move(run_id, RunStatus.FAILED, exit_code=1)
    await look(api)
    assert await pending(api) == [(run_id, "out_of_memory")]
    api.services.observer.note(run_id)
    await look(api)
    assert len(await pending(api)) == 1


async def test_stalled_again(api: Api) -> None:
    """One for each silence: an answered one comes back only after there was output."""
    run_id = await api.create_at("running")
    api.services.store.change(run_id, started_at=time.time() - 10_000)
    log = api.log(run_id)
    for text in ("one", "one two"):
        log.write_text(text)
        await look(api)
        assert await pending(api) == []
        os.utime(log, (0, time.time() - 5_000))
        for _ in range(2):
            await look(api)
            assert await pending(api) == [(run_id, "stalled")]
        (alert,) = (await api.get("/alerts?status=pending")).json
        assert alert["message"] == "No output for 83 min"
        await api.post(f"/alerts/{alert['id']}/respond", choice="Ignore")
        await look(api)
        assert await pending(api) == []


async def test_next_server_says_it_not_again(api: Api) -> None:
    """What was raised is on disk."""
    run_id = await api.create_at("running")
    api.services.store.change(run_id, started_at=time.time() - 10_000)
    await look(api)
    (alert,) = (await api.get("/alerts")).json
    for _ in range(2):
        next_one = observer(api, propose=api.services.alerts.propose)
        await next_one.look()
        await next_one.close()
        assert (await api.get("/alerts")).json == [alert]
        alert_id = alert["id"]
        await api.post(f"/alerts/{alert_id}/respond", choice="Ignore")
        (alert,) = (await api.get("/alerts")).json


class TestSettings:
    """What a site decides."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """Every disk is low, and nobody is told of silence."""
        return {"RaJobsApp": {"alert_rules": ["disk_low"], "disk_low_bytes": 1 << 62, "stalled_after": 0.0}}

    async def test_one_for_all(self, api: Api) -> None:
        """One alert for a file system, and none again as long as it stays low."""
        run_ids = [await api.create_at("running") for _ in range(2)]
        await look(api)
        await look(api)
        ((run_id, rule),) = await pending(api)
        assert rule == "disk_low"
        assert run_id in run_ids
        (alert,) = (await api.get("/alerts")).json
        assert alert["choices"] == ["Stop run", "Ignore"]
        await api.post(f"/alerts/{alert['id']}/respond", choice="Ignore")
        await look(api)
        assert await pending(api) == []


# -- looks that take their time ----------------------------------------------------------------------


@dataclass
class Summary:
    """Of a run's metrics."""

    non_finite: dict[str, int] = field(default_factory=dict)


def observer(
    api: Api,
    *,
    propose: Callable[[str, Proposal], object],
    artifacts: Callable[[str], Awaitable[object]] | None = None,
    metrics: Callable[[str], Awaitable[Summary]] | None = None,
    quick: float = 0.01,
) -> Observer:
    """One of the test's own, on the server's store."""
    return Observer(
        api.services.store,
        api.services.layout,
        Folders(),
        Watching(rules=tuple(RULES.values()), limits=LIMITS, quick=quick, slow=0.05),
        propose,
        CloseLooks(artifacts=artifacts, metrics=metrics),
        api.services.log,
    )


async def test_close_looks(api: Api) -> None:
    """Again and again while the run runs, once after its end, one at a time; a failure ends nothing."""
    run_id = await api.create_at("running")
    looked: list[str] = []
    at_work, most, go_on = 0, 0, asyncio.Event()

    async def artifacts(of: str) -> None:
        nonlocal at_work, most
        assert of == run_id
        at_work += 1
        most = max(most, at_work)
        looked.append(api.services.store.status(of).value)
        if len(looked) == 3:
            await go_on.wait()
        at_work -= 1
        if len(looked) == 2:
            raise OSError("a disk has gone")

    mine = observer(api, propose=lambda run_id, proposal: None, artifacts=artifacts)
    mine.start()
    await eventually(lambda: len(looked) == 3)
    api.services.store.move(run_id, RunStatus.FINISHED)
    await eventually(lambda: len(mine._closer) == 2, "the last look waits for the one under way")
    go_on.set()
    await eventually(lambda: not (mine._watched or mine._noted or mine._closer))
    await mine.close()
    assert looked == ["running"] * 3 + ["finished"]
    assert most == 1


async def test_ends_are_not_waited_for(api: Api) -> None:
    """The last look comes with the note of an end, however long it is until the next regular pass."""
    looked: list[str] = []

    async def artifacts(of: str) -> None:
        looked.append(api.services.store.status(of).value)

    mine = observer(api, propose=lambda run_id, proposal: None, artifacts=artifacts, quick=3600.0)
    run = await api.create("exec sleep 1000", auto_start=True)
    await api.until(run["id"], "running")
    mine.start()
    await eventually(lambda: looked)
    await api.post(f"/runs/{run['id']}/stop")
    await api.ended(run["id"])
    mine.note(run["id"])
    await eventually(lambda: len(looked) == 2)
    await mine.close()
    assert looked == ["running", "stopped"]


@pytest.mark.parametrize("ended", [False, True])
async def test_non_finite(api: Api, ended: bool) -> None:
    """What the metrics say is proposed once, also when only the last look sees it."""
    run_id = await api.create_at("running")
    proposed: list[tuple[str, Proposal]] = []

    async def metrics(of: str) -> Summary:
        bad = not ended or api.services.store.status(of) is RunStatus.FINISHED
        return Summary({"loss": 7} if bad else {})

    mine = observer(api, propose=lambda of, what: proposed.append((of, what)), metrics=metrics)
    await mine.look()
    if ended:
        api.services.store.move(run_id, RunStatus.FINISHED)
    await mine.look()
    await eventually(lambda: proposed)
    await mine.look()
    await eventually(lambda: not mine._closer)
    await mine.close()
    ((of, proposal),) = proposed
    assert (of, proposal.rule) == (run_id, "non_finite")
    assert "loss at step 7" in proposal.message


async def test_alert_that_waits(api: Api) -> None:
    """One that could not be stored is proposed again."""
    run_id = await api.create_at("running")
    api.services.store.change(run_id, started_at=time.time() - 10_000)
    tries: list[str] = []

    def propose(run_id: str, proposal: Proposal) -> None:
        tries.append(proposal.rule)
        if len(tries) == 1:
            raise StorageFull("no room")

    mine = observer(api, propose=propose)
    for _ in range(3):
        await mine.look()
    await mine.close()
    assert tries == ["stalled", "stalled"]


async def test_closed_in_a_look(api: Api) -> None:
    """The end does not wait for a look that takes its time."""
    await api.create_at("running")
    began = asyncio.Event()

    async def artifacts(of: str) -> None:
        began.set()
        await asyncio.Event().wait()

    mine = observer(api, propose=lambda run_id, proposal: None, artifacts=artifacts)
    mine.start()
    await began.wait()
    await mine.close()
    assert not mine._closer
