"""What Jupyter's /metrics says of us."""

import os
import threading
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from jupyter_ra_jobs.errors import Unavailable
from jupyter_ra_jobs.prometheus import show_runs
from jupyter_ra_jobs.states import RunStatus
from tests.conftest import World
from tests.server.conftest import Api, eventually


class Metrics:
    """The page, and how its counters have grown since the last look: they are the whole process's."""

    def __init__(self, api: Api, url: str) -> None:
        self.api = api
        self.url = url
        self.was: dict[str, float] = {}

    async def page(self) -> str:
        """As Prometheus gets it."""
        answer = await self.api.client.fetch(self.url, headers=self.api.login)
        return answer.body.decode()

    async def ours(self) -> dict[str, float]:
        """Our samples, `name` or `name{value}`, without a histogram's buckets; counters as their growth."""
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(await self.page()):
            for sample in family.samples if family.name.startswith("ra_jobs_") else ():
                assert sample.labels.keys() <= {"status", "le"}
                if not sample.name.endswith(("_bucket", "_created")):
                    found[sample.name + "".join(f"{{{value}}}" for value in sample.labels.values())] = (
                        sample.value
                    )
        grown = {name: value - self.was.get(name, 0) for name, value in found.items() if "{" not in name}
        self.was = found
        return {**found, **grown}


@pytest.fixture
def metrics(api: Api, jp_base_url: str) -> Metrics:
    """The page of this server."""
    return Metrics(api, f"{jp_base_url}metrics")


async def test_a_run(api: Api, metrics: Metrics) -> None:
    """A launch, its reports, and where it ended; nothing that a user wrote."""
    await metrics.ours()
    run = await api.create(
        "echo words-of-a-user", name="words-of-a-user", tags=["words-of-a-user"], auto_start=True
    )
    await api.ended(run["id"])
    shown = await metrics.ours()
    assert shown["ra_jobs_launches_total"] == 1
    assert shown["ra_jobs_launch_failures_total"] == shown["ra_jobs_lost_sidecars_total"] == 0
    assert shown["ra_jobs_reports_total"] >= 1
    assert shown["ra_jobs_tick_seconds_count"] >= 1
    assert shown["ra_jobs_tick_seconds_sum"] > 0
    runs = {status: shown[f"ra_jobs_runs{{{status}}}"] for status in RunStatus}
    assert runs == {**dict.fromkeys(RunStatus, 0), RunStatus.FINISHED: 1}
    page = await metrics.page()
    assert "words-of-a-user" not in page
    assert run["id"] not in page


async def test_launch_failure(api: Api, metrics: Metrics, world: World) -> None:
    """tmux refuses."""
    await metrics.ours()
    folder = world.tmux_tmpdir / f"tmux-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    await api.create(auto_start=True)
    shown = await metrics.ours()
    assert (shown["ra_jobs_launches_total"], shown["ra_jobs_launch_failures_total"]) == (0, 1)
    assert shown["ra_jobs_runs{launching}"] == 1


async def test_lost_sidecar(api: Api, metrics: Metrics, world: World) -> None:
    """One that was killed."""
    await metrics.ours()
    run_id = (await api.create("cat", auto_start=True))["id"]
    await api.until(run_id, "running")
    await eventually(lambda: api.services.store.tracking(run_id).sidecar is not None)
    sidecar = api.services.store.tracking(run_id).sidecar
    assert sidecar is not None
    psutil.Process(sidecar.pid).kill()
    await api.ended(run_id)
    assert (await metrics.ours())["ra_jobs_lost_sidecars_total"] == 1


async def test_who_may_look(api: Api, metrics: Metrics) -> None:
    """Jupyter asks for a login, as for all else."""
    answer = await api.client.fetch(metrics.url, raise_error=False, follow_redirects=False)
    assert answer.code in {302, 403}


@pytest.fixture
def hidden() -> Iterator[Any]:
    """Shown for one test, with no server."""
    counts: dict[str, Any] = {"answer": {"ready": 2}}

    def count() -> dict[str, int]:
        if isinstance(counts["answer"], Exception):
            raise counts["answer"]
        return dict(counts["answer"])

    hide = show_runs(count)
    yield counts
    hide()
    assert b"ra_jobs_runs" not in generate_latest()


def test_nothing_to_say(hidden: dict[str, Any]) -> None:
    """A store that does not answer, or a scrape in another thread, leaves the page of all others whole."""
    assert b'ra_jobs_runs{status="ready"} 2.0' in generate_latest()
    pages: list[bytes] = []
    thread = threading.Thread(target=lambda: pages.append(generate_latest()))
    thread.start()
    thread.join()
    hidden["answer"] = Unavailable("locked")
    for page in [*pages, generate_latest()]:
        assert b"ra_jobs_launches" in page
        assert b"ra_jobs_runs" not in page
