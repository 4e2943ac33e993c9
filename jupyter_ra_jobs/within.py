"""What a run says of itself, from within: `ra.log_metrics`. It needs no server, and none of our libraries."""

import contextlib
import json
import math
import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_ra_jobs.errors import BadInput, Conflict
from jupyter_ra_jobs.layout import LONGEST_ROW, METRICS, append_private


def log_metrics(
    metrics: Mapping[str, Any] | None = None, /, *, step: float | None = None, **values: Any
) -> None:
    """Add a row to the metrics of the run that this process is in: `log_metrics({"loss": 0.3}, step=10)`.

    Keywords do as well: `log_metrics(loss=0.3, step=10)`. Nested dicts have their names joined by `/`; NaN
    and infinities are taken. Threads and processes of a run may call it at once. Raises Conflict in a process
    that is in no run, BadInput for what is no number, OSError when the disk takes nothing.
    """
    line = json.dumps(row(metrics, step, values)).encode() + b"\n"
    if len(line) > LONGEST_ROW:
        raise BadInput(f"log_metrics: a row of {len(line):,} bytes; {LONGEST_ROW:,} are the most")
    folder = os.environ.get("RA_RUN_DIR")
    if not folder:
        raise Conflict(
            "log_metrics: this process is in no run; start it by ra.run or ra.submit, or say to which run "
            "the row belongs: run.log_metrics(loss=0.3, step=10)"
        )
    append_private(Path(folder) / METRICS, line)


def row(metrics: object, step: object, values: Mapping[str, Any]) -> dict[str, Any]:
    """A row of metrics as JSON takes it. Raises BadInput for one that holds none, or what is no number."""
    if not isinstance(metrics, Mapping | None):
        raise BadInput(f"log_metrics: the metrics must be a dict, as {{'loss': 0.3}}, not {metrics!r:.100}")
    found = _numbers("", {**(metrics or {}), **values})
    if not found:
        raise BadInput("log_metrics: there is no metric; say log_metrics({'loss': 0.3}, step=10)")
    if step is None:
        return found
    at = _number("step", step)
    if isinstance(at, str):
        raise BadInput(f"log_metrics: step: {at} is no step")
    return {**found, "step": at}


def _numbers(above: str, metrics: Mapping[Any, Any]) -> dict[str, Any]:
    found = {}
    for name, value in metrics.items():
        if not isinstance(name, str):
            raise BadInput(f"log_metrics: {name!r:.100} is no name; a metric's name is a string")
        path = above + name
        found[name] = _numbers(f"{path}/", value) if isinstance(value, Mapping) else _number(path, value)
    return found


def _number(name: str, value: Any) -> int | float | str:
    """As JSON takes it, and the server reads it: NaN and the infinities, which JSON has not, as texts."""
    if not isinstance(value, bool | str | bytes):
        with contextlib.suppress(TypeError, ValueError, RuntimeError):  # as NumPy and tensor libraries raise
            return operator.index(value)
        with contextlib.suppress(TypeError, ValueError, RuntimeError, OverflowError):
            number = float(value.item() if hasattr(value, "item") else value)
            if math.isfinite(number):
                return number
            return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    raise BadInput(f"log_metrics: {name}: {value!r:.100} is no number")
