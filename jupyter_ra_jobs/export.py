"""`jupyter ra-jobs export`: the whole history, in the form of jobs.json."""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from jupyter_core.application import JupyterApp
from traitlets import Unicode

from jupyter_ra_jobs import jobs_json
from jupyter_ra_jobs._version import __version__
from jupyter_ra_jobs.errors import RaJobsError
from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.store import Store
from jupyter_ra_jobs.store.check import copied


class ExportApp(JupyterApp):
    """Print all runs and sweeps of a workdir as JSON; works beside a running server, and changes nothing."""

    name = "jupyter-ra-jobs-export"
    version = __version__
    description = __doc__
    examples = "jupyter ra-jobs export --workdir /path/to/project > jobs.json"
    aliases = {"workdir": "ExportApp.workdir"}

    workdir = Unicode(".", help="The folder that holds `.agents/`.").tag(config=True)

    def start(self) -> None:
        """Print, and end."""
        super().start()
        layout = Layout(Path(self.workdir).expanduser().absolute())
        if not layout.database.exists():
            sys.exit(f"there are no runs in {layout.workdir}: no {layout.database}")
        try:
            exported = _export(layout)
        except RaJobsError as problem:
            sys.exit(str(problem))
        json.dump(exported, sys.stdout, indent=1)
        sys.stdout.write("\n")


def _export(layout: Layout) -> dict[str, Any]:
    """From a copy, which can be brought to the present schema, and to what is still being made."""
    with copied(layout.database) as copy:
        try:
            with contextlib.closing(Store(copy, layout.runs)) as store:
                while store.bulk.step():
                    pass  # a sweep whose runs are being made is exported with all of them
                return jobs_json.export(store)
        except (
            RaJobsError
        ) as problem:  # of a newer version, or broken: it says so of the file that it was given
            raise RaJobsError(str(problem).replace(str(copy), str(layout.database))) from problem
