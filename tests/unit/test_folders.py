"""Looks at folders whose file system hangs."""

import asyncio
import gc
import logging
import threading
from pathlib import Path

import pytest

from jupyter_ra_jobs import folders
from jupyter_ra_jobs.errors import BadInput, Unavailable


def test_visits_that_come_to_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the midst of what they do, more of them than a pool has threads: nobody else waits for that."""
    monkeypatch.setattr(folders, "_LONGEST_VISIT", 0.1)
    unmounted = threading.Event()

    async def scenario() -> None:
        ours = folders.Folders()
        visits = [ours.visit(Path(f"/somewhere/{n}"), unmounted.wait) for n in range(100)]
        hanging = asyncio.gather(*visits, return_exceptions=True)
        assert await asyncio.to_thread(lambda: "others go on") == "others go on"
        found = await hanging
        assert [str(each) for each in found] == [
            f"workdir: /somewhere/{n} does not answer: its file system hangs" for n in range(100)
        ]
        with pytest.raises(Unavailable, match="does not answer"):
            await ours.visit(Path("/somewhere/1"), lambda: None)  # while that thread is there, no other goes
        threads = list(ours._hanging.values())
        unmounted.set()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        assert await ours.visit(Path("/somewhere/1"), lambda: "there") == "there"

    asyncio.run(scenario())


def test_a_look_that_fails_late_is_no_news(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asked was told that nothing answers; what the look says at last, nobody need read in the log."""
    monkeypatch.setattr(folders, "_PATIENCE", 0.01)
    mounted = threading.Event()

    def look(_: Path) -> str:
        mounted.wait()
        raise BadInput("it was unmounted")

    async def scenario() -> None:
        ours = folders.Folders()
        with pytest.raises(Unavailable, match="does not answer"):
            await ours._look(Path("/somewhere"), look, Unavailable)
        (thread,) = ours._hanging.values()
        mounted.set()
        await asyncio.to_thread(thread.join)

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
        gc.collect()
    assert not caplog.records
