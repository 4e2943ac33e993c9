"""What can go wrong, each with the HTTP status that says so.

RaJobsError (500)
├── BadInput (400)      the caller's words are wrong; the message says what would be right
├── Forbidden (403)     who asks has no login, or may not do this
├── NotFound (404)      no such run, sweep or file
│   └── FileGone        a file that a run needs is not there any more
├── Conflict (409)      the state of the thing forbids it
├── TooLarge (413)      a body beyond what this route takes
├── Unavailable (503)   something of the machine is missing, tmux for one
│   └── Busy            too many do this at once; later there is room
├── StorageFull (507)   the disk took nothing; the store is as it was
└── in the client alone:
    ├── NoServer        there is none, or none answers
    ├── ConnectionLost  it went away before it answered
    ├── NoResult        the function that a run called has given none
    └── TimedOut        what was waited for has not come about
"""

from jupyter_ra_jobs.tracebacks import rendered


class RaJobsError(Exception):
    """Anything this package raises for a caller to read; `status` is its HTTP status."""

    status = 500
    reason = "Internal Server Error"

    def _render_traceback_(self) -> list[str]:
        """How IPython shows it: down to the caller's own line."""
        return rendered(self)


class BadInput(RaJobsError):
    """The request itself is wrong."""

    status = 400
    reason = "Bad Request"


class Forbidden(RaJobsError):
    """Who asks is not logged in, or may not do this."""

    status = 403
    reason = "Forbidden"


class NotFound(RaJobsError):
    """There is no such thing."""

    status = 404
    reason = "Not Found"


class FileGone(NotFound):
    """A file that was given to a run is gone, or damaged: the run can't be launched with it."""


class Conflict(RaJobsError):
    """The thing is in a state that forbids this."""

    status = 409
    reason = "Conflict"


class TooLarge(RaJobsError):
    """The request holds more than this route takes."""

    status = 413
    reason = "Payload Too Large"


class Unavailable(RaJobsError):
    """The machine lacks something that this needs."""

    status = 503
    reason = "Service Unavailable"


class Busy(Unavailable):
    """As many as may do this at once already do."""

    retry_after = 10
    """Seconds until asking again makes sense."""


class StorageFull(RaJobsError):
    """The disk is full, or read-only; nothing was changed."""

    status = 507
    reason = "Insufficient Storage"


class NoServer(RaJobsError):
    """No server was found, or none answers where one should be."""


class ConnectionLost(RaJobsError):
    """The server went away before it answered; whether it did what was asked is not known."""


class TimedOut(RaJobsError):
    """What was waited for has not come about in the time that was given."""


class NoResult(RaJobsError):
    """A function's run was stopped, killed or lost, or what it gave can't be brought here; it says which."""
