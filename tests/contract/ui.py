"""The existing UI as a server meets it: a page of another origin, in a browser that keeps the rules of CORS.

The rules are those of https://fetch.spec.whatwg.org, for a fetch without credentials.
"""

import codecs
import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

from jupyter_ra_jobs.handlers import ROUTES
from jupyter_ra_jobs.handlers.openapi import document
from tests.conftest import PATIENCE, TOKEN, Server, wait_for

ORIGIN = "http://ui.example:3000"
UNKNOWN = "0" * 12
DOCUMENT = json.loads(json.dumps(document(ROUTES)))

_SIMPLE_METHODS = {"GET", "HEAD", "POST"}
_SIMPLE_HEADERS = {"accept", "accept-language", "content-language"}
_ALWAYS_READABLE = {"cache-control", "content-length", "content-type", "expires", "last-modified"}


class NetworkError(Exception):
    """What a page is told of an answer that its browser keeps from it: nothing but that it failed."""


class Answer(NamedTuple):
    """What a page sees of an answer. `headers` are those that it may read, in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """What the UI looks at first."""
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    def error(self, status: int) -> str:
        """The message of an error that has this status, and the contract's form."""
        assert self.status == status, self.body
        assert self.headers["content-type"] == "application/json"
        assert self.json.keys() == {"message", "reason", "detail"}
        assert all(isinstance(part, str) and part for part in self.json.values())
        assert self.json["detail"] == self.json["message"]
        return str(self.json["message"])


class UI:
    """A page of `origin` that calls a server. `token` is None in its health check, and in older versions."""

    def __init__(self, server: Server, *, origin: str = ORIGIN, token: str | None = TOKEN) -> None:
        self.server = server
        self.origin = origin
        self.token = token

    # -- what the UI does --------------------------------------------------------------------------

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A fetch as the UI does it; `body` is JSON, or bytes as they are."""
        with self._fetch(method, path, body, headers) as (response, readable):
            answer = Answer(response.status, readable, response.read())
        _check_documented(method, path, answer)
        return answer

    def get(self, path: str, **query: Any) -> Any:
        """GET; the decoded answer, which must be ok."""
        return self._ok("GET", path + ("?" + urlencode(query) if query else ""), None)

    def post(self, path: str, **body: Any) -> Any:
        """POST; the decoded answer, which must be ok. Without fields no body is sent."""
        return self._ok("POST", path, body or None)

    def put(self, path: str, **body: Any) -> Any:
        """PUT; the decoded answer, which must be ok."""
        return self._ok("PUT", path, body)

    def _ok(self, method: str, path: str, body: Any) -> Any:
        answer = self.call(method, path, body)
        assert answer.ok, (method, path, answer.status, answer.body)
        assert answer.headers["content-type"] == "application/json"
        return answer.json

    @contextmanager
    def stream(self, path: str, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of a stream, as they come; leaving it closes the connection."""
        with self._fetch("GET", path, None, headers) as (response, readable):
            assert response.status == 200, response.read()
            assert readable["content-type"] == "text/event-stream"
            yield events_in(iter(lambda: response.read1(65_536), b""))

    # -- and what the browser does -----------------------------------------------------------------

    @contextmanager
    def _fetch(
        self, method: str, path: str, body: Any, more: dict[str, str]
    ) -> Iterator[tuple[http.client.HTTPResponse, dict[str, str]]]:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {**more}
        if self.token is not None:
            headers |= {"X-Auth-Token": self.token, "X-Research-Agent-Key": "a-key-of-its-own"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        unsafe = sorted({name.lower() for name in headers} - _SIMPLE_HEADERS)
        if unsafe or method not in _SIMPLE_METHODS:
            self._preflight(method, path, unsafe)
        with self._request(method, path, data, headers) as response:
            self._check_origin(response)
            exposed = _words(response, "Expose-Headers") | _ALWAYS_READABLE
            yield (
                response,
                {
                    name.lower(): value
                    for name, value in response.getheaders()
                    if exposed & {name.lower(), "*"}
                },
            )

    def _preflight(self, method: str, path: str, unsafe: list[str]) -> None:
        asked = {"Access-Control-Request-Method": method}
        if unsafe:
            asked["Access-Control-Request-Headers"] = ",".join(unsafe)
        with self._request("OPTIONS", path, None, asked) as response:
            self._check_origin(response)
            if not 200 <= response.status < 300:
                raise NetworkError(f"preflight: {response.status}")
            methods, headers = _words(response, "Allow-Methods"), _words(response, "Allow-Headers")
            if method not in _SIMPLE_METHODS and not {method.lower(), "*"} & methods:
                raise NetworkError(f"preflight: the method {method} is not allowed")
            if "*" not in headers and (missing := set(unsafe) - headers):
                raise NetworkError(f"preflight: {missing} are not allowed")

    def _check_origin(self, response: http.client.HTTPResponse) -> None:
        if response.headers.get_all("Access-Control-Allow-Origin") not in (["*"], [self.origin]):
            raise NetworkError(f"{response.status}: not for {self.origin}")

    @contextmanager
    def _request(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        try:
            url = f"{self.server.base_url}ra-jobs{path}"
            connection.request(method, url, data, {**headers, "Origin": self.origin})
            yield connection.getresponse()
        finally:
            connection.close()

    # -- what the tests do with it -----------------------------------------------------------------

    def create(self, command: str = "true", **more: Any) -> dict[str, Any]:
        """A new run."""
        made: dict[str, Any] = self.post("/runs", **{"name": "a run", "command": command, **more})
        return made

    def finished(self, command: str = "true", **more: Any) -> dict[str, Any]:
        """A run that was started, and has ended well."""
        return self.until(self.create(command, auto_start=True, **more)["id"], "finished")

    def until(self, run_id: str, *statuses: str) -> dict[str, Any]:
        """The run once it has one of these statuses."""

        def there() -> dict[str, Any] | None:
            run: dict[str, Any] = self.get(f"/runs/{run_id}")
            return run if run["status"] in statuses else None

        return wait_for(there, f"run {run_id} is {statuses}")


def events_in(chunks: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """The UI's own parser of event streams.

    It splits at blank lines, and takes only the blocks that begin `data: `, each whole, as JSON.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    buffer = ""
    for chunk in chunks:
        *blocks, buffer = (buffer + decoder.decode(chunk)).split("\n\n")
        for block in blocks:
            if block.startswith("data: "):
                yield json.loads(block[len("data: ") :])


def _words(response: http.client.HTTPResponse, what: str) -> set[str]:
    value = response.getheader(f"Access-Control-{what}", "")
    return {word.strip().lower() for word in value.split(",")}


def _check_documented(method: str, path: str, answer: Answer) -> None:
    """Our OpenAPI document tells of this status and media type, where it knows the call."""
    plain = path.partition("?")[0]
    for template, operations in DOCUMENT["paths"].items():
        form = re.sub(r"{(\w+)_id}", r"(?!wild)[^/]+", template)
        if re.fullmatch(re.sub(r"{\w+}", ".+", form), plain) and method.lower() in operations:
            told = operations[method.lower()]["responses"]
            assert str(answer.status) in told, (method, path, answer)
            media_type = answer.headers["content-type"].partition(";")[0]
            assert media_type in told[str(answer.status)]["content"], (method, path, answer)
            return
