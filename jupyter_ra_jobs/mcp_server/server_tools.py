"""Tools about alerts and the server itself. A docstring here is what a language model reads."""

from typing import Annotated, Literal

import msgspec
from pydantic import Field

from jupyter_ra_jobs.client import AsyncClient
from jupyter_ra_jobs.mcp_server import arguments as given
from jupyter_ra_jobs.mcp_server.hints import EXECUTES, READS, Told
from jupyter_ra_jobs.mcp_server.shapes import Alerts, Said, ServerState, alert_row


async def list_alerts(
    client: AsyncClient,
    status: Annotated[Literal["pending", "resolved", "any"], Field(description="Which.")] = "pending",
    run_id: Annotated[str, Field(max_length=100, description="Only alerts of this run.")] = "",
    limit: Annotated[int, Field(ge=1, le=100, description="Alerts to list.")] = 20,
) -> Alerts:
    """What somebody should decide, newest first: a loss that is NaN, a run that stalls, a disk nearly full.

    Runs raise alerts too. Each has choices; answer_alert takes one.
    """
    found = await client.alerts(
        status=None if status == "any" else status, run_id=run_id or None, limit=limit
    )
    return Alerts(alerts=[alert_row(alert) for alert in found])


async def answer_alert(
    client: AsyncClient,
    alert_id: given.AlertId,
    choice: Annotated[
        str, Field(min_length=1, max_length=200, description="One of the alert's choices, word for word.")
    ],
) -> Said:
    """Answer an alert, once.

    "Stop run" stops the run, "Rerun" may run it again; any other is told to the run.
    """
    return Said(message=(await client.respond(alert_id, choice)).message)


async def get_server(client: AsyncClient) -> ServerState:
    """Which server this is: its workdir, how many runs have which status, and its cluster, GPUs included."""
    health, state = await client.health(), await client.cluster()
    known = msgspec.to_builtins(state.cluster).items()
    return ServerState(
        version=health.version,
        workdir=health.workdir or "",
        runs=health.counts or {},
        cluster={name: value for name, value in known if value not in (None, {})},
    )


TOOLS: list[Told] = [
    (list_alerts, READS),
    (answer_alert, EXECUTES),
    (get_server, READS),
]
