"""All calls of the HTTP API, each written once, for the blocking and the awaiting client.

Methods are flows (`steps`). What a call gives is a record of `models`, as the contract has it. Errors are
those of `errors`, with the server's words.
"""

import os
from collections.abc import Iterable
from typing import Literal

from jupyter_ra_jobs import errors
from jupyter_ra_jobs.client.contents import Content
from jupyter_ra_jobs.client.decoding import has_run_ended, has_sweep_ended, part_of, record_of
from jupyter_ra_jobs.client.encoding import (
    id_in_path,
    query_of,
    run_path,
    status_words,
    sweep_path,
    whole_number,
)
from jupyter_ra_jobs.client.output_calls import OutputCalls
from jupyter_ra_jobs.client.steps import Do, Emitting, Flow, Request, Send
from jupyter_ra_jobs.models import (
    Alert,
    AlertRaised,
    ClusterState,
    Health,
    Message,
    NewAlert,
    NewRun,
    NewSweep,
    NewWildSweep,
    RerunOptions,
    Run,
    RunEdit,
    RunMessage,
    RunStarted,
    StoredFile,
    Sweep,
    SweepEdit,
    SweepRow,
    SweepStarted,
)
from jupyter_ra_jobs.states import RunStatus

Which = Literal["last", "min", "max"]

_ASKED_BYTES = 100_000  # less is sent as fast as it is asked for
_MOST_LISTED = 1_000  # by one request
_ALL = 1_000_000


