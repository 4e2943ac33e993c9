"""Looks at folders whose file system hangs."""

import asyncio
import gc
import logging
import threading
from pathlib import Path

import pytest

from jupyter_ra_jobs import folders
from jupyter_ra_jobs.errors import BadInput, Unavailable


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
