"""A real JupyterLab, which is a Notebook 7 too, with notebooks in it."""

import json
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_ra_jobs.bundles import FOLDER
from tests.conftest import PATIENCE, TOKEN, Server, World, wait_for
from tests.notebooks.kernels import call

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = playwright.expect
TooLate = playwright.TimeoutError


class Lab(Server):
    """Its page shows our extension, and its kernels find our server."""

    def __init__(self, world: World) -> None:
        super().__init__(world, "--LabApp.extension_manager=readonly")
        world.env["PATH"] = f"{Path(sys.executable).parent}:{world.env['PATH']}"
        # It asks nobody for news, and us not whether it may.
        settings = world.root / "config/lab/user-settings/@jupyterlab/apputils-extension"
        settings.mkdir(parents=True)
        quiet = {"fetchNews": "false", "checkForUpdates": False}
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))

    def program(self) -> list[str]:
        """JupyterLab's own."""
        # As it was built last, whatever was installed before.
        built = f"--LabApp.extra_labextensions_path={FOLDER / 'labextensions'}"
        return [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={self.world.workdir}", built]

    def notebook(self, name: str, *cells: str) -> Path:
        """A new notebook with these cells."""
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = self.world.workdir / name
        nbformat.write(made, path)
        return path


class Notebook:
    """A page that shows a notebook."""

    def __init__(self, page: Any, lab: Lab) -> None:
        self.page = page
        self.lab = lab
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE * 1000)
        expect.set_options(timeout=PATIENCE * 1000)
        page.on("pageerror", self._heard)

    def _heard(self, error: Any) -> None:
        # JupyterLab and Notebook have errors of their own.
        print("a page error:", error.stack)
        if "ra-jobs" in str(error.stack):
            self.complaints.append(error.stack)

    def open(self, path: str = "") -> Any:
        """Show this address of the server, logged in; the page."""
        query = "&" if "?" in path else "?"
        self.page.goto(f"http://127.0.0.1:{self.lab.port}/{path}{query}token={TOKEN}")
        return self.page

    def kernels(self) -> list[dict[str, Any]]:
        """Those that the page is connected to; an earlier one may have had one started as it was closed."""
        return [kernel for kernel in call(self.lab, "GET", "/api/kernels") if kernel["connections"]]

    def ready(self) -> None:
        """Wait until the kernel would run a cell of this page."""

        def is_idle() -> bool:
            try:
                found = self.kernels()
            except AssertionError:  # a 500, as long as one is being started
                return False
            return [(each["connections"], each["execution_state"]) for each in found] == [(1, "idle")]

        # Their pages are large: with a second browser beside, Notebook 7's has taken more than a minute.
        wait_for(is_idle, "the kernel is idle, and the page connected to it", 3 * PATIENCE)

    def run(self, cell: int = 0) -> None:
        """Run a cell, as a person does."""
        self.ready()
        self.page.locator(".jp-Notebook .jp-CodeCell .cm-content").nth(cell).click()
        self.page.keyboard.press("Shift+Enter")

    def end_kernels(self) -> None:
        """As when the server shuts them down."""
        for kernel in call(self.lab, "GET", "/api/kernels"):
            call(self.lab, "DELETE", f"/api/kernels/{kernel['id']}")

    def save(self) -> None:
        """Save it, and wait until it is."""
        self.page.keyboard.press("Control+s")
        expect(self.page.locator(".jp-mod-dirty")).to_have_count(0)
