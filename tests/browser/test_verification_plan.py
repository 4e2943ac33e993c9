"""The seven steps that the user asked to see, in a real browser, in each of the panel's hosts."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.labs import Notebook, expect
from tests.conftest import wait_for

PRINTS = "seq -f 'line %.0f' 30000; until [ -e {gate} ]; do sleep 0.05; done; echo live; sleep 100"


def on_the_page(notebook: Notebook) -> None:
    notebook.open("ra-jobs/app")


def in_jupyterlab(notebook: Notebook) -> None:
    notebook.open("lab").locator(".jp-LauncherCard", has_text="Runs").click()


def in_notebook_7(notebook: Notebook) -> None:
    notebook.lab.notebook("plan.ipynb", "import jupyter_ra_jobs as ra\nra.panel(height=700)")
    notebook.open("notebooks/plan.ipynb")
    notebook.run(0)


@pytest.mark.parametrize("begin", [on_the_page, in_jupyterlab, in_notebook_7])
def test_plan(notebook: Notebook, begin: Callable[[Notebook], None]) -> None:
    """Workdir, create, start, logs, copy, stop, archive."""
    lab, page = notebook.lab, notebook.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    name = f"the plan {begin.__name__}"
    gate = lab.world.root / begin.__name__
    begin(notebook)

    # 1. Server workdir
    assert (lab.world.workdir / ".agents").is_dir()

    # 2. Create run
    page.get_by_role("button", name="New run").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Command").fill(PRINTS.format(gate=gate))
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Start at once").uncheck()
    dialog.get_by_role("button", name="Create run").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    status = page.locator(".ra-title .ra-status")
    expect(status).to_have_text("ready")
    (run,) = [each["id"] for each in lab.get("/runs").json if each["name"] == name]
    window = f"ra-job-{run}"
    assert not there(lab, window)

    # 3. Start run
    buttons = page.locator(".ra-actions")
    buttons.get_by_role("button", name="Start").click()
    expect(status).to_have_text("running")
    assert there(lab, window)

    # 4. View logs
    log = page.get_by_role("log", name="Log")
    expect(log).to_contain_text("line 30000")
    page.locator(".ra-back").click()
    link = page.get_by_role("link", name=name, exact=True)
    link.click()
    expect(log).to_contain_text("line 30000")
    for _ in range(2):  # what was printed before it was looked at
        before = log.evaluate("(box) => { box.scrollTop = 300; return box.scrollHeight; }")
        page.wait_for_function(
            "([box, before]) => box.scrollHeight > before", arg=[log.element_handle(), before]
        )
    gate.touch()
    page.get_by_role("button", name="Jump to end").click()
    expect(log).to_contain_text("live")

    # 5. Copy tmux window
    page.get_by_role("button", name="Copy window name").click()
    page.wait_for_function("async (name) => await navigator.clipboard.readText() === name", arg=window)

    # 6. Stop run
    buttons.get_by_role("button", name="Stop").click()
    expect(status).to_have_text("stopped")
    wait_for(lambda: not there(lab, window), "the window is gone")
    expect(log).to_contain_text("live")
    assert lab.log(run).startswith(b"line 1\n")

    # 7. Archive
    buttons.get_by_role("button", name="Archive").click()
    expect(page.locator(".ra-title")).to_contain_text("archived")
    page.locator(".ra-back").click()
    expect(page.get_by_label("Search names and commands")).to_be_visible()
    expect(link).to_have_count(0)
    page.get_by_role("button", name="archived too").click()
    expect(link).to_be_visible()


def there(lab: Any, window: str) -> bool:
    """Whether tmux has it."""
    return any(each.endswith(f":{window}") for each in lab.world.windows())
