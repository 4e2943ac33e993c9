"""Which server a kernel or a script means: the one that started it, the one that is named, the one here."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from jupyter_ra_jobs_sidecar import procs
from jupyter_server.auth.security import passwd

import jupyter_ra_jobs as ra
from jupyter_ra_jobs.client.address import address_of, find_server, read_address, server_file
from jupyter_ra_jobs.errors import BadInput, Forbidden, NoServer, RaJobsError, Unavailable
from tests.conftest import TOKEN, Server, World
from tests.python.conftest import Jupyter

RUN = """
import jupyter_ra_jobs as ra
run = ra.run("echo found; pwd").wait(progress=False)
print(run.status, run.tail())
"""
WHERE = "print(ra.connect().address.url, ra.connect().address.workdir)"


# -- a kernel of a real server ------------------------------------------------------------------------


@pytest.mark.parametrize("base_url", ["/", "/a/base%20url/"])
def test_kernel_of_a_server_with_a_token(world: World, base_url: str) -> None:
    """With no set-up, wherever the kernel's folder is; the run works there."""
    (world.workdir / "below").mkdir()
    jupyter = Jupyter(Server(world, base_url=base_url).start())
    with jupyter.kernel("below") as cell:
        assert cell(RUN) == f"finished found\n{world.workdir}/below\n\n"


def test_kernel_of_a_server_with_a_password(world: World) -> None:
    """Which has no token at all for anybody."""
    del world.env["JUPYTER_TOKEN"]
    hashed = passwd("secret", "sha1")  # type: ignore[no-untyped-call]
    server = Server(
        world, "--IdentityProvider.token=", f"--PasswordIdentityProvider.hashed_password={hashed}"
    )
    server.spawn()
    with Jupyter(server, token=None, password="secret").kernel() as cell:
        assert cell(RUN).startswith("finished found\n")


def certificate(folder: Path) -> list[str]:
    """The options for a self-signed certificate of another host's name."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=elsewhere.example"]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return [f"--ServerApp.certfile={cert}", f"--ServerApp.keyfile={key}"]


def test_kernel_of_a_server_with_https(world: World, nobody: World) -> None:
    """Its own certificate counts for those that it told; to others it is as good as its authority."""
    server = Server(world, *certificate(world.root))
    server.spawn()
    jupyter = Jupyter(server)
    with jupyter.kernel() as cell:
        assert cell(RUN).startswith("finished found\n")
    with pytest.raises(NoServer, match=r"certificate .* not trusted .*self.signed.* SSL_CERT_FILE"):
        ra.connect(jupyter.address.url, TOKEN)


def test_https_where_it_is_not_spoken() -> None:
    """A slip in the URL, which no patience mends."""
    with socket.create_server(("127.0.0.1", 0)) as plain, ThreadPoolExecutor() as threads:

        def refuse() -> None:
            connection, _ = plain.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        refused = threads.submit(refuse)
        with pytest.raises(NoServer, match="does not speak HTTPS"):
            ra.connect(f"https://127.0.0.1:{plain.getsockname()[1]}")
        refused.result()


def _folder(world: World, name: str) -> Path:
    folder = world.root / name
    folder.mkdir()
    return folder


def test_kernel_of_a_server_on_a_unix_socket(world: World) -> None:
    """Which has no port."""
    server = Server(world, f"--ServerApp.sock={world.tmux_tmpdir}/j.sock")
    without_port = 'for a; do [[ $a == *port=* ]] || kept+=("$a"); done; exec "${kept[@]}"'
    server.spawn(prefix=["bash", "-c", without_port, "-"])
    jupyter = Jupyter(server)
    assert jupyter.address.socket == f"{world.tmux_tmpdir}/j.sock"
    with jupyter.kernel() as cell:
        assert cell(RUN).startswith("finished found\n")
        assert cell('print(*run.follow(), ra.runs()[0] == run, sep=",")').startswith("found,")
    server.stop()


def test_server_of_a_kernel_comes_first(world: World) -> None:
    """Then the one that is named, then the one in whose workdir the kernel is."""
    named, here = World(_folder(world, "named")), World(_folder(world, "here"))
    try:
        servers = [Server(each).start() for each in (world, named, here)]
        with Jupyter(servers[0]).kernel() as cell:
            ours, theirs, last = (f"http://127.0.0.1:{server.port}/ra-jobs" for server in servers)
            cell(
                "import os, jupyter_ra_jobs as ra\n"
                f"os.environ.update(RA_JOBS_URL={theirs!r}, RA_JOBS_TOKEN={TOKEN!r})\n"
                f"os.chdir({str(here.workdir)!r})\n"
            )
            assert cell(WHERE) == f"{ours} {world.workdir}\n"
            parent = cell("print(os.environ.pop('JPY_PARENT_PID'))").strip()
            assert parent == str(Jupyter(servers[0]).address.pid)
            assert cell(WHERE) == f"{theirs} None\n"
            cell("del os.environ['RA_JOBS_URL']")
            assert cell(WHERE) == f"{last} {here.workdir}\n"
            cell("os.makedirs('a/b'); os.chdir('a/b')")
            assert cell(WHERE) == f"{last} {here.workdir}\n"
    finally:
        named.end()
        here.end()


def test_file_for_kernels(world: World) -> None:
    """For our user alone; gone with its server, and that of one that was killed with the next."""
    server = Server(world).start()
    runtime = world.root / "runtime"
    (killed,) = runtime.glob("ra-jobs-*.json")
    assert killed.stat().st_mode & 0o777 == 0o600
    server.kill()
    other_machines = runtime / "ra-jobs-1-1.json"
    other_machines.write_text(json.dumps({"pid": 1, "pid_start": 1, "boot_id": "of another machine"}))
    server.start()
    files = set(runtime.glob("ra-jobs-*.json"))
    assert killed not in files
    assert len(files) == 2
    server.stop()
    assert set(runtime.glob("ra-jobs-*.json")) == {other_machines}


# -- files that lie ----------------------------------------------------------------------------------


@pytest.fixture
def said(nobody: World) -> dict[str, Any]:
    """What a living server might say of itself: its process is this one."""
    return {
        "scheme": "http",
        "host": "127.0.0.1",
        "port": 1,
        "path": "/ra-jobs",
        "token": "t",
        "workdir": str(nobody.workdir),
        **procs.name_myself(),
    }


def write(world: World, content: Any, mode: int = 0o600) -> Path:
    """As the workdir's server."""
    file = server_file(world.workdir)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    file.chmod(mode)
    return file


