"""Made-up calls, crashes and bytes, by hypothesis: against models, and against hostile files."""

import os

from hypothesis import HealthCheck, settings

LONG = os.environ.get("RA_FUZZ") == "long"
"""`make fuzz`: other examples each time, and many more of them."""


def profile(examples: int, **more: int) -> settings:
    """So many examples, the same ones each time; a hundred times as many, made up anew, when `LONG`."""
    return settings(
        max_examples=examples * 100 if LONG else examples,
        derandomize=not LONG,
        database=None,
        print_blob=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )
