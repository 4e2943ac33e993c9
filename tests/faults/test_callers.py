"""Readers that don't read, and callers that take their time."""

import http.client
import re
import socket
from contextlib import ExitStack, suppress

import psutil
import pytest

from tests.conftest import TOKEN, Server, World, wait_for
from tests.faults.slow import Reader

MB = 1024 * 1024
LONG = "head -c 8000000 /dev/zero | tr '\\0' x; until [ -e go ]; do sleep 0.05; done; exit 3"


def long_log(server: Server) -> str:
    """A run at work, with more in its log than any connection holds."""
    run_id = server.launch(LONG)
    wait_for(lambda: len(server.log(run_id)) == 8_000_000, "it has written")
    return run_id


@pytest.fixture
def two_streams(world: World) -> Server:
    """A server that has room for two streams, and is not patient."""
    return Server(world, "--RaJobsApp.max_streams=2", "--RaJobsApp.stream_patience=1").start()


def test_readers_that_never_read(two_streams: Server) -> None:
    """They are left, and their places are free for others."""
    server = two_streams
    run_id = long_log(server)
    path = f"/runs/{run_id}/logs/stream?offset=0"
    with ExitStack() as stack:
        stuck = [stack.enter_context(Reader(server, path)) for _ in range(2)]
        refused = server.get(path)
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) > 0
        (server.world.workdir / "go").touch()
        wait_for(lambda: server.get(path).status == 200, "there is room again")
        for reader in stuck:
            with suppress(ConnectionError):
                assert not reader.rest().endswith(b'"status":"failed"}\n\n'), "it was left before the end"
    assert server.ended(run_id)["exit_code"] == 3


def test_slow_reader_is_no_stuck_one(two_streams: Server) -> None:
    """Who reads gets all of it, though that takes longer than nothing may be taken."""
    server = two_streams
    run_id = long_log(server)
    (server.world.workdir / "go").touch()
    with Reader(server, f"/runs/{run_id}/logs/stream?offset=0") as reader:
        body = reader.slowly(piece=100_000, pause=0.02) + reader.rest()
    assert sum(map(len, re.findall(rb'"content":"(x*)"', body))) == 8_000_000
    assert b'"status":"failed"' in body


def test_connection_after_a_stream(two_streams: Server) -> None:
    """A download that is asked for on it next may be left lying for as long as one likes."""
    server = two_streams
    run_id, done = long_log(server), server.launch("echo all")
    server.ended(done)
    login = {"Authorization": f"token {TOKEN}"}
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", f"/ra-jobs/runs/{done}/logs/stream", headers=login)
    assert b"all" in connection.getresponse().read()
    with (server.run_dir(done) / "run.log").open("r+b") as log:
        log.truncate(64 * MB)
    connection.request("GET", f"/ra-jobs/runs/{done}/logs/download", headers=login)
    download = connection.getresponse()
    path = f"/runs/{run_id}/logs/stream?offset=0"
    with Reader(server, path), Reader(server, path):
        (server.world.workdir / "go").touch()
        wait_for(lambda: server.get(path).status == 200, "readers that came later were left")
    assert len(download.read()) == 64 * MB
    connection.close()


def test_slow_download(server: Server) -> None:
    """Of a log of 1 GB: little of it is in memory, others are served; left alone, it closes the file."""
    run_id = server.launch("true")
    server.ended(run_id)
    path = server.run_dir(run_id) / "run.log"
    with path.open("r+b") as log:
        log.truncate(1 << 30)
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    with Reader(server, f"/runs/{run_id}/logs/download") as reader:
        reader.take(4 * MB)
        assert server.ended(server.launch("true"))["status"] == "finished"
        assert process.memory_info().rss - before < 64 * MB
        assert str(path) in [file.path for file in process.open_files()]
        reader.reset()
    wait_for(lambda: str(path) not in [file.path for file in process.open_files()], "it is closed")


def test_readers_that_vanish(two_streams: Server) -> None:
    """By a reset: their places are free at once."""
    server = two_streams
    run_id = long_log(server)
    for _ in range(5):
        for reader in [Reader(server, path) for path in (f"/runs/{run_id}/logs/stream?offset=0", "/events")]:
            reader.reset()
        wait_for(lambda: not streams(server), "both have gone")
    (server.world.workdir / "go").touch()
    assert server.ended(run_id)["exit_code"] == 3


def streams(server: Server) -> int:
    """How many connections the server has."""
    assert server.process is not None
    found = psutil.Process(server.process.pid).net_connections("tcp")
    return sum(each.status == psutil.CONN_ESTABLISHED for each in found)


def test_bodies_that_never_end(server: Server) -> None:
    """Two hundred callers that send half of a request and no more hold nobody up."""
    with ExitStack() as stack:
        for n in range(200):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            half.sendall(b"POST /ra-jobs/runs HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            if n % 2:
                half.sendall(b'Content-Length: 1000000\r\n\r\n{"name": ')
        assert server.ended(server.launch("true"))["status"] == "finished"
