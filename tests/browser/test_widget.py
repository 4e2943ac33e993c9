"""The panel as a cell's value, and as a widget: in a layout, and where the page can't reach the server."""

import pytest

from tests.browser.labs import Notebook, expect
from tests.conftest import TOKEN

PANEL = "import jupyter_ra_jobs as ra\n"
IN_A_LAYOUT = PANEL + "import ipywidgets\nipywidgets.VBox([ra.panel(run={!r})])"
ELSEWHERE = PANEL + "client = ra.connect({!r}, {!r})\nra.panel(run={!r})"
"""A server that somebody named: nothing tells that it is the page's."""


@pytest.mark.parametrize("path", ["lab/tree", "notebooks"])
def test_panel(notebook: Notebook, path: str) -> None:
    """What is typed there is no command of the notebook; it is there after a reload, without a kernel."""
    name = f"panel in {path.split('/')[0]}"
    run = notebook.lab.ended(notebook.lab.launch("echo seen", name=name))
    notebook.lab.notebook("panel.ipynb", PANEL + "ra.panel(height=400)", "'below'")
    page = notebook.open(f"{path}/panel.ipynb")
    notebook.run(0)
    search = page.get_by_label("Search names and commands")
    search.click()
    page.keyboard.type("dd aa bb")
    expect(search).to_have_value("dd aa bb")
    search.fill("")
    expect(page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(2)
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("log", name="Log")).to_contain_text("seen")
    page.get_by_role("link", name="Runs", exact=True).first.click()
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert run["id"] not in page.url
    notebook.save()
    notebook.end_kernels()
    page.reload()
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


def test_layout(notebook: Notebook) -> None:
    """As a widget among others."""
    run = notebook.lab.ended(notebook.lab.launch("echo inside", name="in a box"))["id"]
    notebook.lab.notebook("layout.ipynb", IN_A_LAYOUT.format(run))
    page = notebook.open("lab/tree/layout.ipynb")
    notebook.run(0)
    expect(page.get_by_role("heading", name="in a box")).to_be_visible()
    expect(page.get_by_role("log", name="Log")).to_contain_text("inside")


@pytest.mark.parametrize("is_named", [False, True], ids=["blocked", "named"])
def test_by_way_of_the_kernel(notebook: Notebook, is_named: bool) -> None:
    """The page reaches nothing of ours, and the kernel does: the run, its log, the buttons."""
    counts = "n=0; while true; do n=$((n+1)); echo line $n; sleep 0.2; done"
    run = notebook.lab.launch(counts, name="far away")
    page = notebook.page
    page.route("**/ra-jobs/**", lambda route: route.abort())
    url = f"http://127.0.0.1:{notebook.lab.port}"
    code = ELSEWHERE.format(url, TOKEN, run) if is_named else IN_A_LAYOUT.format(run)
    notebook.lab.notebook("far.ipynb", code)
    notebook.open("lab/tree/far.ipynb")
    notebook.run(0)
    expect(page.get_by_role("heading", name="far away")).to_be_visible()
    log = page.get_by_role("log", name="Log")
    expect(log).to_contain_text("line")
    lines = notebook.lab.log(run).count(b"\n")
    expect(log).to_contain_text(f"line {lines + 5}")
    page.locator(".ra-actions").get_by_role("button", name="Stop").click()
    expect(page.locator(".ra-title .ra-status")).to_have_text("stopped")
    expect(page.locator(".ra-trouble")).to_have_count(0)
