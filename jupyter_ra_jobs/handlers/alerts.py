"""`/alerts`: what somebody should decide."""

from typing import Annotated

from msgspec import Meta, Struct

from jupyter_ra_jobs.handlers.base import Handler, operation
from jupyter_ra_jobs.models import Alert, AlertAnswer, AlertRaised, AlertStatus, Message, NewAlert
from jupyter_ra_jobs.run_verbs import MAX_LISTED


class AlertsQuery(Struct, frozen=True, kw_only=True):
    """Which alerts to list."""

    status: AlertStatus | None = None
    run_id: str | None = None
    limit: Annotated[int, Meta(ge=1, description="At most 1,000; a higher one is lowered.")] = 100


class AlertsHandler(Handler):
    """The collection."""

    @operation(
        "List alerts, newest first", action="read", query=AlertsQuery, answer=list[Alert], errors=(400,)
    )
    async def get(self, query: AlertsQuery) -> list[Alert]:
        """Of all runs, pending and resolved, unless the query says otherwise."""
        return self.services.alerts.page(
            limit=min(query.limit, MAX_LISTED), status=query.status, run_id=query.run_id
        )


class RunAlertsHandler(Handler):
    """The alerts of one run."""

    @operation("Raise an alert", action="write", body=NewAlert, answer=AlertRaised, errors=(400, 404))
    async def post(self, run_id: str, new: NewAlert) -> AlertRaised:
        """With the choices to offer; the one that is taken goes to `alerts/<id>.response` in the run dir."""
        return AlertRaised(alert_id=self.services.alerts.raise_(run_id, new).id)


class AlertRespondHandler(Handler):
    """The answer."""

    @operation(
        "Answer an alert",
        action="execute",
        body=AlertAnswer,
        answer=Message,
        errors=(400, 404, 409, 503),
    )
    async def post(self, alert_id: str, answer: AlertAnswer) -> Message:
        """`Stop run` stops the run, `Rerun` of a rule's alert runs it again; any other is only handed on."""
        return Message(message=await self.services.alerts.respond(alert_id, answer.choice))
