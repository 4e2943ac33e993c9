"""What happens to the Jupyter server."""

from tests.conftest import wait_for
from tests.faults.amid import Amid, fault


@fault
def server_killed(amid: Amid) -> None:
    """kill -9; the next one is on another port."""
    amid.server.kill()
    amid.server.start()


@fault
def server_away_while_runs_end(amid: Amid) -> None:
    """kill -9; what was at work ends before the next server is there."""
    amid.server.kill()
    amid.go()
    for run_id in amid.at_work:
        wait_for(lambda run_id=run_id: amid.ended_on_disk(run_id), "it has ended")
    amid.server.start()
