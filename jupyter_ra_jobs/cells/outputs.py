"""What a run left, as a notebook has it: artifacts and metrics."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_ra_jobs import models
from jupyter_ra_jobs.cells import display, frames, plain
from jupyter_ra_jobs.cells.snapshots import Listing, Shown
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.errors import BadInput


class Artifact(Shown):
    """A file that a run left behind. One that is changed while it is fetched raises Conflict."""

    def __init__(self, record: models.Artifact, run_id: str, client: Client) -> None:
        self._record = record
        self._run_id = run_id
        self._client = client

    @property
    def record(self) -> models.Artifact:
        """All that the server told of it."""
        return self._record

    @property
    def name(self) -> str:
        """Its path below the run's folder."""
        return self.record.name

    @property
    def type(self) -> models.ArtifactType:
        """checkpoint, metrics, wandb or other."""
        return self.record.type

    @property
    def size(self) -> int:
        """In bytes."""
        return self.record.size

    @property
    def certain(self) -> bool:
        """False when another run could have written it."""
        return self.record.certain

    def read(self) -> bytes:
        """All of it."""
        parts: list[bytes] = []
        self._client.download(self._run_id, self.name, parts.append)
        return b"".join(parts)

    def download(self, to: str | Path = ".") -> Path:
        """Write it to a file, or under its own name into a folder; a file that is there already is replaced.

        Folders in its name are made there, so that two files of one name in different folders don't meet.
        Nothing is there before it is whole.
        """
        path = Path(to).expanduser()
        if path.is_dir():
            folder, path = path, path / self.name
            if not path.parent.resolve().is_relative_to(folder.resolve()):
                raise BadInput(f"{self.name!r:.200} leads out of {folder}; name a file to write it to")
            path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.is_dir():
            raise BadInput(f"there is no folder {path.parent}; make it first")
        beside = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
        try:
            with beside.open("wb") as file:
                self._client.download(self._run_id, self.name, file.write)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return path


class ArtifactList(Listing[Artifact]):
    """Artifacts, shown as a table."""

    _shows = plain.artifacts_text, display.artifacts_html


class Metrics(Shown, Mapping[str, Sequence[models.MetricPoint]]):
    """A run's metrics: the points of each by name, none that is NaN or infinite, and the `last` values."""

    def __init__(self, record: models.RunMetrics) -> None:
        self._record = record
        self._series = plain.series(record)
        self.last: dict[str, float] = dict(record.metrics or {}) | dict.fromkeys(record.non_finite, math.nan)
        """nan where the newest value is NaN or infinite."""
        self.notes = record.notes
        """What was left out, and why; which metrics are no numbers any more, and since when."""

    def __getitem__(self, name: str) -> Sequence[models.MetricPoint]:
        return self._series[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def _line(self) -> str:
        return plain.metrics_text(self._record)

    def _snapshot(self) -> tuple[str, str]:
        return self._line(), display.metrics_html(self._record)

    def to_pandas(self) -> Any:
        """A DataFrame: a column a metric, the steps as its index."""
        pandas = frames.library()
        columns = {
            name: pandas.Series({point.step: point.value for point in points}, dtype=float)
            for name, points in self._series.items()
        }
        return pandas.DataFrame(columns).rename_axis("step")