def test_living_server(nobody: World, said: dict[str, Any]) -> None:
    """The form that the tests below depart from; its token is shown nowhere."""
    write(nobody, said | {"token": "a-secret"})
    found = find_server({}, nobody.workdir)
    assert (found.url, found.token, found.pid) == ("http://127.0.0.1:1/ra-jobs", "a-secret", os.getpid())
    assert "a-secret" not in f"{found!r} {found} {found.__rich_repr__()}"
    assert read_address(write(nobody, said | {"host": "::1"})).url == "http://[::1]:1/ra-jobs"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"pid": 2**22 + 1}, id="dead"),
        pytest.param({"pid_start": 1}, id="its pid is another process's now"),
        pytest.param({"boot_id": "of before"}, id="of an earlier boot"),
        pytest.param({"scheme": "file"}, id="scheme"),
        pytest.param({"host": 5}, id="host"),
        pytest.param({"port": "80"}, id="port"),
        pytest.param({"path": None}, id="path"),
        pytest.param({"token": ["t"]}, id="token"),
        pytest.param({"workdir": "/"}, id="came with a copy of a folder"),
        pytest.param({"workdir": "."}, id="of any folder"),
        pytest.param({"workdir": "//tmp/../proc/self/cwd"}, id="of any folder, by another name"),
        pytest.param({"workdir": None}, id="of no folder"),
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="half"),
        pytest.param(b"[" * 60_000, id="deep"),
        pytest.param(b"\xff\xfe{}", id="no text"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b" " * 100_000 + b"{}", id="large"),
    ],
)
def test_file_of_no_server(nobody: World, said: dict[str, Any], change: Any) -> None:
    """Dead, reused or garbage: there is no server, and what to do is said."""
    write(nobody, change if isinstance(change, bytes) else said | change)
    with pytest.raises(NoServer, match=r"ra\.serve\(\).*jupyter ra-jobs.*RA_JOBS_URL and RA_JOBS_TOKEN"):
        ra.runs()


def test_file_of_somebody_else(nobody: World, said: dict[str, Any]) -> None:
    """A stranger's file in a folder above, /tmp for one, would have us tell them what we run."""
    write(nobody, said, mode=0o666)
    with pytest.raises(NoServer):
        ra.runs()
    file = write(nobody, said)
    assert read_address(file) is not None
    if os.geteuid() == 0:
        os.chown(file, 65534, -1)
        with pytest.raises(NoServer):
            ra.runs()
    file.unlink()
    os.mkfifo(file, 0o600)  # reading it would wait for ever
    with pytest.raises(NoServer):
        ra.runs()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user too")
