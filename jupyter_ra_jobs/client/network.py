"""What both clients need of httpx."""

import ipaddress
import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx

from jupyter_ra_jobs._version import __version__
from jupyter_ra_jobs.client.address import Address
from jupyter_ra_jobs.client.steps import Answer, Broken, Open, Request, Send, Unreachable
from jupyter_ra_jobs.errors import NoServer, RaJobsError

OK = 200
READ_SECONDS = 60.0
STORE_SECONDS = 600.0
"""For a slow disk to take the last bytes of a large file."""
CONNECT_SECONDS = 5.0
SIGN_OF_LIFE_SECONDS = 60.0
"""An open stream that says nothing for so long is dead: the server gives a sign of life every 15 seconds."""
# Each thread that follows a run holds a connection; how many there may be, the server says.
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)
# Nobody took the request.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


def settings(address: Address) -> dict[str, Any]:
    """How httpx reaches the server, apart from a Unix socket."""
    headers = httpx.Headers({"User-Agent": f"jupyter_ra_jobs/{__version__}"})  # their repr hides a token
    if address.token:
        headers["Authorization"] = f"token {address.token}"
    return {
        "base_url": address.url,
        "headers": headers,
        "timeout": httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        "trust_env": not _is_here(address),  # a proxy is not for a server on this machine
        "verify": verify(address),
        "limits": LIMITS,
    }


def shown(address: Address) -> str:
    """Where a server is, in a word; never its token."""
    return address.url + (f", workdir {address.workdir}" if address.workdir else "")


def verify(address: Address) -> ssl.SSLContext:
    """Which certificates count: where the server told its own, that one alone, whatever name it bears."""
    if address.url.startswith("http:") and _is_here(address):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # none, which takes no time to load
    if address.certificate is None:
        return httpx.create_ssl_context()  # SSL_CERT_FILE, else those that httpx knows
    try:
        context = ssl.create_default_context(cafile=address.certificate)
    except OSError as problem:
        raise NoServer(
            f"the certificate of the server at {address.url}, {address.certificate}, can't be read: {problem}"
        ) from problem
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def arguments(step: Request | Send | Open) -> dict[str, Any]:
    """A step as httpx takes it; but for what is sent by a Send."""
    if isinstance(step, Open):
        return {
            "method": "GET",
            "url": step.path,
            "params": step.query,
            # A compressor would hold events back.
            "headers": {"accept": "text/event-stream", "accept-encoding": "identity"},
            "timeout": httpx.Timeout(SIGN_OF_LIFE_SECONDS, connect=CONNECT_SECONDS),
        }
    if isinstance(step, Send):
        return {
            "method": "PUT",
            "url": step.path,
            "headers": {"content-type": "application/octet-stream", "content-length": str(step.size)},
            "timeout": httpx.Timeout(STORE_SECONDS, connect=CONNECT_SECONDS, write=READ_SECONDS),
        }
    seconds = READ_SECONDS if step.seconds is None else min(step.seconds, READ_SECONDS)
    return {
        "method": step.method,
        "url": step.path,
        "params": step.query,
        "headers": {
            **({"content-type": "application/json"} if step.body is not None else {}),
            **step.headers,
        },
        "content": step.body,
        "timeout": httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
    }


def answer(response: httpx.Response, body: bytes) -> Answer:
    """As flows know it."""
    return Answer(
        response.status_code,
        {name.lower(): value for name, value in response.headers.items()},
        body,
        str(response.request.url.copy_with(query=None)),
    )


def problem(error: httpx.RequestError, address: Address) -> Unreachable | Broken | RaJobsError:
    """What a failure of the network means."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NoServer(
                f"the certificate of {address.url} is not trusted ({cause.verify_message}); "
                "name a file that holds it, or its authority's, in SSL_CERT_FILE"
            )
        if isinstance(cause, ssl.SSLError) and isinstance(error, httpx.ConnectError):
            return NoServer(f"what answers at {address.url} does not speak HTTPS ({cause.reason})")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, _NOT_SENT):
        return Unreachable(f"no server answers at {address.socket or address.url} ({error})")
    return Broken(str(error) or type(error).__name__)


def _is_here(address: Address) -> bool:
    if address.workdir is not None or address.socket is not None:
        return True
    host = urlsplit(address.url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
