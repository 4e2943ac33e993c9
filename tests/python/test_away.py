"""A server that goes away, comes back elsewhere, or hangs; a caller that is interrupted."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

import jupyter_ra_jobs as ra
from jupyter_ra_jobs.client import AsyncClient, Client
from jupyter_ra_jobs.errors import ConnectionLost, NoServer, NotFound, TimedOut
from jupyter_ra_jobs.models import NewRun
from tests.conftest import Server, World, wait_for
from tests.python.conftest import Both, address_of


@pytest.fixture
def background() -> Iterator[Callable[..., "Future[Any]"]]:
    """Has something done beside the test."""
    with ThreadPoolExecutor() as threads:
        yield threads.submit


def next_server(server: Server) -> None:
    """Kill -9, and a new one on another port."""
    before = server.port
    server.kill()
    server.start()
    assert server.port != before


# -- calls -------------------------------------------------------------------------------------------


def test_server_on_another_port(own: Both, server: Server) -> None:
    """Whatever is asked next finds it, with its new token; what makes something too."""
    run = own.launch("true")
    own.ended(run.id)
    for _ in range(2):
        next_server(server)
        assert own.run(run.id).id == run.id
        next_server(server)
        assert own.launch("true").id
    assert len(own.runs()) == 3


def test_server_that_comes_back(own: Both, server: Server, background: Callable[..., "Future[Any]"]) -> None:
    """A call that comes while it is away waits for it: nobody has taken it, so it is sent once it can be."""
    own.launch("true")
    server.kill()
    made = background(own.launch, "echo later")
    wait_for(made.running)
    server.start()
    run = made.result()
    own.ended(run.id)
    assert own.tail(run.id) == "later\n"
    assert len(own.runs()) == 2


def test_server_that_stays_away(own: Both, server: Server) -> None:
    """Is said once patience is over, with what to do; what is made meanwhile is not sent to anybody else."""
    own.health()
    server.stop()
    own.client._calls.patience = 0.3
    with socket.create_server(("127.0.0.1", server.port)) as somebody:  # has taken its port
        somebody.setblocking(False)
        for call in (own.runs, lambda: own.create_run(NewRun(name="x", command="true"))):
            with pytest.raises(
                NoServer, match=r"no server answers at .* any more; is it running\? `jupyter ra-jobs`"
            ) as caught:
                call()
            if isinstance(own.client, Client):
                assert len(caught.traceback) < 6  # not all the way through the network
        with pytest.raises(BlockingIOError):
            somebody.accept()


@pytest.mark.parametrize("call", ["watch_run", "follow", "run"])
def test_who_waits_is_told(
    kind: type[Any], server: Server, background: Callable[..., "Future[Any]"], call: str
) -> None:
    """Once that the server is away, and how long it is looked for; once that it is back."""
    told: list[str] = []
    own = Both(kind, workdir=server.world.workdir, tell=told.append)
    run = own.launch("echo one; read line")
    server.until(run.id, "running")
    if call != "run":
        waiting = iter(getattr(own, call)(run.id))
        next(waiting)
    server.kill()
    asked = background(own.run, run.id) if call == "run" else background(list, waiting)
    wait_for(lambda: told, "it is said")
    server.start()
    wait_for(lambda: len(told) == 2, "it is back")
    goes_on = "" if call == "run" else "; runs go on without it"
    assert re.fullmatch(
        rf"no server answers at .* any more{goes_on}; it is looked for until \d\d:\d\d:\d\d", told[0]
    )
    assert re.fullmatch(r"the server is back, after \d+ s", told[1])
    server.post(f"/runs/{run.id}/stop")
    asked.result()
    own.end()
    assert len(told) == 2


def freeze(server: Server) -> psutil.Process:
    """It takes connections, and answers nothing."""
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    process.suspend()
    return process


def test_post_is_never_sent_twice(
    own: Both, server: Server, background: Callable[..., "Future[Any]"]
) -> None:
    """A server that dies with a request in its hands may have done it: who asked is told."""
    own.health()
    process = freeze(server)
    made = background(own.launch, "true")
    # The kernel has it, for the server to read.
    wait_for(lambda: _waiting_bytes(server.port), "the request was sent")
    process.kill()
    with pytest.raises(ConnectionLost, match="whether it did what was asked"):
        made.result()
    server.start()
    assert own.runs() == []


def test_get_is_sent_again(own: Both, server: Server, background: Callable[..., "Future[Any]"]) -> None:
    """It changes nothing."""
    run = own.launch("true")
    process = freeze(server)
    told = background(own.run, run.id)
    wait_for(lambda: _waiting_bytes(server.port), "the request was sent")
    process.kill()
    server.start()
    assert told.result().id == run.id


def _waiting_bytes(port: int) -> bool:
    """Whether bytes that came to this port were not read yet (proc(5), /proc/net/tcp: rx_queue)."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, queues, *_ = line.split()
        if state == "01" and int(local.split(":")[1], 16) == port and int(queues.split(":")[1], 16):
            return True
    return False


