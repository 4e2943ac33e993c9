"""`jupyter ra-jobs doctor`: is all well with a workdir, and if not, how is it mended? Changes nothing."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec
from jupyter_core.application import JupyterApp
from traitlets import Bool, default
from traitlets.config import Application
from traitlets.config.loader import ConfigFileNotFound

from jupyter_ra_jobs._version import __version__
from jupyter_ra_jobs.app import RaJobsApp
from jupyter_ra_jobs.doctor import data, machine
from jupyter_ra_jobs.doctor.findings import Finding, fail, ok
from jupyter_ra_jobs.doctor.server import server
from jupyter_ra_jobs.doctor.settings import checked
from jupyter_ra_jobs.layout import Layout


class DoctorApp(JupyterApp):
    """Look at all that runs of a workdir depend on; works beside a running server, and changes nothing."""

    name = "jupyter-ra-jobs-doctor"
    version = __version__
    description = __doc__
    examples = "jupyter ra-jobs doctor --workdir /path/to/project"
    classes = [RaJobsApp]
    aliases = {"workdir": "RaJobsApp.workdir"}
    flags = {"json": ({"DoctorApp": {"as_json": True}}, "Print a JSON array instead of lines.")}

    as_json = Bool(False, help="Print a JSON array.").tag(config=True)

    @default("config_file_name")
    def _settings_of_the_server(self) -> str:
        return "jupyter_ra_jobs_config"

    def load_config_file(self, suppress_errors: bool = True) -> None:  # type: ignore[override]
        """The server's own file too, which counts for more, as it does for the server."""
        super().load_config_file(suppress_errors)
        with contextlib.suppress(ConfigFileNotFound):
            Application.load_config_file(self, "jupyter_server_config", path=self.config_file_paths)

    def start(self) -> None:
        """Print what was found; the exit code is 1 when something failed."""
        super().start()
        settings, wrong = checked(self.config, self.loaded_config_files)
        findings = []
        for finding in chain(wrong, examine(settings) if settings else ()):
            findings.append(finding)
            if not self.as_json:
                print(f"{finding.level:<4}  {finding.what}: {_plain(finding.says)}", flush=True)
                if finding.mend:
                    print(f"      to mend: {_plain(finding.mend)}", flush=True)
        if self.as_json:
            json.dump(msgspec.to_builtins(findings), sys.stdout, indent=1)
            sys.stdout.write("\n")
        sys.exit(int(any(finding.level == "fail" for finding in findings)))


def _plain(text: str) -> str:
    """Fit for a terminal: what a run has named its files may hold anything."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def examine(settings: RaJobsApp) -> Iterator[Finding]:
    """Everything, in an order in which causes come before what follows from them. Blocks."""
    layout = Layout(Path(settings.workdir or ".").expanduser().absolute())
    yield from machine.versions()
    yield machine.shell(settings.shell)
    yield from machine.tmux(settings.tmux_socket or "default")
    yield data.workdir(layout)
    if os.path.lexists(layout.data) and not layout.data.is_dir():
        yield fail(
            "data", f"{layout.data} is no folder", "move it away, and put the folder back if there was one"
        )
        return
    if not layout.data.is_dir():
        yield ok("data", f"none yet; the first start of a server makes {layout.data}")
        return
    yield from data.rights(layout)
    yield data.disk(layout.data, settings.disk_low_bytes)
    yield from data.runs_folder(layout)
    looked = yield from data.store(layout)
    if looked is not None:
        yield from data.runs(layout, looked, layout.other_server() is not None)
    yield server(layout)
