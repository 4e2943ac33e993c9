"""`/cluster`: what the runs run on."""

from jupyter_ra_jobs.handlers.base import Handler, Nothing, operation
from jupyter_ra_jobs.models import ClusterEdit, ClusterState


class ClusterHandler(Handler):
    """What is known."""

    @operation("Get the cluster", action="read", answer=ClusterState)
    async def get(self) -> ClusterState:
        """As it was last said or detected, with a count of the runs."""
        return self.services.cluster.get()

    @operation("Describe the cluster", action="write", body=ClusterEdit, answer=ClusterState, errors=(400,))
    async def post(self, edit: ClusterEdit) -> ClusterState:
        """Its source is `manual` from then on; what is left out stays, unless the type changes."""
        return self.services.cluster.edit(edit)


class ClusterDetectHandler(Handler):
    """A look at the machine."""

    @operation("Detect the cluster", action="write", body=Nothing, answer=ClusterState)
    async def post(self, _: Nothing) -> ClusterState:
        """Asks the tools that are on PATH, for two seconds at most; notes stay."""
        return await self.services.cluster.detect()
