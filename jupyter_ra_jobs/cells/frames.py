"""Tables for pandas, where that is installed."""

import importlib.util
from collections.abc import Iterable
from typing import Any

from jupyter_ra_jobs.models import SweepRow


def is_there() -> bool:
    """Whether pandas is installed."""
    return importlib.util.find_spec("pandas") is not None


def library() -> Any:
    """pandas; an ImportError says how to get it."""
    try:
        import pandas
    except ImportError as problem:
        raise ImportError("to_pandas() needs pandas: %pip install pandas") from problem
    return pandas


def rows(found: list[SweepRow]) -> list[dict[str, Any]]:
    """Each row in one dict, by the names that the server's own table has (its CSV, and `sort`)."""
    taken = set(SweepRow.__struct_fields__) - {"parameters", "metrics"}
    parameters = _columns("parameters", (name for row in found for name in row.parameters), taken)
    metrics = _columns("metrics", (name for row in found for name in row.metrics), taken)
    return [
        {
            "run_id": row.run_id,
            **{parameters[name]: value for name, value in row.parameters.items()},
            "status": str(row.status),
            "exit_code": row.exit_code,
            "duration": row.duration,
            **{metrics[name]: value for name, value in row.metrics.items()},
        }
        for row in found
    ]


def _columns(kind: str, names: Iterable[str], taken: set[str]) -> dict[str, str]:
    """What the column of each name is called; takes those."""
    called: dict[str, str] = {}
    for name in dict.fromkeys(names):
        called[name] = f"{kind}.{name}" if name in taken else name
        taken.add(called[name])
    return called
