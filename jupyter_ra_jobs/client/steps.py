"""What a call needs of the network: steps, that a blocking and an awaiting client take alike.

A call is a generator, a `Flow`: it yields steps, is sent what each gave, and returns its result. So each
call is written once, whatever waits for the network. One that yields `Emit` steps too is an iterator.
"""

from collections.abc import Callable, Generator, Iterator
from typing import Any, Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")
Query = dict[str, str | list[str]]


class Body(bytes):
    """What is sent, not to be seen in a traceback: there may be an environment in it."""

    def __repr__(self) -> str:
        return f"<{len(self):,} bytes>"


class Request(Struct, frozen=True, kw_only=True):
    """Ask once, give the Answer. Throws Unreachable or Broken into the flow."""

    method: str
    path: str
    """Below the server's `…/ra-jobs`."""
    query: Query = {}
    headers: dict[str, str] = {}
    body: Body | None = None
    seconds: float | None = None
    """How long the answer may take; None: as long as the client allows any."""


class Send(Struct, frozen=True, kw_only=True):
    """PUT bytes, give the Answer. Throws as Request does, and what `parts` raises."""

    path: str
    size: int
    parts: Callable[[], Iterator[bytes]]
    """All of them, so many as `size` says, each time from the beginning; blocks."""


class Do(Struct, frozen=True):
    """Call what blocks, give what it returned. Throws our own errors."""

    call: Callable[[], Any]


class Answer(Struct, frozen=True):
    """What came back, and from which URL; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str


class Open(Struct, frozen=True, kw_only=True):
    """Open an event stream; gives the Answer, with the body when it is an error. Throws as Request does.

    One stream at a time; opening another closes it, and so does the end of the flow.
    """

    path: str
    query: Query = {}


class Next(Struct, frozen=True):
    """Give the next event's data of the open stream as bytes, or None when the stream has ended or broken."""


class Find(Struct, frozen=True):
    """Find the server again: it may be on another port now. Throws NoServer into the flow."""


class Sleep(Struct, frozen=True):
    """Wait."""

    seconds: float


class Tell(Struct, frozen=True):
    """Say this to who waits: that the server is away, or back."""

    sentence: str


class Emit(Struct, Generic[T], frozen=True):
    """Hand this to the caller."""

    value: T


Step = Request | Send | Open | Do | Next | Find | Sleep | Tell
Flow = Generator[Step, Any, T]
"""A call that comes to a result."""
Emitting = Generator[Step | Emit[T], Any, None]
"""A call that is an iterator."""


class Unreachable(Exception):
    """Nobody took the request: it can be sent again, whatever it asks for."""


class Broken(Exception):
    """The request was sent, and no answer came: nobody knows whether it was done."""
