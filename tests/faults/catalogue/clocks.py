"""What happens to the clock, to the machine, and to process numbers."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from tests.conftest import wait_for
from tests.faults.amid import RUNS, Amid, End, alone, fault
from tests.faults.machine import HOUR, Clock, end_tmux, free_number, holder_of, rebooted


@contextmanager
def _own_clock(amid: Amid) -> Iterator[Clock]:
    """A clock for the server, which is restarted for it, and for the sidecars and commands from now on."""
    world = amid.world
    clock = Clock(world)
    amid.server.kill()
    world.tmux("set-environment", "-g", "LD_PRELOAD", str(clock.library))
    amid.server.start()
    try:
        yield clock
    finally:
        clock.set(0)
        amid.server.kill()
        del world.env["LD_PRELOAD"]
        world.tmux("set-environment", "-gu", "LD_PRELOAD")
        amid.server.start()


def _set_while_runs_end(amid: Amid, ahead: int) -> None:
    """Set while four are at work, and set right again while the last ones are."""
    with _own_clock(amid) as clock:
        clock.set(ahead)
        amid.go()
        wait_for(lambda: sum(amid.ended_on_disk(run_id) for run_id in amid.ids) >= RUNS - 6, "six are left")
        clock.set(0)
        wait_for(lambda: all(amid.ended_on_disk(run_id) for run_id in amid.ids), "all have ended")
    for run_id in amid.ids:
        run = amid.server.run(run_id)
        assert run["started_at"] <= run["ended_at"], run


@fault
def clock_forward(amid: Amid) -> None:
    """Set an hour forward, and right again."""
    _set_while_runs_end(amid, HOUR)


@fault
def clock_back(amid: Amid) -> None:
    """Set an hour back, and right again."""
    _set_while_runs_end(amid, -HOUR)


@fault
@alone
def machine_rebooted(amid: Amid) -> None:
    """All that runs is gone, and the boot id is another one; the right one again when all have ended."""
    inside = rebooted(amid.world)
    amid.server.kill()
    end_tmux(amid.world)
    struck = amid.at_work
    for run_id in struck:
        amid.expect(run_id, End("failed", None, "sidecar lost: the machine was restarted", whole=False))
        for process in amid.world.processes(RA_RUN_ID=run_id):
            with suppress(psutil.NoSuchProcess):  # its sidecar was quicker
                process.kill()
    amid.server.inside = inside
    amid.server.start()
    amid.go()
    try:
        wait_for(
            lambda: all(amid.ended_on_disk(each) for each in amid.ids if each not in struck), "all have ended"
        )
    finally:
        amid.server.kill()
        amid.world.tmux("kill-server")  # which has the other boot id too
        amid.server.inside = []
        amid.server.start()


@fault
def pid_given_to_another(amid: Amid) -> None:
    """A sidecar was killed, and while the server was away somebody else has got its number."""
    struck = amid.at_work[1]
    sidecar = amid.sidecar(struck)
    amid.server.kill()
    free_number(sidecar)
    amid.expect(struck, End("failed", None, "sidecar lost", whole=False))
    with holder_of(sidecar.pid) as innocent:
        amid.server.start()
        amid.server.ended(struck)
        assert innocent.poll() is None
