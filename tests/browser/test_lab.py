"""The panel and the cards in a real JupyterLab and Notebook 7, with real kernels."""

import json
import re
from typing import Any

import nbformat
import pytest

from tests.browser.labs import Lab, Notebook, TooLate, expect
from tests.conftest import wait_for
from tests.notebooks.kernels import call

COUNTS = "n=0; while [ ! -e {gate} ]; do n=$((n+1)); echo line $n; sleep 0.2; done"
"""Prints until there is a file of this name in its folder."""


SAYS_KEYS = "stty -icanon -echo; echo begun; exec cat -v"
"""Prints what is typed into it, each key as it comes, as a debugger reads them."""


def terminals(lab: Lab) -> list[str]:
    """The terminals that Jupyter has."""
    return [each["name"] for each in call(lab, "GET", "/api/terminals")]


def run_cell(command: str, name: str) -> str:
    """A cell whose value is a run."""
    return f"import jupyter_ra_jobs as ra\nra.run({command!r}, name={name!r})"


def chosen(page: Any, command: str) -> bool:
    """Choose the first command of these words in JupyterLab's palette, unless that closes: it does at each
    command that JupyterLab itself runs while it comes up."""
    try:  # by the menu: keys are no commands before JupyterLab has read its settings
        page.get_by_role("menuitem", name="View", exact=True).click()
        page.get_by_role("menuitem", name="Activate Command Palette").click(timeout=1000)
        page.locator(".lm-CommandPalette-input").fill(command, timeout=1000)
        page.locator(".lm-CommandPalette-item", has_text=command).first.click(timeout=1000)
    except TooLate:
        return False
    return True


def test_card_while_the_kernel_is_busy(notebook: Notebook) -> None:
    """The log goes on, and the run is stopped, while the next cell sleeps."""
    lab = notebook.lab
    gate = lab.world.workdir / "gate"
    sleeps = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.1)\nprint('slept')"
    lab.notebook("busy.ipynb", run_cell(COUNTS.format(gate="never"), "counting"), sleeps)
    page = notebook.open("lab/tree/busy.ipynb")
    notebook.run(0)
    card = page.get_by_role("article", name="Run counting")
    expect(card).to_contain_text("running")
    notebook.run(1)
    (kernel,) = notebook.kernels()
    wait_for(lambda: call(lab, "GET", f"/api/kernels/{kernel['id']}")["execution_state"] == "busy")
    log = card.locator(".ra-live-log")
    before = int(re.findall(r"line (\d+)", log.inner_text())[-1])
    expect(log).to_contain_text(f"line {before + 5}")
    card.get_by_role("button", name="Stop").click()
    expect(card).to_contain_text("stopped")
    assert call(lab, "GET", f"/api/kernels/{kernel['id']}")["execution_state"] == "busy"
    expect(page.get_by_text("slept", exact=True)).to_have_count(0)
    gate.touch()
    expect(page.get_by_text("slept", exact=True)).to_be_visible()
    card.get_by_role("button", name="Rerun").click()
    expect(card).to_contain_text("Started again as counting (Rerun)")
    card.get_by_role("status").get_by_role("button", name="Open the panel").click()
    expect(page.get_by_role("heading", name="counting (Rerun)")).to_be_visible()
    page.locator(".ra-actions").get_by_role("button", name="Stop").click()
    expect(page.locator(".ra-title .ra-status")).to_have_text("stopped")


@pytest.mark.parametrize("path", ["lab/tree", "notebooks"])
def test_card_without_its_kernel(notebook: Notebook, path: str) -> None:
    """It is live again after a reload of the page, after a restart of the kernel, and without any."""
    lab = notebook.lab
    name = path.replace("/", "-")
    lab.notebook(f"{name}.ipynb", run_cell(COUNTS.format(gate=f"{name}.end"), name))
    page = notebook.open(f"{path}/{name}.ipynb")
    notebook.run(0)
    card = page.get_by_role("article", name=f"Run {name}")
    expect(card).to_contain_text("running")
    notebook.save()
    (kernel,) = notebook.kernels()
    call(lab, "POST", f"/api/kernels/{kernel['id']}/restart", {})
    expect(card).to_contain_text("running")
    page.reload()
    log = card.locator(".ra-live-log")
    expect(log).to_contain_text("line")
    notebook.end_kernels()
    (lab.world.workdir / f"{name}.end").touch()
    expect(card).to_contain_text("finished")


def test_sweep(notebook: Notebook) -> None:
    """How far it is, and its best run."""
    train = "echo '{\"step\": 1, \"val_loss\": '{lr}'}' > $RA_ARTIFACTS_DIR/metrics.jsonl"
    code = f"import jupyter_ra_jobs as ra\nra.sweep({train!r}, {{'lr': [0.3, 0.1, 0.2]}}, name='search')"
    notebook.lab.notebook("sweep.ipynb", code)
    page = notebook.open("lab/tree/sweep.ipynb")
    notebook.run(0)
    card = page.get_by_role("article", name="Sweep search")
    expect(card).to_contain_text("3 of 3")
    expect(card).to_contain_text("best val_loss 0.1")
    expect(card).to_contain_text("lr=0.1")


