"""How the objects of cells are shown: as they were when somebody looked, with no more than a glance for news.

What is shown never raises and never takes long, whatever became of the server.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar

from jupyter_ra_jobs.cells import live
from jupyter_ra_jobs.cells.plain import Glance
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.client.calls import Calls
from jupyter_ra_jobs.client.steps import Flow


class Named(Protocol):
    """A record with an id."""

    @property
    def id(self) -> str:
        """Twelve hex digits."""
        ...


T = TypeVar("T")
N = TypeVar("N", bound=Named)


class Shown:
    """Something that has a line, and as a cell's value a text and HTML."""

    def _line(self) -> str:
        raise NotImplementedError

    def _snapshot(self) -> tuple[str, str]:
        """Text and HTML, of one look."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._line()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        text, html = self._snapshot()
        return {"text/plain": text, "text/html": html}

    def _repr_html_(self) -> str:
        return self._snapshot()[1]


class Known(Shown, Generic[N]):
    """Something of a server: the record that was last seen, and when that was."""

    _view: Literal["run", "sweep"]
    """Which of its cards shows it."""

    def __init__(self, record: N, client: Client) -> None:
        self._client = client
        self._record = record

    @property
    def _record(self) -> N:
        return self.__record

    @_record.setter
    def _record(self, record: N) -> None:
        self.__record = record
        self._seen = Glance(at=time.time())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(include, exclude)
        return {**live.card(self._view, self._record.id, self._client, bundle["text/html"]), **bundle}

    def _glance(self, flow: Callable[[Calls, str], Flow[N]]) -> bool:
        """Look whether there is news; false if that could not be seen, and why is kept in `_seen`."""
        try:
            self._record = self._client.glance(flow, self._record.id)
        except Exception as problem:  # noqa: BLE001 - what is shown never raises
            self._seen = Glance(at=self._seen.at, problem=str(problem))
            return False
        return True


class Listing(list[T]):
    """A list that is shown as a table; how its members stood when it was made."""

    _shows: tuple[Callable[[Sequence[Any], Glance], str], Callable[[Sequence[Any], Glance], str]]
    """As text, and as HTML."""

    def __init__(self, members: Sequence[T] = ()) -> None:
        super().__init__(members)
        self._seen = Glance(at=time.time())

    def __repr__(self) -> str:
        return self._snapshot()[0]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        text, html = self._snapshot()
        return {"text/plain": text, **({"text/html": html} if html else {})}

    def _snapshot(self) -> tuple[str, str]:
        records = [getattr(each, "_record", None) for each in self]
        if None in records:  # somebody has put something else into it
            return super().__repr__(), ""
        text, html = self._shows
        return text(records, self._seen), html(records, self._seen)
