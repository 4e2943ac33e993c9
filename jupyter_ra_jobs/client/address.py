"""Which server a kernel or a script means, and how it is reached."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
from jupyter_core.paths import jupyter_runtime_dir
from jupyter_ra_jobs_sidecar import procs
from msgspec import Struct

from jupyter_ra_jobs.errors import BadInput, NoServer

_LARGEST_FILE = 64 * 1024
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
# What follows a server's base URL in the address bar of a browser.
_PAGE = re.compile(r"/(lab|tree|notebooks|edit|consoles|terminals|doc|nbclassic|login)(/.*)?$")


class Address(Struct, frozen=True, kw_only=True):
    """Where a server's routes are, and what opens them."""

    url: str
    """Up to and with `/ra-jobs`."""
    token: str = ""
    socket: str | None = None
    """The path of its Unix socket, in place of the URL's host."""
    certificate: str | None = None
    """The file of the certificate that counts, whatever name it bears."""
    workdir: str | None = None
    """None for a server that somebody named by its URL: it may be on another machine."""
    pid: int | None = None
    """Its process on this machine, named beyond doubt with the next field."""
    pid_start: int | None = None

    def is_gone(self) -> bool:
        """Whether its process has ended: then its port may be anybody's, who is to be told nothing."""
        return (
            self.pid is not None
            and self.pid_start is not None
            and not procs.is_alive(self.pid, self.pid_start)
        )

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Without the token, which opens the server: what a notebook shows is saved and sent around."""
        fields = [(name, getattr(self, name)) for name in self.__struct_fields__]
        return [(name, "…" if name == "token" else value) for name, value in fields if value]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Address({shown})"


class Finder:
    """Finds the server, and finds it again after it was restarted: by the workdir that it had.

    It is the one at `url`, or at an address, or of `workdir`, or the one that `find_server` finds.
    """

    def __init__(
        self, url: str | Address | None = None, token: str | None = None, workdir: Path | None = None
    ) -> None:
        self._found = address_of(url, token) if isinstance(url, str) else url
        self._workdir = None if workdir is None else workdir.absolute()

    def find(self) -> Address:
        """The server as it can be reached now, or was when it was last seen.

        Raises NoServer, which says what to do, as long as none was found.
        """
        last = self._found
        if last is None and self._workdir is not None:
            self._found = last = server_of(self._workdir)
            if last is None:
                raise NoServer(
                    f"no server runs in {self._workdir}; ra.serve({str(self._workdir)!r}) starts one"
                )
        elif last is None:
            self._found = last = find_server(os.environ, _here())
        elif last.workdir is not None and last.is_gone():  # else it stays, though another may have come there
            self._found = last = server_of(Path(last.workdir)) or last
        return last


def find_server(environ: Mapping[str, str], folder: Path) -> Address:
    """The server of this kernel, else the one of RA_JOBS_URL, else the one in whose workdir `folder` is.

    Raises NoServer, which says what to do, and BadInput for a RA_JOBS_URL that is none.
    """
    parent = environ.get("JPY_PARENT_PID", "")
    own = _file_for_kernels(parent)
    if own and (found := read_address(own)):
        return found
    if url := environ.get("RA_JOBS_URL"):
        return address_of(url, environ.get("RA_JOBS_TOKEN"), "RA_JOBS_URL")
    for place in (folder, *folder.parents):
        if found := server_of(place):
            return found
    asked = "what started this kernel is no server with jupyter_ra_jobs; " if parent else ""
    raise NoServer(
        f"no server was found: {asked}RA_JOBS_URL is not set, and none runs with {folder} in its workdir. "
        "Start one with ra.serve() or `jupyter ra-jobs --workdir .`, or set RA_JOBS_URL and RA_JOBS_TOKEN"
    )


def address_of(url: str, token: str | None, name: str = "url") -> Address:
    """An address that somebody wrote: with or without `/ra-jobs`, a token in its query perhaps.

    Raises BadInput, which shows nothing of what may be secret in it.
    """
    try:
        parts = urlsplit(url.strip())
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        shown = re.sub(r"[?#].*|[^/]*@", "…", url.strip(), flags=re.DOTALL)
        raise BadInput(
            f"{name}: {shown!r} is no URL of a Jupyter server; one begins with http:// or https://, as "
            "http://localhost:8888/lab"
        )
    if "@" in parts.netloc:
        raise BadInput(f"{name}: a user name or password in a URL is not supported; give the server's token")
    given = (token or parse_qs(parts.query).get("token", [""])[0]).strip()
    if not (given.isascii() and given.isprintable()):
        raise BadInput(f"{name}: the token that goes with it holds characters that no token has")
    path = parts.path.rstrip("/")
    if not path.endswith("/ra-jobs"):
        path = _PAGE.sub("", path) + "/ra-jobs"
    return Address(url=f"{parts.scheme}://{parts.netloc}{path}", token=given)


def server_file(workdir: Path) -> Path:
    """Where a workdir's server says of itself how it is reached."""
    return workdir / ".agents" / "server.json"


