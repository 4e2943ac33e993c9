"""What a page that can't reach the server asks the kernel to ask."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct, ValidationError, convert

from jupyter_ra_jobs import bundles
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs.client.steps import Body, Request
from jupyter_ra_jobs.errors import RaJobsError

# Routes of ours, with no step upwards on the way.
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/?(\?[^#]*)?")
# Their answers go on for good, or do not fit into a kernel.
_NOT_HERE = re.compile(r"/events|/runs/[^/]+/(.+/(stream|download)|artifacts/.+)")
_HEADERS = ("content-type", "link", "retry-after")
_threads = ThreadPoolExecutor(4, "ra-jobs-relay")  # the kernel has more to do than to wait for a server


class Asked(Struct, frozen=True):
    """A message of the page: a request, or for no method the panel's code."""

    id: int
    path: str = "/"
    method: str = ""
    body: str | None = None


class Relay:
    """Answers a page's messages, with the kernel's own client."""

    def __init__(self, client: Client, send: Callable[[dict[str, Any]], None]) -> None:
        self._client = client
        self._send = send

    def take(self, content: Any) -> None:
        """A message; what is none of ours is ignored."""
        try:
            asked = convert(content, Asked)
        except ValidationError:
            return
        _threads.submit(self._answer, asked)

    def _answer(self, asked: Asked) -> None:
        try:
            if not asked.method:
                answer: dict[str, Any] = {"body": bundles.text("alone")}
            else:
                answer = self._asked(asked)
        except RaJobsError as problem:
            answer = {"problem": str(problem)}
        except Exception as problem:  # noqa: BLE001 - the thread's edge: a page that is told nothing waits for ever
            answer = {"problem": f"the kernel could not ask: {problem!r:.200}"}
        self._send({"id": asked.id, **answer})

    def _asked(self, asked: Asked) -> dict[str, Any]:
        if asked.method not in ("GET", "POST", "PUT") or not _PATH.fullmatch(asked.path):
            return {"problem": "this is nothing that a panel asks for"}
        url = urlsplit(asked.path)
        if _NOT_HERE.fullmatch(url.path):
            return {"problem": "streams and files do not come by way of the kernel"}
        answer = self._client.relay(
            Request(
                method=asked.method,
                path=url.path,
                query=dict(parse_qs(url.query, keep_blank_values=True)),
                body=None if asked.body is None else Body(asked.body.encode()),
            )
        )
        headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
        return {"status": answer.status, "headers": headers, "body": answer.body.decode(errors="replace")}
