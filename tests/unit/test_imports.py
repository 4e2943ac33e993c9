"""Imports point one way, as docs/architecture.md draws them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "jupyter_ra_jobs"
ALONE = [*sorted((ROOT / "sidecar" / "jupyter_ra_jobs_sidecar").glob("*.py")), PACKAGE / "_search_worker.py"]

# Who may import whom, from the leaves up: each names only what stands above it.
ALLOWED = {
    "_version": "",
    "tracebacks": "",
    "errors": "tracebacks",
    "states": "",
    "changes": "",
    "complaints": "",
    "_search_worker": "",
    "_metrics_worker": "",
    "_call_worker": "",
    "series": "",
    "metric_rows": "series",
    "metric_library": "",
    "models": "states",
    "folders": "errors",
    "layout": "errors",
    "within": "errors layout",
    "client.steps": "",
    "client.contents": "errors",
    "client.names": "",
    "client.times": "errors",
    "client.encoding": "client.steps errors",
    "client.decoding": "client.steps errors models states",
    "client.asking": "client.decoding client.encoding client.steps errors",
    "client.output_calls": "client.asking client.decoding client.encoding client.steps errors models",
    "client.calls": "client.contents client.decoding client.encoding client.output_calls client.steps errors "
    "models states",
    "client.events": "",
    "client.address": "errors",
    "client.network": "_version client.address client.steps errors",
    "client.blocking": "client.address client.calls client.events client.network client.steps errors "
    "tracebacks",
    "client.awaiting": "client.address client.calls client.events client.network client.steps errors",
    "client": "client.address client.awaiting client.blocking",
    "client.ids": "client errors models",
    "grids": "errors",
    "cells": "",
    "cells.surroundings": "",
    "cells.plain": "models states",
    "cells.bars": "cells.plain",
    "cells.display": "cells cells.plain models states",
    "cells.live": "client",
    "cells.snapshots": "cells cells.live cells.plain client client.calls client.steps",
    "cells.results": "_call_worker cells.plain client errors models states",
    "cells.frames": "models",
    "cells.outputs": "cells cells.display cells.frames cells.plain cells.snapshots client errors models",
    "cells.runs": "cells cells.bars cells.display cells.frames cells.outputs cells.plain cells.results "
    "cells.snapshots client.calls errors models states tracebacks within",
    "cells.sweeps": "cells cells.bars cells.display cells.frames cells.plain cells.results cells.runs "
    "cells.snapshots client.calls errors models tracebacks",
    "cells.session": "cells cells.bars cells.runs cells.surroundings cells.sweeps client client.ids "
    "client.names client.times errors grids models tracebacks",
    "cells.serve": "cells cells.session cells.surroundings client client.address client.calls errors",
    "cells.functions": "_call_worker cells.plain cells.results cells.runs cells.session cells.sweeps errors",
    "cells.panel": "cells cells.runs cells.session cells.sweeps errors",
    "cells.magics": "cells cells.runs cells.session cells.snapshots cells.sweeps client client.calls "
    "client.steps client.times errors states tracebacks",
    "cli.verbs": "",
    "cli.serving": "cli.verbs",
    "cli.codes": "errors",
    "cli.output": "",
    "cli.parsing": "cli.codes client client.times errors",
    "cli.values": "errors",
    "cli.calling": "cells.plain cli.codes cli.parsing cli.verbs errors",
    "cli.reaching": "cells.bars client client.ids errors models",
    "cli.completing": "cli.calling cli.reaching cli.verbs errors models states",
    "cli.waiting": "cells.bars cli.calling cli.codes cli.output client client.ids models states",
    "cli.making": "cells.surroundings cli.calling cli.completing cli.parsing cli.reaching client errors",
    "cli.run": "cli.calling cli.codes cli.making cli.parsing cli.reaching cli.waiting client client.names "
    "errors models",
    "cli.rerun": "cli.completing cli.making cli.parsing cli.reaching cli.run models",
    "cli.sweep": "cli.calling cli.codes cli.making cli.parsing cli.reaching cli.values cli.waiting "
    "client.names errors grids models",
    "cli.list": "cli.calling cli.codes cli.completing cli.output cli.parsing cli.reaching client errors "
    "models states",
    "cli.show": "cli.codes cli.completing cli.output cli.parsing cli.reaching",
    "cli.logs": "cli.calling cli.codes cli.completing cli.output cli.parsing cli.reaching cli.waiting client "
    "errors models",
    "cli.wait": "cli.completing cli.parsing cli.reaching cli.waiting",
    "cli.change": "cli.calling cli.codes cli.completing cli.parsing cli.reaching client client.ids errors "
    "models",
    "cli.attach": "cli.completing cli.parsing cli.reaching errors models states",
    "logs": "errors models",
    "metric_files": "errors layout logs metric_library metric_rows series",
    "log_search": "errors logs models",
    "spools": "errors logs models states",
    "walks": "folders",
    "belongings": "errors logs models walks",
    "store.migrations": "",
    "store.database": "errors models states store.migrations",
    "store.queue": "errors states store.database",
    "store.sweeps": "errors models states store.database",
    "store.alerts": "errors models store.database",
    "store.ends": "states store.database store.queue",
    "store.bulk": "errors models states store.database store.ends store.queue",
    "store.runs": "errors models states store.alerts store.bulk store.database store.ends store.queue "
    "store.sweeps",
    "store.slices": "models store.runs",
    "store": "store.bulk store.database store.queue store.runs store.slices store.sweeps",
    "store.check": "errors models states store.database",
    "files": "errors layout logs models store",
    "artifacts": "belongings errors folders layout logs models store walks",
    "progress": "",
    "rules": "models states",
    "metrics": "artifacts belongings errors layout metric_files metric_library metric_rows models series "
    "states store",
    "executors": "",
    "executors.base": "models",
    "executors.tmux_calls": "errors executors.base",
    "executors.tmux": "errors executors.base executors.tmux_calls models",
    "gpus": "errors",
    "prometheus": "errors",
    "launcher": "errors executors.base files folders layout models prometheus states store",
    "terminals": "errors executors.base states store",
    "reports": "complaints errors executors.base layout models prometheus spools states store",
    "run_verbs": "errors files folders gpus launcher layout models states store",
    "sweep_verbs": "errors gpus grids models run_verbs states store",
    "sweep_table": "errors grids metrics models states store",
    "alerts": "errors layout models rules run_verbs store",
    "cluster": "errors models store",
    "feed": "models store sweep_verbs",
    "log_streams": "changes errors logs models states store",
    "observer": "complaints errors folders layout logs models progress rules states store",
    "jobs_json": "errors layout models states store sweep_verbs",
    "export": "_version errors jobs_json layout store store.check",
    "scheduler": "complaints errors gpus launcher prometheus reports states store",
    "services": "alerts artifacts changes cluster complaints errors executors.base feed files folders gpus "
    "jobs_json launcher layout log_search log_streams logs metrics observer prometheus reports rules "
    "run_verbs scheduler store sweep_table sweep_verbs terminals",
    "handlers.base": "errors models services states",
    "bundles": "errors",
    "handlers.panel": "bundles handlers.base",
    "handlers.alerts": "handlers.base models run_verbs",
    "handlers.cluster": "handlers.base models",
    "handlers.streams": "errors handlers.base",
    "handlers.downloads": "handlers.base",
    "handlers.uploads": "errors files handlers.base",
    "handlers.files": "files handlers.base handlers.uploads models",
    "handlers.artifacts": "handlers.base handlers.downloads models",
    "handlers.logs": "errors handlers.base handlers.downloads handlers.streams logs models run_verbs states",
    "handlers.events": "changes errors feed handlers.base handlers.streams",
    "handlers.runs": "errors handlers.base models run_verbs states",
    "handlers.sweeps": "handlers.base metrics models run_verbs sweep_table",
    "handlers.metrics": "handlers.base models",
    "handlers.status": "handlers.base launcher models",
    "handlers.terminals": "errors handlers.base",
    "handlers.openapi": "_version handlers.base models states",
    "handlers.server": "_version errors handlers.base handlers.openapi models",
    "handlers": "handlers.alerts handlers.artifacts handlers.base handlers.cluster handlers.events "
    "handlers.files handlers.logs handlers.metrics handlers.panel handlers.runs handlers.server "
    "handlers.status handlers.sweeps handlers.terminals",
    "app": "_version cli.codes cli.serving cli.verbs errors executors.tmux export grids handlers "
    "launcher layout rules services",
    "doctor.findings": "",
    "doctor.machine": "_version doctor.findings errors executors.tmux",
    "doctor.settings": "app doctor.findings",
    "doctor.data": "doctor.findings errors layout models states store.check store.database",
    "doctor.server": "_version doctor.findings layout",
    "doctor": "_version app doctor.data doctor.findings doctor.machine doctor.server doctor.settings layout",
    "mcp_server.plain": "",
    "mcp_server.hints": "",
    "mcp_server.arguments": "errors",
    "mcp_server.shapes": "mcp_server.plain models",
    "mcp_server.run_tools": "client client.names errors mcp_server.arguments mcp_server.hints "
    "mcp_server.shapes models states",
    "mcp_server.output_tools": "client errors mcp_server.arguments mcp_server.hints mcp_server.plain "
    "mcp_server.shapes models",
    "mcp_server.sweep_tools": "client client.names errors grids mcp_server.arguments mcp_server.hints "
    "mcp_server.plain mcp_server.shapes models",
    "mcp_server.server_tools": "client mcp_server.arguments mcp_server.hints mcp_server.shapes",
    "mcp_server.server": "_version client errors mcp_server.hints mcp_server.output_tools "
    "mcp_server.run_tools mcp_server.server_tools mcp_server.sweep_tools",
    "mcp_server": "mcp_server.server",
    "mcp_server.app": "_version mcp_server",
    "__init__": "_version app cells cells.functions cells.magics cells.outputs cells.panel cells.runs "
    "cells.serve cells.session cells.sweeps client errors within",
    "cli": "_version app cli.calling cli.completing cli.verbs",
    "__main__": "cli",
}
LATE = {"handlers.openapi", "handlers.server"}
"""These show the list of all routes when asked for it, so they import `handlers` inside a function."""


def module_path(name: str) -> Path | None:
    """The file of a module of ours, or None when there is no such one."""
    place = PACKAGE.joinpath(*name.split(".")[1:])
    found = [path for path in (place.with_suffix(".py"), place / "__init__.py") if path.exists()]
    return found[0] if found and name.startswith("jupyter_ra_jobs.") else None


def imported(path: Path) -> set[str]:
    """The modules that a file names in its imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, f"{path}: imports here are absolute"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if module_path(name) else node.module for name in names}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_one_way(path: Path) -> None:
    """A module imports what the list allows it; a new one gets its place there."""
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    found = {module for module in imported(path) if module.startswith("jupyter_ra_jobs.")}
    allowed = {*ALLOWED[name].split(), *(["handlers"] if name in LATE else [])}
    assert {module.removeprefix("jupyter_ra_jobs.") for module in found} <= allowed


def test_no_circle() -> None:
    """Each names only what stands above it."""
    above: set[str] = set()
    for name, allowed in ALLOWED.items():
        assert set(allowed.split()) <= above, name
        above.add(name)


@pytest.mark.parametrize("path", ALONE, ids=lambda path: path.stem)
def test_needs_nothing(path: Path) -> None:
    """What runs under `python -I -S`: the standard library and itself."""
    assert {name.split(".")[0] for name in imported(path)} <= {*sys.stdlib_module_names, path.parent.name}


@pytest.mark.parametrize("name", ["jupyter_ra_jobs", "jupyter_ra_jobs.errors", "jupyter_ra_jobs.models"])
def test_kernels_stay_light(name: str) -> None:
    """What a kernel imports brings no server with it."""
    code = f"import sys, {name}; print({{'jupyter_server', 'tornado', 'traitlets'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_run_stays_light() -> None:
    """What a training script imports to log its metrics is Python's own, and little of ours."""
    code = (
        "import jupyter_ra_jobs as ra; ra.log_metrics; print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path = {sys.path}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    others = {*done.stdout.split()} - {*sys.stdlib_module_names, "jupyter_ra_jobs", "jupyter_ra_jobs_sidecar"}
    assert others <= {"__main__"}