def test_server_that_hangs(own: Both, server: Server) -> None:
    """Who waits with a time limit is not held much longer than that."""
    run = own.launch("read line")
    watch = own.watch_run(run.id, timeout=3)
    next(watch)
    process = freeze(server)
    with pytest.raises(TimedOut, match="was not seen to end within 3 seconds"):
        for _ in watch:
            pass
    process.resume()
    own.stop_run(run.id)
    own.ended(run.id)


# -- waiting -----------------------------------------------------------------------------------------


def test_wait_goes_on(own: Both, server: Server, background: Callable[..., "Future[Any]"]) -> None:
    """Over a server that is killed, however long it is away, and also one that ends politely."""
    fifo = server.world.root / "fifo"
    os.mkfifo(fifo)
    run = own.launch(f"read line < {fifo}; exit 3")
    ended = background(own.ended, run.id)
    wait_for(lambda: server.run(run.id)["status"] == "running")
    next_server(server)
    server.stop()
    server.start()
    assert not ended.done()
    server.kill()
    fifo.write_text("go\n")
    wait_for(lambda: not server.world.of_run(run.id), "it ends while no server is there")
    server.start()
    assert (ended.result().status, ended.result().exit_code) == ("failed", 3)


def test_wait_for_a_sweep_goes_on(nobody: World) -> None:
    """Its runs go on too."""
    server = Server(nobody).start()
    sweep = ra.sweep("true", {"n": range(4)}, parallel=2, name="s")
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(sweep.wait, progress=False)
        next_server(server)
        assert waiting.result().status == "completed"


# -- following ---------------------------------------------------------------------------------------

OUTPUT = [
    b"first\n",
    b"\n",
    b"\n",
    "é and 日本\n".encode(),
    b"not UTF-8: \xff\xfe \xc3\n",
    b"bar 1 %\rbar 2 %\r\n",
    b" kept \t \x0c\x85\n",
    "\u2028 no line's end\n".encode(),
    b"data: {}\n",
    b"no newline at the end",
]
EXPECTED = b"".join(OUTPUT).decode("utf-8", "replace").split("\n")


