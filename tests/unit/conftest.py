"""A store on the disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_ra_jobs.store import Store


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the store's file is."""
    return tmp_path / "jobs.db"


@pytest.fixture
def store(database: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty store; its run dirs would be in `runs`."""
    made = Store(database, tmp_path / "runs")
    yield made
    made.close()