class Calls(OutputCalls):
    """Every call as a flow."""

    # -- runs --------------------------------------------------------------------------------------

    def health(self) -> Flow[Health]:
        """Whether the server lives; its version, workdir and tmux, and how many runs have which status."""
        return self._ask("GET", "/", Health)

    def runs(
        self,
        *,
        status: str | Iterable[str] | None = None,
        sweep_id: str | None = None,
        id_prefix: str | None = None,
        parent_run_id: str | None = None,
        q: str | None = None,
        archived: bool = False,
        limit: int = 50,
        before: str | None = None,
    ) -> Flow[list[Run]]:
        """Runs, newest first, as many as asked for; `archived` takes the archived ones too, `q` is looked for
        in name and command, `before` is a run's id: the ones older than that. Those of a `parent_run_id` run
        it again."""
        found: list[Run] = []
        more = True
        limit = whole_number("limit", limit)
        statuses = status_words(status)
        while more:
            query = {
                "status": statuses,
                "sweep_id": sweep_id,
                "id_prefix": id_prefix,
                "parent_run_id": parent_run_id,
                "q": q,
                "archived": archived,
                "limit": min(limit - len(found), _MOST_LISTED),
                "before": before,
            }
            request = Request(method="GET", path="/runs", query=query_of(query), seconds=self.seconds)
            answer = yield from self._send(request)
            page = record_of(answer, list[Run])
            found += page
            more = bool(page) and len(found) < limit and 'rel="next"' in answer.headers.get("link", "")
            before = page[-1].id if page else None
        return found

    def run(self, run_id: str) -> Flow[Run]:
        """A run as it is now."""
        return self._ask("GET", run_path(run_id), Run)

    def put_file(self, content: "bytes | str | os.PathLike[str]") -> Flow[str]:
        """Upload a file of this machine, by its path, or bytes; gives the SHA-256 that `files` of a run name.

        Nothing large is sent that the server has already.
        """
        given = Content(content)
        sha256: str = yield Do(given.digest)
        path = f"/files/{sha256}"
        if given.size > _ASKED_BYTES:
            try:
                yield from self._ask("GET", path, StoredFile, query={"size": given.size})
            except errors.NotFound:
                pass
            else:
                return sha256
        yield from self._send(Send(path=path, size=given.size, parts=given.parts))
        return sha256

    def create_run(self, new: NewRun) -> Flow[Run]:
        """A new run, started if `auto_start` says so."""
        return self._ask("POST", "/runs", Run, body=new)

    def edit_run(self, run_id: str, edit: RunEdit) -> Flow[Run]:
        """Change what is said of a run; its command and workdir only before it is launched."""
        return self._ask("PUT", run_path(run_id), Run, body=edit)

    def queue_run(self, run_id: str) -> Flow[Run]:
        """Put a run in the queue, where it waits to be started."""
        return self._ask("POST", run_path(run_id, "/queue"), Run)

    def start_run(self, run_id: str) -> Flow[Run]:
        """Start a run; without a free slot it waits in the queue for one."""
        return part_of("run", self._ask("POST", run_path(run_id, "/start"), RunStarted))

    def stop_run(self, run_id: str) -> Flow[Run]:
        """Ask for a run's end; returns at once, the run ends within its grace times."""
        return part_of("run", self._ask("POST", run_path(run_id, "/stop"), RunMessage))

    def rerun(self, run_id: str, options: RerunOptions) -> Flow[Run]:
        """A new run of the same command, or of the one that is given."""
        return self._ask("POST", run_path(run_id, "/rerun"), Run, body=options)

    def retry_of(self, run: Run) -> Flow[Run | None]:
        """The run that was made, with its end, to try it again by itself; None where there is none."""
        if run.status is not RunStatus.FAILED or run.attempt > run.max_retries:
            return None
        again = yield from self.runs(parent_run_id=run.id, archived=True, limit=_ALL)
        # Not those that somebody reran.
        return next((each for each in again if each.parent_run_id == run.id and each.attempt > 1), None)

    def archive_run(self, run_id: str) -> Flow[Run]:
        """Hide a run from listings; nothing is deleted."""
        return part_of("run", self._ask("POST", run_path(run_id, "/archive"), RunMessage))

    def unarchive_run(self, run_id: str) -> Flow[Run]:
        """Show it again."""
        return part_of("run", self._ask("POST", run_path(run_id, "/unarchive"), RunMessage))

    def watch_run(self, run_id: str, *, timeout: float | None = None) -> Emitting[Run]:
        """The run, again whenever it has changed, until it has ended.

        Raises Conflict for one that nobody has started, TimedOut after `timeout` seconds.
        """
        return self._watch(run_path(run_id), Run, has_run_ended, f"run {run_id}", timeout)

    # -- sweeps ------------------------------------------------------------------------------------

    def sweeps(self, *, limit: int = 50, id_prefix: str | None = None) -> Flow[list[Sweep]]:
        """Sweeps, newest first, 1,000 at most."""
        return self._ask("GET", "/sweeps", list[Sweep], query={"limit": limit, "id_prefix": id_prefix})

    def sweep(self, sweep_id: str) -> Flow[Sweep]:
        """A sweep as it stands."""
        return self._ask("GET", sweep_path(sweep_id), Sweep)

    def create_sweep(self, new: NewSweep) -> Flow[Sweep]:
        """A new sweep with all of its runs, whole or not at all."""
        return self._ask("POST", "/sweeps", Sweep, body=new)

    def create_wild_sweep(self, new: NewWildSweep) -> Flow[Sweep]:
        """An empty sweep, for runs that are added one by one."""
        return self._ask("POST", "/sweeps/wild", Sweep, body=new)

    def edit_sweep(self, sweep_id: str, edit: SweepEdit) -> Flow[Sweep]:
        """Change what is said of a sweep; its structure only while it is a draft."""
        return self._ask("PUT", sweep_path(sweep_id), Sweep, body=edit)

    def add_run(self, sweep_id: str, new: NewRun) -> Flow[Run]:
        """A new run in a sweep."""
        return self._ask("POST", sweep_path(sweep_id, "/runs"), Run, body=new)

    def start_sweep(self, sweep_id: str, *, parallel: int = 1) -> Flow[SweepStarted]:
        """Run what has not run yet, so many at a time, until all are done."""
        query = {"parallel": parallel}
        return self._ask("POST", sweep_path(sweep_id, "/start"), SweepStarted, query=query)

    def stop_sweep(self, sweep_id: str) -> Flow[Sweep]:
        """Stop its active runs, and start no more."""
        return self._ask("POST", sweep_path(sweep_id, "/stop"), Sweep)

    def retry_sweep(self, sweep_id: str) -> Flow[Sweep]:
        """Run those again that failed or were stopped."""
        return self._ask("POST", sweep_path(sweep_id, "/retry"), Sweep)

    def sweep_table(
        self,
        sweep_id: str,
        *,
        metrics: Which = "last",
        status: str | None = None,
        sort: str | None = None,
        order: Literal["asc", "desc"] = "asc",
        limit: int | None = None,
    ) -> Flow[list[SweepRow]]:
        """A row a cell: its parameters, how its run stands, and its metrics."""
        query = {"metrics": metrics, "status": status, "sort": sort, "order": order, "limit": limit}
        return self._ask("GET", sweep_path(sweep_id, "/table"), list[SweepRow], query=query)

    def watch_sweep(self, sweep_id: str, *, timeout: float | None = None) -> Emitting[Sweep]:
        """The sweep, again whenever it has changed, until it has ended; as `watch_run`."""
        return self._watch(sweep_path(sweep_id), Sweep, has_sweep_ended, f"sweep {sweep_id}", timeout)

    # -- alerts, cluster ---------------------------------------------------------------------------

    def alerts(
        self, *, status: str | None = None, run_id: str | None = None, limit: int = 100
    ) -> Flow[list[Alert]]:
        """Alerts, newest first."""
        return self._ask(
            "GET", "/alerts", list[Alert], query={"status": status, "run_id": run_id, "limit": limit}
        )

    def raise_alert(self, run_id: str, new: NewAlert) -> Flow[AlertRaised]:
        """Ask somebody to decide something about a run."""
        return self._ask("POST", run_path(run_id, "/alerts"), AlertRaised, body=new)

    def respond(self, alert_id: str, choice: str) -> Flow[Message]:
        """Answer an alert by one of its choices."""
        path = f"/alerts/{id_in_path(alert_id)}/respond"
        return self._ask("POST", path, Message, body={"choice": choice})

    def cluster(self) -> Flow[ClusterState]:
        """What the runs run on."""
        return self._ask("GET", "/cluster", ClusterState)
