"""Sidecars that are not what they were: deaf, or gone and their pid another's."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from jupyter_ra_jobs_sidecar import procs

from jupyter_ra_jobs.models import SidecarIdentity
from jupyter_ra_jobs.reports import Patience
from tests.faults.catalogue.disk import no_room_for
from tests.server.conftest import Api, eventually

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that does not hear SIGTERM."""
    with subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def identity(process: "subprocess.Popen[bytes]", earlier: int = 0) -> SidecarIdentity:
    """The process as a sidecar, and as its command; or one that had its pid `earlier`."""
    seen = procs.look(process.pid)
    assert seen is not None
    start = seen.start - earlier
    return SidecarIdentity(
        pid=process.pid, pid_start=start, pgid=process.pid, pgid_start=start, boot_id=procs.boot_id()
    )


async def test_a_sidecar_that_does_not_stop(api: Api, stranger: "subprocess.Popen[bytes]") -> None:
    """The server waits, then ends it itself, and the run is stopped."""
    api.services.reports._patience = Patience(launch=5, stop=1)
    run_id = await api.create_at("running")
    api.services.store.change(run_id, sidecar=identity(stranger))
    assert (await api.post(f"/runs/{run_id}/stop")).json["message"] == "Stopping"
    run = await api.ended(run_id)
    assert run["status"] == "stopped"
    assert "did not stop the run in time" in run["error"]
    await eventually(lambda: stranger.poll() is not None, "it is ended")


async def test_a_sidecar_that_waits_for_the_disk(api: Api) -> None:
    """A stop comes too late for the command, and takes neither its end nor its output."""
    api.services.reports._patience = Patience(launch=5, stop=0)
    made = await api.create(
        "echo on; until [ -e go ]; do sleep 0.02; done; seq 1 500; exit 3", auto_start=True
    )
    run_id = made["id"]
    await api.until(run_id, "running")
    await eventually(lambda: api.log(run_id).read_bytes() == b"on\n", "it says that it is on")
    sidecar = api.services.store.tracking(run_id).sidecar
    assert sidecar is not None
    with no_room_for([psutil.Process(sidecar.pid)], 3):
        (Path(made["workdir"]) / "go").touch()
        await eventually(
            lambda: not procs.is_alive(sidecar.pgid, sidecar.pgid_start), "the command has ended"
        )
        assert (await api.post(f"/runs/{run_id}/stop")).json["message"] == "Stopping"
        for _ in range(3):
            await api.services.reports.reconcile()
        assert (await api.run(run_id))["status"] == "running"
    run = await api.ended(run_id)
    assert (run["status"], run["exit_code"]) == ("failed", 3)
    assert api.log(run_id).read_bytes() == b"on\n" + b"".join(b"%d\n" % n for n in range(1, 501))


async def test_the_pid_of_a_sidecar_is_anothers(api: Api, stranger: "subprocess.Popen[bytes]") -> None:
    """The run is lost, though a process with its sidecar's pid lives; and that one is left alone."""
    run_id = await api.create_at("running")
    api.services.store.change(run_id, sidecar=identity(stranger, earlier=100))
    assert (await api.post(f"/runs/{run_id}/stop")).status == 200
    run = await api.ended(run_id)
    assert (run["status"], run["exit_code"]) == ("stopped", None)
    assert run["error"].startswith("sidecar lost")
    assert stranger.poll() is None
