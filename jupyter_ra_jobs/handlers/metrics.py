"""A run's metrics: the curves, and rows to add to them."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from jupyter_ra_jobs.handlers.base import Handler, operation
from jupyter_ra_jobs.models import Message, MetricRows, RunMetrics


class MetricsQuery(Struct, frozen=True, kw_only=True):
    """How much to show; of all metrics, unless `keys` names some."""

    points: Annotated[int, Meta(ge=2, le=10_000, description="Points of each series, about.")] = 1_000
    keys: list[str] = []


class MetricsHandler(Handler):
    """What came of a run, in numbers."""

    @operation("Get a run's metrics", action="read", query=MetricsQuery, answer=RunMetrics, errors=(400, 404))
    async def get(self, run_id: str, query: MetricsQuery) -> msgspec.Raw:
        """From the rows that were posted, and the run's JSON Lines, CSV, WandB and TensorBoard files.

        A long series is thinned out, its first, last and extreme points kept.
        """
        return await self.services.metrics.shown(run_id, points=query.points, keys=query.keys)

    @operation(
        "Add to a run's metrics", action="write", body=MetricRows, answer=Message, errors=(400, 404, 409)
    )
    async def post(self, run_id: str, body: MetricRows) -> Message:
        """All rows or none; a run of any status may get some."""
        return Message(message=await self.services.metrics.append(run_id, body.rows))
