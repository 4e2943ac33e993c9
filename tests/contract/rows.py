"""Which test is about which row of the contract."""

from collections.abc import Callable
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., Any])

ROWS: dict[str, str] = {}
"""`METHOD path` of a call, and the test that makes it."""


def row(*calls: str) -> Callable[[Test], Test]:
    """The decorated test is the one about these calls."""

    def decorate(test: Test) -> Test:
        for call in calls:
            assert call not in ROWS, f"{call}: {ROWS[call]} is about it already"
            ROWS[call] = f"{test.__module__}.{test.__name__}"
        return test

    return decorate
