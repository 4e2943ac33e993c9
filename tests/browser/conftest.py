"""A real Chromium, that of the system; without one, or without Playwright, these tests are skipped."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.labs import Lab, Notebook
from tests.conftest import PATIENCE, TOKEN, Server, World

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

playwright.expect.set_options(timeout=PATIENCE * 1000)
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a person would wait for in a browser, on a loaded machine."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(autouse=True)
def jp_asyncio_loop() -> None:
    """None of pytest-jupyter's: Playwright's runs in this thread."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing: the servers here are processes of their own."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One for all tests of a module, in which each has a profile of its own; it ends with its event loop."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium on PATH")
    with playwright.sync_playwright() as started:
        yield started.chromium.launch(executable_path=chromium, args=OPTIONS)


class Panel:
    """The page in a browser, with what it complained of."""

    def __init__(self, page: Any, server: Server) -> None:
        self.page = page
        self.server = server
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        page.on("dialog", lambda dialog: self.complaints.append(f"a script ran: {dialog.message}"))

    def _heard(self, message: Any) -> None:
        # What a policy forbids is told there; so is each answer of an error, which is a test's own business.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def open(self, where: str = "") -> Any:
        """Show this view, logged in; the page."""
        address = f"http://127.0.0.1:{self.server.port}{self.server.base_url}ra-jobs/app"
        self.page.goto(f"{address}?token={TOKEN}{where}")
        return self.page

    def row(self, name: str) -> Any:
        """The list's row of a run."""
        link = self.page.get_by_role("link", name=name, exact=True)
        return self.page.get_by_role("row").filter(has=link)


@pytest.fixture
def panel(browser: Any, shared_server: Server) -> Iterator[Panel]:
    """A page on a server that the module's tests share."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    panel = Panel(context.new_page(), shared_server)
    yield panel
    context.close()
    assert panel.complaints == []


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab for all tests, each with notebooks of its own."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    world = World(tmp_path_factory.mktemp("lab"))
    lab = Lab(world)
    lab.start()
    yield lab
    world.end()


@pytest.fixture
def notebook(browser: Any, lab: Lab) -> Iterator[Notebook]:
    """A page of it, and no kernel but its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    notebook = Notebook(context.new_page(), lab)
    yield notebook
    context.close()
    notebook.end_kernels()
    shutil.rmtree(lab.world.root / "config/lab/workspaces", ignore_errors=True)
    assert notebook.complaints == []