def test_follow_over_servers_that_are_killed(own: Both, server: Server) -> None:
    """No line is lost, and none comes twice, wherever it was cut."""
    fifo = server.world.root / "fifo"
    os.mkfifo(fifo)
    run = own.launch(f"cat {fifo}")
    with ThreadPoolExecutor() as threads, fifo.open("wb", buffering=0) as file:
        reading = threads.submit(list, own.follow(run.id))
        for number, piece in enumerate(OUTPUT):
            for part in (piece[: len(piece) // 2], piece[len(piece) // 2 :]):
                file.write(part)
                written = b"".join(OUTPUT[:number]) + piece[: len(part)]
                wait_for(lambda: len(server.log(run.id)) >= len(written), "it is in the log")  # noqa: B023
                if number in (2, 3, 4, 5, 8):
                    next_server(server)
        file.close()
        assert reading.result() == EXPECTED


def test_follow_a_line_of_ten_megabytes(own: Both, server: Server) -> None:
    """In the middle of which the server is killed, and the run archived."""
    size = 10_000_000
    fifo = server.world.root / "fifo"
    os.mkfifo(fifo)
    run = own.launch(f"head -c {size} /dev/zero | tr '\\0' x; read line < {fifo}; echo; echo last")
    with ThreadPoolExecutor() as threads:
        reading = threads.submit(lambda: list(own.follow(run.id)))
        wait_for(lambda: len(server.log(run.id)) >= size, "it is in the log")
        server.stop()
        server.start()
        server.post(f"/runs/{run.id}/archive")
        next_server(server)
        fifo.write_text("\n")
        line, last = reading.result()
    assert (len(line), set(line), last) == (size, {"x"}, "last")


def test_follow_from_within(own: Both) -> None:
    """From an offset, of a run that has ended as of one that has not."""
    run = own.launch("echo one; echo two; echo three")
    own.ended(run.id)
    assert list(own.follow(run.id, offset=4)) == ["two", "three"]
    assert list(own.follow(run.id, offset=5)) == ["wo", "three"]
    assert list(own.follow(run.id, offset=10_000)) == []


def test_follow_a_log_that_goes(own: Both, server: Server) -> None:
    """The run's folder was put in another's place: an error, not an endless wait."""
    run = own.launch("echo one; read line")
    lines = own.follow(run.id)
    assert next(lines) == "one"
    log = server.run_dir(run.id) / "run.log"
    log.rename(log.with_name("kept"))
    log.mkdir()
    with pytest.raises(NotFound, match=r"run\.log"):
        next(lines)
    log.rmdir()
    log.with_name("kept").rename(log)
    own.stop_run(run.id)
    own.ended(run.id)


# -- interrupts --------------------------------------------------------------------------------------

WAITING = """
import os, signal, sys
import jupyter_ra_jobs as ra
run = ra.run("echo one; while :; do sleep 0.1; done", name="goes on")
print(run.id, flush=True)
def wait():
    run.wait(progress=False)
def follow():
    for line in run.follow():
        print(line, flush=True)
for each in (wait, follow, wait):
    try:
        each()
    except KeyboardInterrupt:
        assert run.status in ("launching", "running")
        print("interrupted", flush=True)
print(run.stop().wait(progress=False).status, flush=True)
"""


def test_interrupt(nobody: World) -> None:
    """Ends the waiting, never the run; the next call works."""
    Server(nobody).start()
    cell = subprocess.Popen(
        [sys.executable, "-c", WAITING], stdout=subprocess.PIPE, text=True, cwd=nobody.workdir
    )
    assert cell.stdout is not None
    run_id = cell.stdout.readline().strip()
    run = ra.get(run_id)
    wait_for(lambda: run.status == "running")
    for expected in (["interrupted\n"], ["one\n", "interrupted\n"], ["interrupted\n", "stopped\n"]):
        for line in expected:
            if line == "interrupted\n":
                _until_it_sleeps(cell.pid)
                cell.send_signal(signal.SIGINT)
            assert cell.stdout.readline() == line
    assert cell.wait() == 0
    cell.stdout.close()


@pytest.mark.parametrize("call", ["ra.run('true', name='lost')", "ra.sweep('true', {'n': [1]}, name='lost')"])
def test_interrupt_while_it_is_made(nobody: World, call: str) -> None:
    """Nobody has its id: that it may be there, and how to see that, is said."""
    server = Server(nobody).start()
    process = freeze(server)
    command = [sys.executable, "-c", f"import jupyter_ra_jobs as ra; {call}"]
    cell = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=nobody.workdir)
    wait_for(lambda: _waiting_bytes(server.port), "the request was sent")
    cell.send_signal(signal.SIGINT)
    _, said = cell.communicate()
    process.resume()
    assert "'lost' may be there; ra." in said
    assert "KeyboardInterrupt" in said


def _until_it_sleeps(pid: int) -> None:
    """Between two looks, or in the middle of one: not in our few lines between."""
    process = psutil.Process(pid)
    wait_for(lambda: process.status() == psutil.STATUS_SLEEPING)


async def test_cancellation(server: Server) -> None:
    """The same for who awaits: the task ends, the client and the run go on."""
    async with AsyncClient(workdir=server.world.workdir) as client:
        run = await client.create_run(NewRun(name="x", command="echo one; read line", auto_start=True))
        server.until(run.id, "running")

        async def follow() -> list[str]:
            return [line async for line in client.follow(run.id)]

        async def watch() -> list[Any]:
            return [now async for now in client.watch_run(run.id)]

        for waits in (follow, watch, follow):
            task = asyncio.create_task(waits())
            for _ in range(50):  # it has begun to wait
                await client.run(run.id)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(follow(), 0.2)
        assert (await client.run(run.id)).status == "running"
        await client.stop_run(run.id)
        last = [now async for now in client.watch_run(run.id)][-1]
        assert last.status == "stopped"
        assert await asyncio.gather(*(client.tail(run.id) for _ in range(30))) == ["one\n"] * 30


def test_event_loops(server: Server) -> None:
    """One after the other may use the same client."""
    client = AsyncClient(workdir=server.world.workdir)
    for _ in range(3):
        assert asyncio.run(client.health()).version  # type: ignore[arg-type]

    async def use() -> None:
        async with client:
            await client.runs()

    asyncio.run(use())


def test_another_server_in_the_same_workdir(nobody: World) -> None:
    """Who found one stays with it as long as it lives; then goes to the other."""
    first = Server(nobody).start()
    client = Client()
    assert client.address.pid == address_of(first).pid
    second = Server(nobody).start()
    assert Client().address.pid == address_of(second).pid
    client._find_again()
    assert client.runs() == []
    assert client.address.url.endswith(f":{first.port}/ra-jobs")
    first.kill()
    assert client.runs() == []
    assert client.address.url.endswith(f":{second.port}/ra-jobs")
    client.close()
