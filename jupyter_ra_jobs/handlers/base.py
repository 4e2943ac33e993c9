"""What every route shares: who may, what a request must look like, how an answer and an error look."""

import asyncio
import functools
import getpass
import hmac
import http.client
import json
import os
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar, cast

import msgspec
from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import APIHandler
from msgspec import Meta, Struct
from tornado import web

from jupyter_ra_jobs.errors import BadInput, Busy, NotFound, RaJobsError, TooLarge, Unavailable
from jupyter_ra_jobs.models import ErrorBody
from jupyter_ra_jobs.services import Services
from jupyter_ra_jobs.states import RunStatus

MAX_BODY = 2 * 1024 * 1024
MAX_DEPTH = 100
_AT_ONCE = 20  # of a list, encoded by the event loop
_TAGGED_BYTES = 1024 * 1024
RESOURCE = "jupyter_ra_jobs:runs"
_ALLOWED_HEADERS = ", ".join(
    [
        "accept",
        "authorization",
        "content-type",
        "last-event-id",
        "range",
        "x-auth-token",
        "x-research-agent-key",
        "x-xsrftoken",
    ]
)
_EXPOSED_HEADERS = ", ".join(
    [
        "Content-Disposition",
        "Content-Range",
        "Link",
        "Retry-After",
        "X-RA-Ignored-Fields",
        "X-RA-Log-Gap",
        "X-RA-Scan-Incomplete",
    ]
)
_FIELD = re.compile(r"(.*) - at `(?:key in )?\$\.?(.*)`\Z", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.+)`")
_HEADER_SAFE = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")

_NOT_LOGGED_IN = "not logged in: the token is missing or wrong; send it as `Authorization: token …`"

Method = Callable[..., Awaitable[Any]]
S = TypeVar("S", bound=Struct)


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one route: all that its document says and its decorator enforces."""

    summary: str
    action: str
    answer: Any
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    upload: bool = False
    """The body is bytes, taken in as they come: see handlers/uploads.py."""
    errors: tuple[int, ...] = ()
    media_type: str = "application/json"
    also: tuple[str, ...] = ()
    """Other media types that a caller can ask for; text, as far as the document is concerned."""
    public: bool = False
    """Answered without a login."""
    run_token: bool = False
    """The run's own token is taken in place of a login."""


class Nothing(Struct, frozen=True):
    """A body or query without fields."""


def operation(
    summary: str,
    *,
    action: str,
    answer: Any,
    query: type[Struct] | None = None,
    body: type[Struct] | None = None,
    upload: bool = False,
    errors: tuple[int, ...] = (),
    media_type: str = "application/json",
    also: tuple[str, ...] = (),
) -> Callable[[Method], Method]:
    """A handler method as an API operation: logged in, authorized for `action`, its input checked.

    The method is called with the path's parts, then the query, then the body, as far as those are
    given; what it returns is the JSON answer. One that streams returns None. One that takes an `upload`
    belongs to an UploadHandler, which asks who it is before a byte is taken.
    """
    what = Operation(
        summary=summary,
        action=action,
        answer=answer,
        query=query,
        body=body,
        upload=upload,
        errors=errors,
        media_type=media_type,
        also=also,
    )

    def decorate(method: Method) -> Method:
        async def call(self: "Handler", *path: Any, **named: str) -> None:
            given: list[Any] = [*named.values(), *path]
            if query is not None:
                given.append(self.query(query))
            if body is not None:
                given.append(self.body(body))
            if upload:
                given.append(await self.received())  # type: ignore[attr-defined]
            result = await method(self, *given)
            if result is not None:
                self.finish(await _encoded(result))

        # Action and resource are named: a bare @authorized keeps the first that it sees.
        # Of an upload, prepare has asked the authorizer already.
        guarded = web.authenticated(call if upload else authorized(action, resource=RESOURCE)(call))
        wrapped = cast("Method", functools.wraps(method)(guarded))
        wrapped.operation = what  # type: ignore[attr-defined]
        return wrapped

    return decorate


class _Owner(IdentityProvider):
    """Says that it is the user who started this server: who else could know the token in server.json?"""

    def get_user(self, handler: web.RequestHandler) -> User:
        """That user."""
        return User(_users_name())

    def is_token_authenticated(self, handler: web.RequestHandler) -> bool:
        """By a header, which no page of another origin sends."""
        return True


@functools.cache
def _users_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may give us a uid that has no name
        return str(os.geteuid())


_OWNER = _Owner()


class Handler(APIHandler):
    """A JSON route of ours: Jupyter's own rules, the contract's words for errors."""

    auth_resource = RESOURCE

    @property
    def services(self) -> Services:
        """The parts that do the work; Unavailable when they could not be built."""
        built = self.settings["ra_jobs_services"]
        if isinstance(built, RaJobsError):
            raise Unavailable(f"jupyter_ra_jobs could not start: {built}") from built
        return cast("Services", built)

    async def prepare(self) -> None:  # type: ignore[override]
        """Log in, by the header of the existing UI too.

        Whoever is not logged in is refused here, whichever route and method it is, unless that says that it
        answers everybody: none is open because somebody forgot to close it.
        """
        token = self.request.headers.get("X-Auth-Token")
        if token and "Authorization" not in self.request.headers:
            self.request.headers["Authorization"] = f"token {token}"
        if self._has_owners_token():
            own = self.identity_provider
            if hasattr(own, "hub_auth"):  # JupyterHub's authorizer looks at what the Hub knows of its users
                self.request.headers["Authorization"] = f"token {own.token}"
            else:
                self._is_owner = True
        try:
            await super().prepare()
        except web.HTTPError as problem:
            if problem.status_code == http.client.FORBIDDEN and not self.current_user and self._checked_user:
                raise web.HTTPError(http.client.FORBIDDEN, _NOT_LOGGED_IN) from None
            if problem.status_code == http.client.NOT_FOUND:  # what Jupyter answers to a foreign origin
                raise web.HTTPError(
                    http.client.FORBIDDEN, "requests from this origin are not allowed"
                ) from None
            raise
        method = getattr(self, str(self.request.method).lower())
        if not self.current_user and not getattr(method, "__allow_unauthenticated", False):
            raise web.HTTPError(http.client.FORBIDDEN, _NOT_LOGGED_IN)
        if len(self.request.body) > MAX_BODY:
            raise TooLarge(f"the body holds {len(self.request.body):,} bytes; {MAX_BODY:,} are the most")

    _is_owner = False

    @property
    def identity_provider(self) -> IdentityProvider:
        """Jupyter's, which says who asks; unless it is whoever can read the files of this server's user."""
        return _OWNER if self._is_owner else super().identity_provider

    def _has_owners_token(self) -> bool:
        built = self.settings["ra_jobs_services"]
        given = self.request.headers.get("Authorization", "").removeprefix("token ")
        return isinstance(built, Services) and hmac.compare_digest(
            given.encode(errors="replace"), built.owners_token.encode()
        )

    @property
    def _checked_user(self) -> bool:
        """Whether it is known who asks; a foreign Host is refused before that."""
        return hasattr(self, "_jupyter_current_user") and self.check_host()

    # -- input -------------------------------------------------------------------------------------

    def query(self, kind: type[S]) -> S:
        """The query string as `kind`; fields that it doesn't know are ignored."""
        known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        given: dict[str, Any] = {}
        for name in self.request.query_arguments.keys() & known.keys():
            values = self.get_query_arguments(name, strip=False)
            found = msgspec.inspect.type_info(known[name].type)
            if isinstance(found, msgspec.inspect.Metadata):  # it has a description
                found = found.type
            given[name] = values if isinstance(found, msgspec.inspect.ListType) else values[-1]
        return _convert(given, kind, strict=False)

    def body(self, kind: type[S]) -> S:
        """The body as `kind`; fields that it doesn't know are ignored, and named in the answer."""
        given: Any = {}
        if self.request.body.strip():
            given = _decoded(self.request.body)
            if _is_deep(given):
                raise BadInput(f"the body is nested too deeply; {MAX_DEPTH} levels are the most")
        if not isinstance(given, dict):
            raise BadInput(f"the body must be a JSON object, not {type(given).__name__}")
        ignored = given.keys() - {field.encode_name for field in msgspec.structs.fields(kind)}
        if ignored:
            shown = sorted(name if _HEADER_SAFE.match(name) else "?" for name in ignored)
            self.set_header("X-RA-Ignored-Fields", ", ".join(shown[:20]))
        return _convert(given, kind, strict=True)

    # -- output ------------------------------------------------------------------------------------

    def set_cors_headers(self) -> None:
        """Jupyter's, and leave for the page to read the headers that we add."""
        super().set_cors_headers()
        self.set_header("Access-Control-Expose-Headers", _EXPOSED_HEADERS)

    def compute_etag(self) -> str | None:
        """None for a large answer: to hash it takes longer than its whole way over the network is worth."""
        size = sum(map(len, self._write_buffer))
        return super().compute_etag() if size <= _TAGGED_BYTES else None

    @allow_unauthenticated
    def options(self, *_: Any, **__: Any) -> None:
        """A preflight: the origins that Jupyter's allow_origin names may, with these headers."""
        super().options()
        self.set_header("Access-Control-Allow-Headers", _ALLOWED_HEADERS)
        self.set_header("Access-Control-Max-Age", "600")
        self.set_status(http.client.NO_CONTENT)
        self.finish()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Any error, in the contract's form. The one place where our exceptions become HTTP."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        reason = http.client.responses.get(status_code, "Unknown")
        message = reason
        if isinstance(error, RaJobsError):
            self.set_status(error.status, error.reason)
            reason, message = error.reason, str(error)
            if isinstance(error, Busy):
                self.set_header("Retry-After", str(error.retry_after))
        elif isinstance(error, web.HTTPError):
            reason = error.reason or reason
            message = (error.log_message or reason) % (error.args or ())
        elif error is not None:
            message = "something went wrong in the server; its log says what"
        if status_code == http.client.METHOD_NOT_ALLOWED:  # RFC 9110, 15.5.6
            self.set_header("Allow", ", ".join(self._methods))
        # The error wiped the headers; without these a browser takes it for a network failure.
        if hasattr(self, "_jupyter_current_user"):
            self.set_cors_headers()
        self.finish(msgspec.json.encode(ErrorBody(message=message, reason=reason, detail=message)))

    @property
    def _methods(self) -> list[str]:
        """Those that the route has."""
        missing = web.RequestHandler._unimplemented_method
        return [name for name in self.SUPPORTED_METHODS if getattr(type(self), name.lower()) is not missing]

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """What a caller did wrong is no traceback in the server's log. Nor does that have the URL's query, as
        tornado writes it: it may hold a token."""
        asked = f"{self.request.method} {self.request.path}"
        if isinstance(value, RaJobsError):
            level = self.log.error if value.status >= http.client.INTERNAL_SERVER_ERROR else self.log.debug
            level("%s: %s", asked, value)
        elif not isinstance(value, web.HTTPError):
            self.log.error("Uncaught exception %s", asked, exc_info=(typ, value, tb))
        elif value.log_message:
            self.log.warning("%d %s: %s", value.status_code, asked, value.log_message % (value.args or ()))

    def update_api_activity(self) -> None:
        """Looking is no activity: a panel left open must not hold off a culler. Acting is."""
        if self.request.method not in {"GET", "HEAD", "OPTIONS"}:
            super().update_api_activity()


class Unknown(Handler):
    """Any path of ours that is no route."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Only to who is logged in: what routes there are is nobody else's business."""
        await super().prepare()
        if self.request.method != "OPTIONS":
            raise NotFound(f"there is no route {self.request.method} {self.request.path}")


async def _encoded(answer: Any) -> bytes:
    """As JSON; a long list in a thread."""
    if not isinstance(answer, list) or len(answer) <= _AT_ONCE:
        return msgspec.json.encode(answer)
    return await asyncio.to_thread(_encoded_list, answer)


def _encoded_list(answer: list[Any]) -> bytes:
    # One by one: to encode it all at once keeps the event loop's thread waiting.
    return b"[" + b",".join(msgspec.json.encode(each) for each in answer) + b"]"


IdPrefix = Annotated[str, Meta(pattern="^[0-9a-f]{4,12}$", description="How the id begins.")]


def statuses(given: str | None) -> list[RunStatus] | None:
    """The statuses that a query names, with commas between. Raises BadInput."""
    if given is None:
        return None
    try:
        return [RunStatus(word) for word in re.split(r"\s*,\s*", given.strip())]
    except ValueError as problem:
        raise BadInput(
            f"status: {given[:100]!r} must be of {', '.join(RunStatus)}, with commas between"
        ) from problem


def _decoded(body: bytes) -> Any:
    """The body's JSON. Python writes NaN and Infinity, which JSON has not: they are taken as texts."""
    try:
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError:
            if b"NaN" not in body and b"Infinity" not in body:
                raise
            # Decoded again, since Python's is the laxer decoder of the two.
            return msgspec.json.decode(json.dumps(json.loads(body, parse_constant=str)))
    except (ValueError, UnicodeDecodeError) as problem:
        raise BadInput(f"the body is not JSON: {problem}") from problem
    except RecursionError as problem:
        raise BadInput("the body is nested too deeply") from problem


def _convert(given: dict[str, Any], kind: type[S], *, strict: bool) -> S:
    try:
        return msgspec.convert(given, kind, strict=strict)
    except msgspec.ValidationError as problem:
        text = str(problem)
        if missing := _MISSING.match(text):
            raise BadInput(f"{missing[1]}: is missing") from problem
        if at := _FIELD.match(text):
            offered = _offered(kind, at[2]) if at[1].startswith("Invalid enum value") else ""
            raise BadInput(f"{at[2] or 'the input'}: {at[1][0].lower()}{at[1][1:]}{offered}") from problem
        raise BadInput(text) from problem


def _offered(kind: type[Struct], name: str) -> str:
    """The words that a field takes, for who gave another one."""
    for field in msgspec.structs.fields(kind):
        found = msgspec.inspect.type_info(field.type)
        kinds = found.types if isinstance(found, msgspec.inspect.UnionType) else (found,)
        for each in kinds:
            if field.encode_name == name and isinstance(each, msgspec.inspect.LiteralType):
                return f"; one of {', '.join(map(str, each.values))} is right"
    return ""


def _is_deep(given: Any) -> bool:
    """Whether it is nested so deeply that one day, with more on the stack, it could not be read again."""
    level = [given]
    for _ in range(MAX_DEPTH):
        inner = (
            each.values() if isinstance(each, dict) else each
            for each in level
            if isinstance(each, dict | list)
        )
        level = [value for values in inner for value in values]
    return bool(level)
