"""docs/images anew: each view of the panel, as it stands on the example project of `make run`.

    python tools/pictures.py [NAME ...]      NAME: of a picture, as in docs/images

Runs by the Python of an environment that has the package with its `test` and `examples` extras; Chromium is
that on PATH. The server, its tmux server, settings and kernels are in a folder of their own.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demo import (
    ROOT,
    SWEEP,
    TERMINAL,
    Server,
    await_there,
    create_examples,
    make_project,
    running_server,
    say,
    server_env,
    stop_all,
)
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

IMAGES = ROOT / "docs" / "images"
WIDE: Any = {"width": 1200, "height": 760}
PHONE: Any = {"width": 360, "height": 720}
PATIENCE = 30_000
COLOURS = 256
NOTEBOOK = (
    "import jupyter_ra_jobs as ra",
    'run = ra.run("python train_digits.py --seconds 40", name="in a cell")\nrun',
    "ra.sweeps()[0]",
)
LONG_LOG = "for n in range(20000): print(f'step {n:6d}  loss {2 / (n + 1) ** 0.3:.4f}')"


class Pictures:
    """A page, and the project that it shows."""

    def __init__(self, page: Page, server: Server, project: Path) -> None:
        self.page = page
        self.project = project
        self.runs = {run["name"]: run for run in server.call("GET", "/runs")}
        self._root = server.url.removesuffix("ra-jobs/")

    def open(self, where: str) -> None:
        """An address of the server, after the view before is gone."""
        self.page.goto("about:blank")
        self.page.goto(self._root + where)

    def view(self, where: str) -> None:
        """A view of the panel's page."""
        self.open(f"ra-jobs/app#/{where}")

    def run(self, name: str) -> None:
        """The detail of a run."""
        self.view(f"runs/{self.runs[name]['id']}")
        expect(self.page.get_by_role("log", name="Log")).to_contain_text(re.compile(r"\w"))

    def only(self, section: str) -> None:
        """This section, without those above it."""
        found = self.page.locator("details.ra-section")
        for each in found.all():
            if each.get_by_role("heading").inner_text() == section:
                each.scroll_into_view_if_needed()
                each.evaluate("(element) => element.scrollIntoView({block: 'start'})")
                return
            each.locator("summary").click()


def runs(at: Pictures) -> None:
    at.view("runs")
    expect(at.page.get_by_role("link", name="a minute", exact=True)).to_be_visible()
    expect(at.page.get_by_role("link", name="ready to start")).to_be_visible()


def dark(at: Pictures) -> None:
    at.page.emulate_media(color_scheme="dark")
    run(at)


def phone(at: Pictures) -> None:
    at.page.set_viewport_size(PHONE)
    runs(at)


def new_run(at: Pictures) -> None:
    runs(at)
    at.page.get_by_role("button", name="New run").first.click()
    dialog = at.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("wider")
    dialog.get_by_label("Command").fill("python train_digits.py --hidden 256")


def run(at: Pictures) -> None:
    at.run("a minute")
    expect(at.page.get_by_role("log", name="Log")).to_contain_text("epoch")


def log(at: Pictures) -> None:
    at.run("a long log")
    at.page.get_by_role("button", name="Expand").first.click()
    at.page.get_by_role("button", name="Search the log").first.click()
    at.page.get_by_role("searchbox").fill("loss 0.1044")
    at.page.keyboard.press("Enter")
    expect(at.page.get_by_role("button", name="loss 0.1044").first).to_be_visible()


def terminal(at: Pictures) -> None:
    at.run("a minute")
    at.only("Terminal")
    at.page.get_by_role("button", name="Attach", exact=True).click()
    expect(at.page.locator(".ra-terminal .xterm-rows")).to_contain_text("epoch")


def metrics(at: Pictures) -> None:
    at.run("learning rate and width #6")
    at.page.get_by_role("button", name="Compare").click()
    offers = at.page.get_by_role("list", name="Runs to compare with")
    for number in (2, 4, 8):
        offers.get_by_role("button", name=f"learning rate and width #{number}").click()
    at.page.get_by_role("button", name="Compare").click()
    at.only("Metrics")


def sweeps(at: Pictures) -> None:
    at.view("sweeps")
    expect(at.page.get_by_role("link", name=SWEEP["name"]).first).to_be_visible()


