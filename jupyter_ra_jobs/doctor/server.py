"""The server of a workdir: does it live, and answer where its sidecars look for it?"""

import json
from typing import Any

from jupyter_ra_jobs_sidecar.connect import connect

from jupyter_ra_jobs._version import __version__
from jupyter_ra_jobs.doctor.findings import Finding, fail, ok, warn
from jupyter_ra_jobs.layout import Layout

_PATIENCE = 5.0
_MOST = 1 << 16


def server(layout: Layout) -> Finding:
    """What server.json says, and whether it is so."""
    said = layout.server()
    if said is None:
        if layout.server_file.exists():
            return fail(
                "server", f"{layout.server_file} can't be read", "restart the server: it writes it anew"
            )
        return ok("server", "none runs here")
    if layout.other_server() is None:
        mend = "start the server: it takes up what was left"
        return warn("server", f"process {said.get('pid')} has ended without a word", mend)
    try:
        health = _ask(said)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as problem:
        return fail(
            "server",
            f"process {said['pid']} lives, but does not answer where server.json says: {problem!r}",
            f"is {said['pid']} the server? Restart it. If it is another process, remove {layout.server_file}",
        )
    if health.get("version") != __version__:
        mend = "restart it; runs go on meanwhile"
        return warn("server", f"it runs version {health.get('version')}, installed is {__version__}", mend)
    return ok("server", f"process {said['pid']} answers, version {__version__}")


def _ask(server: dict[str, Any]) -> dict[str, Any]:
    """What the server's health route says to who isn't logged in."""
    with connect(server, _PATIENCE) as connection:
        connection.sendall(f"GET {server['path']}/ HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        answer = b""
        while len(answer) < _MOST and (part := connection.recv(4096)):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    health = json.loads(body)
    if b" 200 " not in head.splitlines()[0] or health["status"] != "ok":
        raise ValueError(health)
    return dict(health)
