"""How a call comes to its answer: asked again while the server is away, or watched until something ends."""

import math
import numbers
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from jupyter_ra_jobs import errors
from jupyter_ra_jobs.client.decoding import checked, problem_of, record_of, seconds_of, words_of
from jupyter_ra_jobs.client.encoding import json_of, query_of
from jupyter_ra_jobs.client.steps import (
    Answer,
    Broken,
    Emit,
    Emitting,
    Find,
    Flow,
    Open,
    Request,
    Send,
    Sleep,
    Tell,
    Unreachable,
)

T = TypeVar("T")
FIRST_LOOK, LAST_LOOK = 0.05, 1.0
"""Seconds between two looks at what may have changed: soon at first, then less and less often."""
_REUNION = 600.0  # seconds for which who watches a run, or follows it, waits for a server that went away
_FIRST_PATIENCE = 5.0  # the same for one that was never reached: it may not be there at all
_UNTOLD = 2.0  # seconds for which nobody is told that it is away: it may be restarting
_SOON = 5.0  # nor when the call will be over anyhow in so few
_AWAY = {424, 502, 503, 504}
_MOST_PAUSE = 5.0


class Asking:
    """What all calls have in common. `patience` is for how many seconds a server that is away is looked for
    again, `seconds` how long an answer may take, if not as long as the client allows any."""

    def __init__(self, patience: float, seconds: float | None = None) -> None:
        self.patience = patience
        self._reached = False
        self.seconds = seconds

    def relay(self, request: Request) -> Flow[Answer]:
        """A request that somebody else has made, sent once, and the answer as it is."""
        for is_last in (False, True):
            try:
                answer: Answer = yield request
            except Unreachable as unreachable:
                if is_last:
                    raise errors.NoServer(str(unreachable)) from unreachable
                yield Find()
            except Broken as broken:
                raise errors.ConnectionLost(f"the server went away before it answered ({broken})") from broken
            else:
                return answer
        raise AssertionError("not reached")

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        patience: float | None = None,
        comes_back: bool = False,
        seconds: float | None = None,
    ) -> Flow[T]:
        sent = None if body is None else json_of(body)
        seconds = self.seconds if seconds is None else seconds
        request = Request(method=method, path=path, query=query_of(query or {}), body=sent, seconds=seconds)
        answer = yield from self._send(request, patience=patience, comes_back=comes_back)
        return record_of(answer, kind)

    def _send(
        self,
        step: Request | Send | Open,
        *,
        patience: float | None = None,
        comes_back: bool = False,
        or_else: int | None = None,
        once: bool = False,
    ) -> Flow[Answer]:
        """Send, again while the server is away; what may have been done already is sent once alone.

        A server that has answered, and `comes_back`, is waited for much longer, also where it says itself
        that it can't work. An answer of status `or_else` is none of an error; one that
        breaks off is not asked for again with `once`. Who waits is told of a server
        that is away for longer than a moment, and that it is back.
        """
        repeatable = isinstance(step, Open | Send) or step.method in {"GET", "PUT"}
        begin, pause, is_told = time.monotonic(), 0.1, False
        while True:
            try:
                answer: Answer = yield step
                self._reached = True
                problem = problem_of(answer)
                if problem is None or answer.status == or_else:
                    if is_told:
                        yield Tell(f"the server is back, after {time.monotonic() - begin:.0f} s")
                    return checked(answer, step)
                ours = words_of(answer) is not None  # else a proxy speaks, for a server that is away
                away = answer.status in _AWAY if ours == comes_back else comes_back
                later = answer.headers.get("retry-after", "")
                # Of ours it says that nothing was done; a proxy does not know that.
                busy = ours and later and answer.status == errors.Busy.status
                if not (busy or (repeatable and (away or later))):
                    raise problem
                pause, why = max(pause, min(seconds_of(later), _MOST_PAUSE)), str(problem)
            except Unreachable as unreachable:
                why = str(unreachable)
                problem = errors.NoServer(f"{unreachable}; is it running? `jupyter ra-jobs` starts one")
            except Broken as broken:
                why = f"the server went away before it answered ({broken})"
                problem = errors.ConnectionLost(
                    f"the server went away before it answered ({broken}); whether it did what was asked, "
                    "a look at the runs tells"
                )
                if once or not repeatable:
                    raise problem from broken
            waited = time.monotonic() - begin
            left = self._patience(patience, comes_back) - waited
            if left <= 0:
                raise problem
            if not is_told and waited >= _UNTOLD and left > _SOON:
                is_told = True
                until = time.strftime("%H:%M:%S", time.localtime(time.time() + left))
                runs = "; runs go on without it" if comes_back else ""
                yield Tell(f"{why}{runs}; it is looked for until {until}")
            spread = random.uniform(0.5, 1)  # noqa: S311 - so that many do not come at once
            yield Sleep(min(left, pause * spread, math.inf if is_told else max(_UNTOLD - waited, 0.1)))
            pause = min(2 * pause, _MOST_PAUSE)
            yield Find()

    def _patience(self, asked: float | None, comes_back: bool) -> float:
        """Seconds for which to look for a server that is away."""
        most = self.patience if asked is None else min(asked, self.patience)
        if comes_back:
            most = max(self.patience, _REUNION) if asked is None else asked
        return most if self._reached else min(most, _FIRST_PATIENCE)

    def _watch(
        self, path: str, kind: type[T], ended: Callable[[T], bool], name: str, timeout: float | None
    ) -> Emitting[T]:
        if isinstance(timeout, bool) or not isinstance(timeout, numbers.Real | None):
            raise errors.BadInput(f"timeout: must be a number of seconds, not {timeout!r:.100}")
        until = None if timeout is None else time.monotonic() + timeout
        last: T | None = None
        pause = FIRST_LOOK
        known = self._reached  # or what is waited for may not be there at all
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            seconds = None if left is None else max(1.0, left)
            try:
                now = yield from self._ask(
                    "GET", path, kind, patience=left, comes_back=known, seconds=seconds
                )
                known = True
            except (errors.NoServer, errors.ConnectionLost, errors.Unavailable) as away:
                if not known or until is None:
                    raise
                raise errors.TimedOut(
                    f"{name} was not seen to end within {round(timeout, 2):g} seconds: {away}"
                ) from away
            if now != last:
                yield Emit(now)
                last, pause = now, FIRST_LOOK
            if ended(now):
                return
            if until is not None and until <= time.monotonic():
                raise errors.TimedOut(f"{name} has not ended after {round(timeout, 2):g} seconds; it goes on")
            yield Sleep(pause if until is None else min(pause, max(0.0, until - time.monotonic())))
            pause = min(1.5 * pause, LAST_LOOK)