def test_process_of_somebody_else(nobody: World, said: dict[str, Any]) -> None:
    """Whoever planted a file that we own by now, as a part of what we copied, is told nothing."""
    stranger = subprocess.Popen(["sleep", "600"], user=65534, group=65534, extra_groups=[])
    try:
        process = procs.look(stranger.pid)
        assert process is not None
        file = write(nobody, said | {"pid": process.pid, "pid_start": process.start})
        assert read_address(file) is None
    finally:
        stranger.kill()
        stranger.wait()


def test_no_server(nobody: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which places were looked at, also from a kernel, and from a folder that is gone."""
    with pytest.raises(NoServer, match=f"RA_JOBS_URL is not set, and none runs with {nobody.workdir} in"):
        ra.run("true")
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    with pytest.raises(NoServer, match="what started this kernel is no server with jupyter_ra_jobs"):
        ra.run("true")
    for garbage in ("", "x", "²", "-1", "99999999999999999999"):
        monkeypatch.setenv("JPY_PARENT_PID", garbage)
        with pytest.raises(NoServer):
            ra.run("true")
    gone = nobody.workdir / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(NoServer):
        ra.run("true")
    with pytest.raises(NoServer, match=r"no server runs in .*/gone; ra\.serve\("):
        ra.connect(workdir=gone)


# -- URLs that somebody wrote -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h:1", "http://h:1/ra-jobs"),
        ("http://h:1/", "http://h:1/ra-jobs"),
        ("http://h/ra-jobs/", "http://h/ra-jobs"),
        ("http://h/base/ra-jobs", "http://h/base/ra-jobs"),
        ("http://h/user/x/lab/tree/a/b.ipynb", "http://h/user/x/ra-jobs"),
        ("https://h/user/x/tree", "https://h/user/x/ra-jobs"),
        (" http://[::1]:8888/lab#section \n", "http://[::1]:8888/ra-jobs"),
        ("http://h/labs/", "http://h/labs/ra-jobs"),
    ],
)
def test_url(url: str, expected: str) -> None:
    """As it is in the address bar, with or without what we add; a token in it is taken."""
    assert address_of(url, None).url == expected
    first, _, fragment = url.strip().partition("#")
    asked = address_of(f"{first}?token=abc{'#' if fragment else ''}{fragment}", None)
    assert (asked.url, asked.token) == (expected, "abc")
    assert address_of(url, " given\n").token == "given"


@pytest.mark.parametrize(
    "url", ["", "localhost:8888", "file:///x", "http://", "http://[::1", "http://h:x/", "8888/lab?token=abc"]
)
def test_url_of_nothing(url: str, nobody: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says what one looks like, and shows no token that was in it."""
    monkeypatch.setenv("RA_JOBS_URL", url or " ")
    with pytest.raises(
        BadInput, match=r"RA_JOBS_URL: .* one begins with http:// or https://, as http://localhost"
    ) as caught:
        ra.runs()
    assert "abc" not in str(caught.value)


def test_url_with_a_password() -> None:
    """Nobody would see to it that it is not shown."""
    for url in ("http://me:secret@h/lab", "me:secret@h/lab"):
        with pytest.raises(BadInput) as caught:
            address_of(url, None)
        assert "secret" not in str(caught.value)
    with pytest.raises(BadInput, match="token that goes with it"):
        address_of("http://h", "tökén")


def test_server_that_is_named(cells: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a lab page's URL with its token; a wrong one is refused, and how to give one is said."""
    monkeypatch.chdir("/")
    monkeypatch.setenv("RA_JOBS_URL", f"http://localhost:{cells.port}/lab/tree/x.ipynb?token={TOKEN}")
    assert ra.run("true").wait(progress=False).status == "finished"
    monkeypatch.setenv("RA_JOBS_URL", f"http://127.0.0.1:{cells.port}")
    monkeypatch.setenv("RA_JOBS_TOKEN", "wrong")
    how = r"give it as RA_JOBS_TOKEN, to ra\.connect, or .* --token-file"
    with pytest.raises(Forbidden, match=rf"not logged in: .* {how}"):
        ra.connect()
    assert ra.runs()  # all stays as it was
    with pytest.raises(Forbidden):
        ra.connect(f"http://127.0.0.1:{cells.port}")
    monkeypatch.setenv("RA_JOBS_TOKEN", f" {TOKEN}\n")
    assert ra.connect().address.workdir is None
    with pytest.raises(NoServer, match=r"is not jupyter_ra_jobs \(HTTP status 404"):
        ra.connect(f"http://127.0.0.1:{cells.port}/another/base", TOKEN)
    with pytest.raises(NoServer, match="no server answers at http://127"):
        ra.Client("http://127.0.0.1:9", patience=0).runs()


class Other(BaseHTTPRequestHandler):
    """Another service than ours, that gives one answer to everything."""

    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"")
    asked: list[str] = []

    def respond(self) -> None:
        """The same, whatever it is."""
        self.asked.append(self.command)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, headers, body = self.answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = respond  # noqa: N815 - the library's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of another service."""
    monkeypatch.setattr(Other, "asked", [])
    server = HTTPServer(("127.0.0.1", 0), Other)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


HTML = {"Content-Type": "text/html"}
PAGE = b"<html>hello</html>"


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((200, HTML, PAGE), NoServer, "is not jupyter_ra_jobs .*status 200, text/html.*base URL"),
        ((200, {"Content-Type": "application/json"}, b'{"a": 1}'), NoServer, "is not jupyter_ra_jobs"),
        ((404, HTML, PAGE), NoServer, "is not jupyter_ra_jobs .*404"),
        ((302, {"Location": "/hub/login?next=x"}, b""), Forbidden, "wants a login.*RA_JOBS_TOKEN"),
        ((301, {"Location": "https://h/x?t=secret"}, b""), NoServer, "has moved .* to https://h/x; use that"),
        ((401, HTML, PAGE), Forbidden, "status 401"),
        ((403, HTML, PAGE), Forbidden, "status 403"),
        ((502, HTML, PAGE), Unavailable, "status 502"),
        ((503, {}, b""), Unavailable, "status 503"),
        ((504, {}, b"\xff"), Unavailable, "status 504"),
        ((424, {}, b"[]"), Unavailable, "status 424"),
        ((500, {}, PAGE), RaJobsError, "status 500"),
    ],
)
def test_another_service(
    other: str, answer: tuple[int, dict[str, str], bytes], error: type[Exception], words: str
) -> None:
    """Is told from ours, and a proxy's word from the server's; none of it is a run that does not exist."""
    Other.answer = answer
    with ra.Client(other, "t", patience=0) as client:
        for call in (
            lambda: client.run("0" * 12),
            lambda: client.runs(),
            lambda: list(client.follow("0" * 12)),
            lambda: client.download("0" * 12, "x", lambda part: None),
        ):
            with pytest.raises(error, match=words) as caught:
                call()
            assert "secret" not in str(caught.value)


