"""Lengths of time, as callers write them."""

import math
import re

from jupyter_ra_jobs.errors import BadInput

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """As `90`, `1.5h` or `30m`. Raises BadInput."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)([smhd]?)", text, re.ASCII)
    if not found or not 0 < float(found[1]) < math.inf:
        raise BadInput(f"{text!r} is no length of time; say seconds, or as in 30m, 1.5h, 2d")
    return float(found[1]) * _UNITS[found[2]]