def test_snapshot(notebook: Notebook) -> None:
    """What the notebook has of a run that this server does not know is shown as it was, without scripts."""
    path = notebook.lab.notebook("elsewhere.ipynb", "run")
    made = nbformat.read(path, 4)
    html = "<p>as it was</p><img src=x onerror=\"document.title = 'hacked'\">"
    data = {"text/plain": "plain", "text/html": html}
    data["application/vnd.jupyter-ra-jobs+json"] = {"view": "run", "id": "0" * 12}
    made.cells[0].outputs = [nbformat.v4.new_output("display_data", data)]
    nbformat.write(made, path)
    page = notebook.open("lab/tree/elsewhere.ipynb")
    with page.expect_response(re.compile(f"/ra-jobs/runs/{'0' * 12}")):
        pass
    expect(page.get_by_text("as it was")).to_be_visible()
    assert page.locator(".jp-OutputArea-output [onerror]").count() == 0


def test_saved_snapshot(notebook: Notebook) -> None:
    """Whoever opens the file without us has a picture and a text."""
    path = notebook.lab.notebook("saved.ipynb", run_cell("true", "kept"))
    page = notebook.open("lab/tree/saved.ipynb")
    notebook.run(0)
    expect(page.get_by_role("article", name="Run kept")).to_be_visible()
    notebook.save()
    (output,) = wait_for(lambda: json.loads(path.read_text())["cells"][0]["outputs"])
    assert "kept" in "".join(output["data"]["text/html"])
    assert "kept" in "".join(output["data"]["text/plain"])


def test_tab(notebook: Notebook) -> None:
    """From the launcher; there again after a reload, where it was; as dark as JupyterLab is."""
    run = notebook.lab.launch("echo here", name="in the tab")
    page = notebook.open("lab")
    page.locator(".jp-LauncherCard", has_text="Runs").click()
    page.get_by_role("link", name="in the tab", exact=True).click()
    expect(page.get_by_role("log", name="Log")).to_contain_text("here")
    saved = notebook.lab.world.root / "config/lab/workspaces"
    wait_for(lambda: [path for path in saved.glob("*") if run in path.read_text()], "where it is was saved")
    page.goto(page.url.split("?")[0])
    expect(page.get_by_role("heading", name="in the tab")).to_be_visible()
    assert "#" not in page.url
    panel = page.locator("#ra-jobs .ra")
    expect(panel).to_have_css("color-scheme", "light")
    wait_for(lambda: chosen(page, "Use Theme: JupyterLab Dark"), "the palette stays open")
    expect(panel).to_have_css("color-scheme", "dark")
    page.locator(".lm-TabBar-tab[data-id=ra-jobs-side]").click()
    expect(page.locator("#ra-jobs-side").get_by_role("link", name="in the tab", exact=True)).to_be_visible()


def test_terminal_in_a_tab(notebook: Notebook) -> None:
    """Type into a run, also after a reload of the page; the tab is closed, and the run goes on."""
    lab = notebook.lab
    run = lab.launch(SAYS_KEYS, name="keys")
    lab.until(run, "running")
    page = notebook.open("lab")
    page.locator(".jp-LauncherCard", has_text="Runs").click()
    page.get_by_role("link", name="keys", exact=True).click()
    page.get_by_role("button", name="Attach in a tab").click()
    expect(page.get_by_role("tab", name="keys", exact=True)).to_be_visible()
    keyboard = page.get_by_role("textbox", name="Terminal input")
    # JupyterLab draws its terminals, so what they show is in no element.
    expect(keyboard).to_be_focused()
    page.keyboard.type("Ada")
    wait_for(lambda: b"Ada" in lab.log(run), "it was typed into the run")
    (name,) = terminals(lab)
    saved = lab.world.root / "config/lab/workspaces"
    wait_for(lambda: [path for path in saved.glob("*") if name in path.read_text()], "the tab was saved")
    page.goto(page.url.split("?")[0])
    keyboard.focus()
    page.keyboard.type("Bob")
    wait_for(lambda: b"Bob" in lab.log(run), "it was typed into the run")
    # What xterm.js answers to tmux's questions, which were shown to it again, is in nobody's input.
    assert lab.log(run) == b"begun\nAdaBob"
    page.locator(".lm-TabBar-tab", has_text=name).locator(".lm-TabBar-tabCloseIcon").click()
    wait_for(lambda: not terminals(lab), "the terminal has ended")
    assert lab.run(run)["status"] == "running"
    lab.world.tmux("kill-server")
    page.get_by_role("button", name="Attach in a tab").click()
    expect(page.get_by_text(f"the window of run {run} is gone")).to_be_visible()
    lab.post(f"/runs/{run}/stop")
    lab.ended(run)