def test_proxy_without_its_server(other: str) -> None:
    """What can be repeated is, for as long as patience lasts; what may have been done is sent once."""
    Other.answer = (502, HTML, PAGE)
    with ra.Client(other, patience=0.5) as client:
        with pytest.raises(Unavailable):
            client.runs()
        assert len(Other.asked) > 1
        Other.asked.clear()
        with pytest.raises(Unavailable):
            client.stop_run("0" * 12)
        assert Other.asked == ["POST"]


OURS = b'{"message": "m", "reason": "r", "detail": "m"}'


@pytest.mark.parametrize(
    ("status", "body", "times"),
    [(503, PAGE, 1), (504, b"", 1), (429, b"{}", 1), (500, OURS, 1), (503, OURS, 2)],
)
def test_later(other: str, status: int, body: bytes, times: int) -> None:
    """A proxy that says when to ask again may have handed the request on; our server has done nothing."""
    Other.answer = (status, {"Retry-After": "0"}, body)
    with ra.Client(other, patience=0.3) as client:
        with pytest.raises(RaJobsError):
            client.stop_run("0" * 12)
        assert len(Other.asked) >= times
        assert times > 1 or Other.asked == ["POST"]
        Other.asked.clear()
        with pytest.raises(RaJobsError):
            client.runs()
        assert len(Other.asked) > 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_imports_of_a_kernel() -> None:
    """Neither Jupyter's server nor what the server alone needs is imported there."""
    code = (
        "import sys, jupyter_ra_jobs as ra; ra.run, ra.serve, ra.Client;"
        "print({'jupyter_server', 'tornado', 'libtmux', 'numpy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"
