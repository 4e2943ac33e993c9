"""The client that waits: for cells and scripts."""

import contextlib
import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
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
    Open,
    Send,
    Sleep,
    Step,
    Tell,
    Unreachable,
)
from jupyter_ra_jobs.errors import ConnectionLost, NoServer, RaJobsError, Unavailable
from jupyter_ra_jobs.tracebacks import shortened

P = ParamSpec("P")
T = TypeVar("T")
_NOT_AGAIN = 10.0  # seconds for which a server that did not answer a glance is not glanced at


def _waiting(flow: Callable[Concatenate[Calls, P], Flow[T]]) -> Callable[Concatenate["Client", P], T]:
    """A flow as a method that returns its result."""

    @functools.wraps(flow)
    def call(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return self._result(flow(self._calls, *args, **kwargs))
        except (RaJobsError, KeyboardInterrupt) as problem:
            raise shortened(problem) from None

    return call


def _iterating(
    flow: Callable[Concatenate[Calls, P], Emitting[T]],
) -> Callable[Concatenate["Client", P], Iterator[T]]:
    """A flow as a method that returns an iterator."""

    @functools.wraps(flow)
    def call(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        try:
            yield from self._emitted(flow(self._calls, *args, **kwargs))
        except (RaJobsError, KeyboardInterrupt) as problem:
            raise shortened(problem) from None

    return call


class Client:
    """Calls of the HTTP API that wait for their answers; may be shared by threads, and used after a fork.

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
        self._glances = Calls(patience=0.2, seconds=1.5)
        self._tell = tell
        self._finder = Finder(url, token, workdir)
        self._address: Address | None = None
        # By process, since a fork's sockets are its parent's, and by address. Entries come and go in single
        # steps of dict: a lock might be held, for good, when somebody forks.
        self._open: dict[tuple[int, Address], _Shared] = {}
        self._no_glance_until = 0.0

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

    def close(self) -> None:
        """Close its connections, each when nobody uses it; it opens new ones when it is used again."""
        for key in list(self._open):
            shared = self._open.pop(key, None)
            if shared is not None and key[0] == os.getpid():
                shared.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    health = _waiting(Calls.health)
    runs = _waiting(Calls.runs)
    run = _waiting(Calls.run)
    put_file = _waiting(Calls.put_file)
    create_run = _waiting(Calls.create_run)
    edit_run = _waiting(Calls.edit_run)
    queue_run = _waiting(Calls.queue_run)
    start_run = _waiting(Calls.start_run)
    stop_run = _waiting(Calls.stop_run)
    rerun = _waiting(Calls.rerun)
    retry_of = _waiting(Calls.retry_of)
    archive_run = _waiting(Calls.archive_run)
    unarchive_run = _waiting(Calls.unarchive_run)
    log_page = _waiting(Calls.log_page)
    tail = _waiting(Calls.tail)
    tail_offset = _waiting(Calls.tail_offset)
    search_log = _waiting(Calls.search_log)
    metrics = _waiting(Calls.metrics)
    log_metrics = _waiting(Calls.log_metrics)
    artifacts = _waiting(Calls.artifacts)
    download = _waiting(Calls.download)
    sweeps = _waiting(Calls.sweeps)
    sweep = _waiting(Calls.sweep)
    create_sweep = _waiting(Calls.create_sweep)
    create_wild_sweep = _waiting(Calls.create_wild_sweep)
    edit_sweep = _waiting(Calls.edit_sweep)
    add_run = _waiting(Calls.add_run)
    start_sweep = _waiting(Calls.start_sweep)
    stop_sweep = _waiting(Calls.stop_sweep)
    retry_sweep = _waiting(Calls.retry_sweep)
    sweep_table = _waiting(Calls.sweep_table)
    alerts = _waiting(Calls.alerts)
    raise_alert = _waiting(Calls.raise_alert)
    respond = _waiting(Calls.respond)
    cluster = _waiting(Calls.cluster)
    relay = _waiting(Calls.relay)
    watch_run = _iterating(Calls.watch_run)
    follow = _iterating(Calls.follow)
    follow_bytes = _iterating(Calls.follow_bytes)
    log_bytes = _iterating(Calls.log_bytes)
    watch_sweep = _iterating(Calls.watch_sweep)

    def glance(self, flow: Callable[Concatenate[Calls, P], Flow[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """A call for something that is shown by the way: `client.glance(Calls.run, run_id)`.

        It gives up within two seconds, and of a server that was away a moment ago at once: raises NoServer.
        """
        if time.monotonic() < self._no_glance_until:
            raise NoServer("the server did not answer a moment ago")
        try:
            return self._result(flow(self._glances, *args, **kwargs))
        except (NoServer, ConnectionLost, Unavailable):
            self._no_glance_until = time.monotonic() + _NOT_AGAIN
            raise

    # -- beneath -----------------------------------------------------------------------------------

    def _result(self, flow: Flow[T]) -> T:
        with contextlib.closing(_Line(self)) as line, contextlib.closing(flow):
            given: Any = None
            error: Exception | None = None
            try:
                while True:
                    step = flow.send(given) if error is None else flow.throw(error)
                    given, error = line.take(step)
            except StopIteration as end:
                result: T = end.value
                return result

    def _emitted(self, flow: Emitting[T]) -> Iterator[T]:
        with contextlib.closing(_Line(self)) as line, contextlib.closing(flow):
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
                    given, error = line.take(step)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[httpx.Client]:
        """The connections to the server as it is now, for as long as this lasts."""
        address = self.address
        if address.is_gone():
            raise Unreachable(f"no server answers at {address.socket or address.url} any more")
        key = os.getpid(), address
        while not (shared := self._open.get(key) or self._open.setdefault(key, _Shared(address))).enter():
            self._open.pop(key, None)  # another thread has closed it since
        try:
            yield shared.http
        finally:
            shared.leave()

    def _find_again(self) -> None:
        # Connections to where it was are left alone until `close`: another thread may be reading from one.
        self._address = self._finder.find()


class _Shared:
    """Connections that threads share; closed when the last of them is done, not under its hands."""

    def __init__(self, address: Address) -> None:
        options = network.settings(address)
        if address.socket is not None:
            options["transport"] = httpx.HTTPTransport(uds=address.socket, limits=network.LIMITS)
        self.http = httpx.Client(**options)
        self._lock = threading.Lock()
        self._users = 0
        self._is_closing = False

    def enter(self) -> bool:
        """Use it until `leave`; False when it is closed."""
        with self._lock:
            if self._is_closing:
                return False
            self._users += 1
            return True

    def leave(self) -> None:
        """Use it no more."""
        with self._lock:
            self._users -= 1
            is_last = self._is_closing and not self._users
        if is_last:
            self.http.close()

    def close(self) -> None:
        """Let nobody in any more."""
        with self._lock:
            is_last = not self._is_closing and not self._users
            self._is_closing = True
        if is_last:
            self.http.close()


class _Line:
    """One flow's use of a client: it takes the flow's steps, and holds its stream."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stream = contextlib.ExitStack()
        self._events: Iterator[bytes] = iter(())

    def close(self) -> None:
        """Close the stream, if one is open."""
        self._stream.close()

    def take(self, step: Step) -> tuple[Any, Exception | None]:
        """What the step gave, or the error to throw into the flow."""
        try:
            return self._take(step), None
        except httpx.RequestError as problem:
            return None, network.problem(problem, self._client.address)
        except (RaJobsError, Unreachable) as problem:
            return None, problem

    def _take(self, step: Step) -> Any:
        if isinstance(step, Sleep):
            return time.sleep(step.seconds)
        if isinstance(step, Find):
            return self._client._find_again()
        if isinstance(step, Next):
            return next(self._events, None)
        if isinstance(step, Tell):
            return self._client._tell(step.sentence)
        if isinstance(step, Do):
            return step.call()
        if isinstance(step, Open):
            self._stream.close()
            connection = self._stream.enter_context(self._client._connection())
            response = self._stream.enter_context(connection.stream(**network.arguments(step)))
            if response.status_code != network.OK:
                return network.answer(response, response.read())
            self._events = _events(response)
            return network.answer(response, b"")
        with self._client._connection() as connection:
            content: dict[str, Any] = {"content": step.parts()} if isinstance(step, Send) else {}
            response = connection.request(**network.arguments(step), **content)
            return network.answer(response, response.content)


def _events(response: httpx.Response) -> Iterator[bytes]:
    """The data of each event, until the stream ends or breaks."""
    events = Events()
    with contextlib.suppress(httpx.RequestError, httpx.StreamError):
        for part in response.iter_bytes():
            yield from events.feed(part)
