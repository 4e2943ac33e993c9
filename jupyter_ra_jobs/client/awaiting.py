"""The client for asyncio."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx

from jupyter_ra_jobs.client import network
from jupyter_ra_jobs.client.address import Address, Finder
from jupyter_ra_jobs.client.calls import Calls
from jupyter_ra_jobs.client.events import Events
from jupyter_ra_jobs.client.steps import (
    Do,
    Emit,
    Emitting,
    Find,
    Flow,
    Next,
    Request,
    Send,
    Sleep,
    Step,
    Tell,
    Unreachable,
)
from jupyter_ra_jobs.errors import RaJobsError

P = ParamSpec("P")
T = TypeVar("T")


def _awaiting(
    flow: Callable[Concatenate[Calls, P], Flow[T]],
) -> Callable[Concatenate["AsyncClient", P], Awaitable[T]]:
    """A flow as a method to await."""

    @functools.wraps(flow)
    async def call(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._result(flow(self._calls, *args, **kwargs))

    return call


def _iterating(
    flow: Callable[Concatenate[Calls, P], Emitting[T]],
) -> Callable[Concatenate["AsyncClient", P], AsyncIterator[T]]:
    """A flow as a method that returns an iterator."""

    @functools.wraps(flow)
    def call(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return self._emitted(flow(self._calls, *args, **kwargs))

    return call


class AsyncClient:
    """Calls of the HTTP API to await, in one event loop at a time.

    It finds its server by itself (`address.find_server`), also after a restart; unless it is given the `url`
    of Jupyter or of our routes, an `Address`, or the `workdir` that a server of this machine has.
    `patience`: for how many seconds one that is away is looked for; one that was never reached, five at most.
    `tell` is called with a sentence when it has been away for two seconds, and when it is back.
    """

    def __init__(
        self,
        url: str | Address | None = None,
        token: str | None = None,
        *,
        workdir: Path | None = None,
        patience: float = 30.0,
        tell: Callable[[str], object] = lambda sentence: None,
    ) -> None:
        self._calls = Calls(patience)
        self._tell = tell
        self._finder = Finder(url, token, workdir)
        self._address: Address | None = None
        # By event loop, since connections belong to theirs, and by address.
        self._open: dict[tuple[asyncio.AbstractEventLoop, Address], httpx.AsyncClient] = {}

    @property
    def address(self) -> Address:
        """Where its server is; raises NoServer."""
        if self._address is None:
            self._address = self._finder.find()
        return self._address

    def __repr__(self) -> str:
        with contextlib.suppress(RaJobsError):
            return f"<{type(self).__name__}: {network.shown(self.address)}>"
        return f"<{type(self).__name__}: no server found>"

    async def close(self) -> None:
        """Close its connections; it opens new ones when it is used again."""
        for key in list(self._open):
            http = self._open.pop(key)
            if key[0] is asyncio.get_running_loop():
                await http.aclose()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    health = _awaiting(Calls.health)
    runs = _awaiting(Calls.runs)
    run = _awaiting(Calls.run)
    put_file = _awaiting(Calls.put_file)
    create_run = _awaiting(Calls.create_run)
    edit_run = _awaiting(Calls.edit_run)
    queue_run = _awaiting(Calls.queue_run)
    start_run = _awaiting(Calls.start_run)
    stop_run = _awaiting(Calls.stop_run)
    rerun = _awaiting(Calls.rerun)
    retry_of = _awaiting(Calls.retry_of)
    archive_run = _awaiting(Calls.archive_run)
    unarchive_run = _awaiting(Calls.unarchive_run)
    log_page = _awaiting(Calls.log_page)
    tail = _awaiting(Calls.tail)
    tail_offset = _awaiting(Calls.tail_offset)
    search_log = _awaiting(Calls.search_log)
    metrics = _awaiting(Calls.metrics)
    log_metrics = _awaiting(Calls.log_metrics)
    artifacts = _awaiting(Calls.artifacts)
    download = _awaiting(Calls.download)
    sweeps = _awaiting(Calls.sweeps)
    sweep = _awaiting(Calls.sweep)
    create_sweep = _awaiting(Calls.create_sweep)
    create_wild_sweep = _awaiting(Calls.create_wild_sweep)
    edit_sweep = _awaiting(Calls.edit_sweep)
    add_run = _awaiting(Calls.add_run)
    start_sweep = _awaiting(Calls.start_sweep)
    stop_sweep = _awaiting(Calls.stop_sweep)
    retry_sweep = _awaiting(Calls.retry_sweep)
    sweep_table = _awaiting(Calls.sweep_table)
    alerts = _awaiting(Calls.alerts)
    raise_alert = _awaiting(Calls.raise_alert)
    respond = _awaiting(Calls.respond)
    cluster = _awaiting(Calls.cluster)
    relay = _awaiting(Calls.relay)
    watch_run = _iterating(Calls.watch_run)
    follow = _iterating(Calls.follow)
    follow_bytes = _iterating(Calls.follow_bytes)
    log_bytes = _iterating(Calls.log_bytes)
    watch_sweep = _iterating(Calls.watch_sweep)

    # -- beneath -----------------------------------------------------------------------------------

    async def _result(self, flow: Flow[T]) -> T:
        async with contextlib.aclosing(_Line(self)) as line:
            given: Any = None
            error: Exception | None = None
            try:
                while True:
                    step = flow.send(given) if error is None else flow.throw(error)
                    given, error = await line.take(step)
            except StopIteration as end:
                result: T = end.value
                return result

    async def _emitted(self, flow: Emitting[T]) -> AsyncIterator[T]:
        async with contextlib.aclosing(_Line(self)) as line:
            given: Any = None
            error: Exception | None = None
            while True:
                try:
                    step = flow.send(given) if error is None else flow.throw(error)
                except StopIteration:
                    return
                given = error = None
                if isinstance(step, Emit):
                    yield step.value
                else:
                    given, error = await line.take(step)

    def _connection(self) -> httpx.AsyncClient:
        address = self.address
        if address.is_gone():
            raise Unreachable(f"no server answers at {address.socket or address.url} any more")
        key = asyncio.get_running_loop(), address
        if key not in self._open:
            for other in [other for other in self._open if other[0].is_closed()]:
                del self._open[other]
            options = network.settings(address)
            if address.socket is not None:
                options["transport"] = httpx.AsyncHTTPTransport(uds=address.socket, limits=network.LIMITS)
            self._open[key] = httpx.AsyncClient(**options)
        return self._open[key]

    async def _find_again(self) -> None:
        # Connections to where it was are left alone until `close`: another task may be reading from one.
        self._address = await asyncio.to_thread(self._finder.find)


class _Line:
    """One flow's use of a client: it takes the flow's steps, and holds its stream."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._stream = contextlib.AsyncExitStack()
        self._events: AsyncIterator[bytes] | None = None

    async def aclose(self) -> None:
        """Close the stream, if one is open."""
        await self._stream.aclose()

    async def take(self, step: Step) -> tuple[Any, Exception | None]:
        """What the step gave, or the error to throw into the flow."""
        try:
            return await self._take(step), None
        except httpx.RequestError as problem:
            return None, network.problem(problem, self._client.address)
        except (RaJobsError, Unreachable) as problem:
            return None, problem

    async def _take(self, step: Step) -> Any:
        if isinstance(step, Sleep):
            return await asyncio.sleep(step.seconds)
        if isinstance(step, Find):
            return await self._client._find_again()
        if isinstance(step, Next):
            return None if self._events is None else await anext(self._events, None)
        if isinstance(step, Tell):
            return self._client._tell(step.sentence)
        if isinstance(step, Do):
            return await asyncio.to_thread(step.call)
        connection = self._client._connection()
        try:
            if isinstance(step, Request):
                response = await connection.request(**network.arguments(step))
                return network.answer(response, response.content)
            if isinstance(step, Send):
                response = await connection.request(**network.arguments(step), content=_parts(step))
                return network.answer(response, response.content)
            await self._stream.aclose()
            response = await self._stream.enter_async_context(connection.stream(**network.arguments(step)))
        except RuntimeError as problem:
            if not connection.is_closed:
                raise
            raise Unreachable("the client was closed meanwhile") from problem
        if response.status_code != network.OK:
            return network.answer(response, await response.aread())
        self._events = _events(response)
        return network.answer(response, b"")


async def _parts(step: Send) -> AsyncIterator[bytes]:
    parts = step.parts()
    while (part := await asyncio.to_thread(next, parts, None)) is not None:
        yield part


async def _events(response: httpx.Response) -> AsyncIterator[bytes]:
    """The data of each event, until the stream ends or breaks."""
    events = Events()
    with contextlib.suppress(httpx.RequestError, httpx.StreamError):
        async for part in response.aiter_bytes():
            for event in events.feed(part):
                yield event