def new_sweep(at: Pictures) -> None:
    sweeps(at)
    at.page.get_by_role("button", name="New sweep").first.click()
    dialog = at.page.get_by_role("dialog")
    dialog.get_by_label("Command").fill("python train_digits.py --quick")
    dialog.get_by_placeholder("lr").fill("lr")
    dialog.get_by_placeholder("0.1, 0.01, 0.001").fill("0.01, 0.03, 0.1")
    expect(dialog).to_contain_text("--lr=0.1")


def sweep(at: Pictures) -> None:
    sweeps(at)
    at.page.get_by_role("link", name=SWEEP["name"]).first.click()
    expect(at.page.locator(".ra-plot-line").first).to_be_attached()


def notebook(at: Pictures) -> None:
    cells: Any = [
        {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
        for cell in NOTEBOOK
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"kernelspec": kernel}, "cells": cells}
    (at.project / "training.ipynb").write_text(json.dumps(made))
    at.open("lab/tree/training.ipynb")
    expect(at.page.get_by_role("button", name="| Idle")).to_be_visible()
    at.page.get_by_role("menuitem", name="Run", exact=True).click()
    at.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    expect(at.page.get_by_role("article", name="Run in a cell")).to_contain_text("epoch")
    expect(at.page.get_by_role("article", name="Sweep")).to_be_visible()


def lab(at: Pictures) -> None:
    at.open("lab?reset")
    at.page.locator(".jp-LauncherCard", has_text="Runs").click()
    at.page.get_by_role("link", name="learning rate and width #8", exact=True).click()
    expect(at.page.get_by_role("log", name="Log")).to_contain_text("epoch")


VIEWS: tuple[Callable[[Pictures], None], ...] = (
    runs,
    run,
    dark,
    terminal,
    phone,
    log,
    metrics,
    new_run,
    sweeps,
    sweep,
    new_sweep,
    notebook,
    lab,
)


@contextmanager
def example(folder: Path) -> Iterator[tuple[Server, Path]]:
    """A JupyterLab on the example project, with the sweep at its end and a run at work."""
    project = folder / "digits"
    make_project(project)
    settings = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    env = server_env() | {
        "TMUX_TMPDIR": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    try:
        with running_server(project, 8890, env, "lab") as server:
            try:
                create_examples(server)
                command = f'python -u -c "{LONG_LOG}" && false'
                server.call("POST", "/runs", {"name": "a long log", "command": command, "auto_start": True})
                (made,) = server.call("GET", "/sweeps")
                await_there(server, f"/sweeps/{made['id']}", lambda found: found["status"] == "completed")
                yield server, project
            finally:
                stop_all(server)
    finally:
        subprocess.run(["tmux", "kill-server"], env=env, stderr=subprocess.DEVNULL, check=False)


def keep_at_work(server: Server) -> None:
    """The long run once more, when it has ended."""
    newest = next(run for run in server.call("GET", "/runs") if run["name"] == "a minute")
    if newest["status"] in TERMINAL:
        body = {"name": newest["name"], "command": newest["command"], "auto_start": True}
        made = server.call("POST", "/runs", body)
        server.call("POST", f"/runs/{newest['id']}/archive")
        await_there(server, f"/runs/{made['id']}/logs", lambda page: "epoch" in page["content"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the pictures of docs/images anew.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a picture; else all")
    names = set(parser.parse_args().names)
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="ra-jobs-pictures-") as folder,
        example(Path(folder)) as (server, project),
        sync_playwright() as started,
    ):
        chromium = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for take in VIEWS:
            name = take.__name__.replace("_", "-")
            if names and name not in names:
                continue
            keep_at_work(server)
            page = chromium.new_page(viewport=WIDE, reduced_motion="reduce")
            page.set_default_timeout(PATIENCE)
            expect.set_options(timeout=PATIENCE)
            page.goto(f"{server.url.removesuffix('ra-jobs/')}login?token={server.token}")
            take(Pictures(page, server, project))
            page.wait_for_timeout(1000)  # charts are drawn, and what moved stands still
            taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            few = taken.quantize(COLOURS, dither=Image.Dither.NONE)  # a quarter of the size
            few.save(IMAGES / f"{name}.png", optimize=True)
            say(f"docs/images/{name}.png")
            page.close()
        chromium.close()


if __name__ == "__main__":
    main()
