"""The subcommand of `jupyter ra-jobs`, as Jupyter's applications have them."""

import sys
from typing import Any

from jupyter_core.application import JupyterApp

from jupyter_ra_jobs._version import __version__
from jupyter_ra_jobs.mcp_server import main


class McpApp(JupyterApp):
    """A Model Context Protocol server over stdio, for agents; its options are its own."""

    name = "jupyter-ra-jobs-mcp"
    version = __version__
    description = __doc__

    def initialize(self, argv: Any = None) -> None:
        """Keep what was asked for."""
        self._asked = list(argv or ())

    def start(self) -> None:
        """Serve, and end."""
        sys.exit(main(self._asked))
