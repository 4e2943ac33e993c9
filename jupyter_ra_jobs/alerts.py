"""Alerts: what somebody should decide, what was decided, and doing it.

Rules of the server raise them, and callers do. The choice is written to `alerts/<id>.response` in the run
dir, where the run's command can read it. Two choices act by themselves: `Stop run` of any alert, since
stopping twice is no harm; `Rerun` of a rule's alerts alone, since a caller that offers it may
mean to do it itself.
"""

import asyncio
import contextlib
import errno
import logging
import os
import secrets
import time

from jupyter_ra_jobs.errors import BadInput, Conflict, RaJobsError, StorageFull
from jupyter_ra_jobs.layout import Layout, disk_errors
from jupyter_ra_jobs.models import Alert, AlertStatus, NewAlert, RerunOptions, Severity
from jupyter_ra_jobs.rules import RERUN, STOP, Proposal
from jupyter_ra_jobs.run_verbs import Runs, checked_text
from jupyter_ra_jobs.store import Store

_NO_FOLDER = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EEXIST})


class _Claim:
    """The answer to an alert, to be taken by one caller alone."""

    def __init__(self, store: Store, alert: Alert, choice: str) -> None:
        self._store = store
        self._alert = alert
        self._choice = choice
        self.won = self.lost = False

    def __call__(self) -> bool:
        self.won = self._store.alerts.resolve(self._alert.id, self._choice)
        self.lost = not self.won
        return self.won


class Alerts:
    """The verbs of an alert."""

    def __init__(self, store: Store, runs: Runs, layout: Layout, log: logging.Logger) -> None:
        self._store = store
        self._runs = runs
        self._layout = layout
        self._log = log

    def page(
        self, *, limit: int, status: AlertStatus | None = None, run_id: str | None = None
    ) -> list[Alert]:
        """The newest first."""
        return self._store.alerts.page(limit=limit, status=status, run_id=run_id)

    def raise_(self, run_id: str, new: NewAlert) -> Alert:
        """An alert of a caller's. Raises NotFound and BadInput."""
        message = checked_text("message", new.message)
        choices = list(dict.fromkeys(checked_text("choices", choice) for choice in new.choices))
        alert = self._build(run_id, message, choices, new.severity, rule=None)
        self._store.alerts.add(alert)
        return alert

    def propose(self, run_id: str, proposal: Proposal) -> bool:
        """An alert of a rule's; False when it has said so before, to this server or an earlier one."""
        alert = self._build(
            run_id, proposal.message, list(proposal.choices), proposal.severity, rule=proposal.rule
        )
        raised = self._store.alerts.add_once(alert, proposal.key, shared=proposal.shared)
        if raised:
            self._log.warning("run %s: %s", run_id, proposal.message)
        return raised

    def _build(
        self, run_id: str, message: str, choices: list[str], severity: Severity, *, rule: str | None
    ) -> Alert:
        return Alert(
            id=secrets.token_hex(6),
            run_id=run_id,
            timestamp=time.time(),
            severity=severity,
            message=message,
            choices=choices,
            status="pending",
            response=None,
            responded_at=None,
            session_id=self._runs.get(run_id).chat_session_id,
            rule=rule,
        )

    async def respond(self, alert_id: str, choice: str) -> str:
        """Take an answer, and do what it asks for; says what was done.

        Raises NotFound, BadInput for a choice that is not offered, Conflict when another one was taken, and
        whatever keeps it from being done: the alert is pending again then.
        """
        alert = self._store.alerts.get(alert_id)
        if choice not in alert.choices:
            offered = ", ".join(repr(each) for each in alert.choices)
            raise BadInput(f"choice: {choice[:200]!r} is not offered; one of {offered} is")
        claim = _Claim(self._store, alert, choice)
        try:
            done = await self._do(alert, choice, claim) if alert.status == "pending" else None
        except BaseException:
            if claim.won:
                with contextlib.suppress(RaJobsError):
                    self._store.alerts.reopen(alert_id)
            raise
        if done is not None:
            return done
        taken = self._store.alerts.get(alert_id).response
        if taken != choice:
            raise Conflict(f"alert {alert_id} was answered already: {taken!r}")
        await self._deliver(alert, choice)  # a server may have died between the answer and its file
        return f"Answered already: {choice}"

    async def _do(self, alert: Alert, choice: str, claim: "_Claim") -> str | None:
        """Take the answer and do it, as one: no server dies between. None when somebody else was quicker."""
        if choice == STOP:
            with self._store.transaction():
                done = self._stop(alert.run_id) if claim() else None
        elif choice == RERUN and alert.rule is not None:
            done = await self._rerun(alert, claim)
        else:
            if claim():
                await self._deliver(alert, choice)
            return f"Answered: {choice}" if claim.won else None
        if done is not None:
            try:
                await self._deliver(alert, choice)
            except StorageFull as problem:  # it is done: to have it done again would be worse
                self._log.warning("%s", problem)
        return done

    def _stop(self, run_id: str) -> str:
        try:
            return self._runs.stop(run_id)[0]
        except Conflict as problem:  # it has ended already, or never began
            return f"Nothing to stop: {problem}"

    async def _rerun(self, alert: Alert, claim: "_Claim") -> str | None:
        options = RerunOptions(auto_start=True, origin_alert_id=alert.id)
        try:
            return f"Rerun as {(await self._runs.rerun(alert.run_id, options, claim)).id}"
        except Conflict:
            if claim.lost:
                return None
            raise

    async def _deliver(self, alert: Alert, choice: str) -> None:
        if not await asyncio.to_thread(self._write, alert.run_id, alert.id, choice.encode()):
            self._log.warning("run %s has no folder for answers: it put something else there", alert.run_id)

    def _write(self, run_id: str, alert_id: str, content: bytes) -> bool:
        """Put the answer into the run dir, whole and private; False when the way there is none. Blocks.

        The run can make a link of its folder: below the opened one nothing is followed.
        """
        run_dir = self._layout.run_dir(run_id)
        folder, name = self._layout.responses(run_id), f"{alert_id}.response"
        beside = f"{name}.{os.getpid()}.{os.urandom(4).hex()}"
        with disk_errors(folder):
            try:
                run_dir.mkdir(mode=0o700, exist_ok=True)
                folder.mkdir(mode=0o700, exist_ok=True)
                there = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except OSError as problem:
                if problem.errno in _NO_FOLDER:
                    return False
                raise
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                with os.fdopen(os.open(beside, flags, 0o600, dir_fd=there), "wb") as file:
                    file.write(content)
                os.rename(beside, name, src_dir_fd=there, dst_dir_fd=there)
            except IsADirectoryError:  # nor may its own answer's place be one
                os.unlink(beside, dir_fd=there)
                return False
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(beside, dir_fd=there)
                raise
            finally:
                os.close(there)
        return True
