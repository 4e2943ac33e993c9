"""What goes on being wrong is said once: a full disk at midnight must not fill the log until the morning."""

import logging


class Complaints:
    """What a loop's tries fail at, each told when it begins, and when it is over."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._said: dict[str, str] = {}

    def about(self, what: str, problem: Exception) -> None:
        """A try at `what` has failed; told unless the one before failed with the same words."""
        if self._said.get(what) != str(problem):
            self._log.warning("%s: %s", what, problem)
        self._said[what] = str(problem)

    def over(self, what: str) -> None:
        """It has worked."""
        if self._said.pop(what, None) is not None:
            self._log.info("%s: works again", what)

    def forget(self, prefix: str, still: set[str]) -> None:
        """Drop those that begin with `prefix` and are not in `still`: nobody tries them any more."""
        for what in [what for what in self._said if what.startswith(prefix) and what not in still]:
            del self._said[what]