def server_of(workdir: Path) -> Address | None:
    """The living server of this very folder, as it says; None where there is none.

    What came with a copy of a folder tells of the server of another one, or of nobody knows what.
    """
    found = read_address(server_file(workdir))
    return found if found is not None and found.workdir and _is_folder(found.workdir, workdir) else None


def read_address(file: Path) -> Address | None:
    """What a living server of ours says of itself in a file; None where there is none.

    It is this user's process: whoever gave us a folder may have put a file of their own into it.
    """
    try:
        said = msgspec.json.decode(_own(file), type=_Said)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not procs.still_lives({"pid": said.pid, "pid_start": said.pid_start, "boot_id": said.boot_id}):
        return None
    if _user_of(said.pid) != os.geteuid():
        return None
    host = f"[{said.host}]" if ":" in said.host else said.host
    port = "" if said.port is None else f":{said.port}"
    return Address(
        url=f"{said.scheme}://{host}{port}{said.path}",
        token=said.token,
        socket=said.socket,
        certificate=said.certificate,
        workdir=said.workdir,
        pid=said.pid,
        pid_start=said.pid_start,
    )


class _Said(Struct, frozen=True, kw_only=True):
    """The form of a server's file."""

    scheme: Literal["http", "https"]
    path: str
    pid: int
    pid_start: int
    boot_id: str
    host: str = "localhost"
    port: int | None = None
    socket: str | None = None
    certificate: str | None = None
    token: str = ""
    workdir: str | None = None


def _own(file: Path) -> bytes:
    """A file that this user alone can have written; OSError for any other.

    Above our folder there are folders of others, /tmp for one. A server of theirs would be told our commands
    and our environment.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as opened:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise PermissionError(f"{file} is not ours")
        if status.st_mode & _OTHERS_MAY_WRITE:
            raise PermissionError(f"{file} can be written by others")
        return opened.read(_LARGEST_FILE)


def _user_of(pid: int) -> int | None:
    """Whose process it is: its effective user (proc(5), `status`)."""
    try:
        said = re.search(rb"^Uid:\s+\d+\s+(\d+)", Path(f"/proc/{pid}/status").read_bytes(), re.MULTILINE)
    except OSError:  # gone, or hidden from us
        return None
    return int(said[1]) if said else None


def _is_folder(said: str, folder: Path) -> bool:
    """Whether a path names this folder, for anybody: `.` or `/proc/self/cwd` names whatever is asked of."""
    plain = os.path.normpath(said)
    if not plain.startswith("/") or plain.lstrip("/").startswith(("proc/", "dev/")):
        return False
    try:
        return Path(said).samefile(folder)
    except (OSError, ValueError):
        return False


def _file_for_kernels(parent: str) -> Path | None:
    """Where the server with this pid tells its kernels of itself."""
    process = procs.look(int(parent)) if parent.isascii() and parent.isdecimal() else None
    if process is None:
        return None
    return Path(jupyter_runtime_dir()) / f"ra-jobs-{process.pid}-{process.start}.json"


def _here() -> Path:
    """The current folder, also when it was removed."""
    try:
        return Path.cwd()
    except OSError:
        return Path(os.environ.get("PWD", os.sep))
