"""What is shown when the server is away."""

import signal

import jupyter_ra_jobs as ra
from jupyter_ra_jobs.cells.runs import Run
from jupyter_ra_jobs.cells.sweeps import Sweep
from jupyter_ra_jobs.models import NewSweep
from tests.conftest import TOKEN, Server


def test_a_server_that_is_gone_or_hangs(server: Server) -> None:
    """What was known, at once; and the news when it is back."""
    with ra.Client(f"http://127.0.0.1:{server.port}", TOKEN) as client:
        run_id = server.launch("exec sleep 600")
        run = Run(client.run(run_id), client)
        server.until(run_id, "running")
        new = NewSweep(name="swept", base_command="true", parameters={"n": [1, 2]})
        sweep = Sweep(client.create_sweep(new), client)
        assert "running" in repr(run)
        assert server.process is not None
        server.process.send_signal(signal.SIGSTOP)
        try:
            bundle = run._repr_mimebundle_()
            assert "not known since" in bundle["text/plain"]
            assert "not known since" in bundle["text/html"]
            assert "running" in bundle["text/plain"]
            assert "swept" in sweep._repr_mimebundle_()["text/html"]
            assert "running" in repr([run] * 100)
        finally:
            server.process.send_signal(signal.SIGCONT)
        client._no_glance_until = 0.0  # as ten seconds later
        assert "not known since" not in run._repr_mimebundle_()["text/plain"]
        server.kill()
        assert "not known since" in run._repr_mimebundle_()["text/plain"]
        assert "swept" in repr(sweep)
