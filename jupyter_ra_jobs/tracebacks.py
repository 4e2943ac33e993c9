"""Tracebacks that end with the caller's own line: what is beneath says nothing that the message does not."""

import functools
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import ParamSpec, TypeVar

E = TypeVar("E", bound=BaseException)
P = ParamSpec("P")
T = TypeVar("T")
_OURS = __name__.partition(".")[0]


def shortened(problem: E) -> E:
    """The same, to be raised anew by what a caller calls: without its way through us and the network."""
    if not hasattr(problem, "_render_traceback_"):  # by which IPython asks how to show it: an interrupt
        problem._render_traceback_ = functools.partial(rendered, problem)  # type: ignore[attr-defined]
    return problem.with_traceback(None)


def shortening(function: Callable[P, T]) -> Callable[P, T]:
    """The same, whose interrupts too are shown so: it waits, or may import for a while.

    Not for one that takes secrets: a frame of this holds all that it is called with.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except KeyboardInterrupt as problem:
            raise shortened(problem) from None

    return call


def rendered(problem: BaseException) -> list[str]:
    """As IPython shows it, without our frames. For `_render_traceback_`: there is an IPython."""
    shell = sys.modules["IPython"].get_ipython()
    lines: list[str] = shell.InteractiveTB.structured_traceback(
        type(problem), problem, of_caller(problem.__traceback__)
    )
    return lines


def of_caller(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that is above us, down to the line which called us, or a magic of ours."""
    above: list[TracebackType] = []
    here = trace
    while here is not None and not _is_of(_OURS, here.tb_frame):
        above.append(here)
        here = here.tb_next
    while above and here is not None and _is_of("IPython", above[-1].tb_frame):
        above.pop()
    if here is None or not above:
        return trace
    short: TracebackType | None = None
    for each in reversed(above):
        short = TracebackType(short, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return short


def _is_of(package: str, frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name == package or name.startswith(f"{package}.")
