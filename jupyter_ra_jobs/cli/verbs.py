"""The verbs: which module of this package each is in, and what it does. The server's help shows them too."""

VERBS: dict[str, tuple[str, str]] = {
    "run": ("run", "Run a command; print its run's id."),
    "sweep": ("sweep", "Run a command for each combination of parameters; print the sweep's id."),
    "list": ("list", "Show the newest runs, or sweeps."),
    "show": ("show", "Show all of one run or sweep."),
    "logs": ("logs", "Print a run's output, follow it, or search through it."),
    "wait": ("wait", "Wait until a run or sweep has ended; exit as it did."),
    "start": ("change", "Start runs or sweeps."),
    "queue": ("change", "Put runs in the queue, where they wait for a start."),
    "stop": ("change", "Stop runs or sweeps."),
    "rerun": ("rerun", "Run the same again, as a new run."),
    "retry": ("change", "Run those runs of sweeps again that failed or were stopped."),
    "archive": ("change", "Hide runs from the list; nothing is deleted."),
    "attach": ("attach", "Sit down in front of a run: its tmux window, in this terminal."),
}
APPS = {
    "doctor": "Is all well with a workdir? If not, how is it mended?",
    "export": "Print all runs and sweeps in the form of jobs.json.",
    "mcp": "A Model Context Protocol server, for agents.",
}
"""Verbs that are applications of their own, in the form of Jupyter's."""
