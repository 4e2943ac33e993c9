"""The panel for those who can't see it, or have no mouse: axe-core finds nothing, and keys do everything."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Panel, playwright

expect = playwright.expect
AXE = Path(__file__).parents[2] / "widget" / "node_modules" / "axe-core" / "axe.min.js"
PRINTS = r"printf '\033[31mred\033[0m\nValueError: no\nplain\n'; read _"
TRAIN = r"""printf '{"step":%d,"loss":%s}\n' 1 {lr} 2 {lr} > "$RA_ARTIFACTS_DIR/metrics.jsonl" """


def violations(page: Any) -> list[str]:
    """What axe-core has to say of what is shown."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in widget/")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{each['id']}: {each['help']}: {[n['html'][:160] for n in each['nodes']]}" for each in found]


def press_to(page: Any, target: Any, key: str = "Tab") -> None:
    """Tab until it has the focus."""
    for _ in range(60):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press(key)
    pytest.fail(f"{target} is not reached by {key}")


def overflow(page: Any) -> int:
    """Pixels by which something is wider than the page."""
    widths = "[...document.querySelectorAll('html, .ra-view')].map((a) => a.scrollWidth - a.clientWidth)"
    return int(max(page.evaluate(widths)))


def test_keys_alone(panel: Panel) -> None:
    """A run is made, answered in its terminal, searched and gone back from, without a mouse, on 360 px."""
    page = panel.page
    page.set_viewport_size({"width": 360, "height": 640})
    panel.open("#/runs")
    press_to(page, page.get_by_role("button", name="New run").first)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    press_to(page, dialog.get_by_label("Command"))
    page.keyboard.type("echo ask; read x; echo got $x; false")
    assert overflow(page) <= 0
    press_to(page, dialog.get_by_role("button", name="Start run"))
    page.keyboard.press("Enter")
    log = page.get_by_role("log", name="Log").first
    expect(log).to_contain_text("ask")
    press_to(page, page.get_by_role("button", name="Attach", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator(".ra-terminal .xterm-rows")).to_contain_text("ask")
    assert overflow(page) <= 0
    page.keyboard.type("keys\n")
    expect(log).to_contain_text("got keys")
    expect(page.locator(".ra-title .ra-status")).to_have_text("failed")
    press_to(page, page.get_by_role("button", name="Search the log").first, "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search the whole log")).to_be_focused()
    page.keyboard.type("got")
    press_to(page, page.get_by_role("button", name="got keys"))
    page.keyboard.press("Enter")
    expect(page.locator(".ra-line-found")).to_have_text("got keys")
    press_to(page, page.locator(".ra-back"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("grid")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_views(panel: Panel, scheme: str) -> None:
    """Every view and dialog, in light and dark."""
    server = panel.server
    for run in server.get("/runs").json:
        server.post(f"/runs/{run['id']}/archive")
    body = {"name": "grid", "base_command": TRAIN, "parameters": {"lr": [0.3, 0.1]}, "auto_start": True}
    sweep = server.post("/sweeps", parallel=2, **body).json
    for run_id in sweep["run_ids"]:
        server.ended(run_id)
    active = server.launch(PRINTS, name="active", tags=["tag"], notes="notes")
    server.until(active, "running")
    server.post(
        f"/runs/{active}/alerts", message="it stalls", choices=["Stop run", "Ignore"], severity="warning"
    )
    page = panel.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found: dict[str, list[str]] = {}
    panel.open("#/runs")
    expect(panel.row("active")).to_be_visible()
    page.get_by_label("Select active").click()
    found["runs"] = violations(page)
    page.get_by_role("button", name="New run").click()
    found["new run"] = violations(page)
    page.keyboard.press("Escape")
    panel.open(f"#/runs/{active}")
    expect(page.get_by_role("log", name="Log").first).to_contain_text("ValueError")
    page.get_by_role("button", name="Attach", exact=True).click()
    expect(page.locator(".ra-terminal .xterm-rows")).to_contain_text("plain")
    found["a run"] = violations(page)
    panel.open(f"#/runs/{sweep['run_ids'][0]}")
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="grid #2").click()
    expect(page.get_by_role("list", name="Compared runs")).to_be_visible()
    found["metrics"] = violations(page)
    panel.open("#/sweeps")
    expect(page.get_by_role("link", name="grid", exact=True).first).to_be_visible()
    found["sweeps"] = violations(page)
    page.get_by_role("button", name="New sweep").click()
    found["new sweep"] = violations(page)
    page.keyboard.press("Escape")
    panel.open(f"#/sweeps/{sweep['id']}")
    expect(page.locator(".ra-plot-line").first).to_be_attached()
    found["a sweep"] = violations(page)
    page.set_viewport_size({"width": 360, "height": 640})
    assert overflow(page) <= 0
    page.set_viewport_size({"width": 1280, "height": 800})
    panel.open("#/alerts")
    expect(page.get_by_text("it stalls").first).to_be_visible()
    found["alerts"] = violations(page)
    server.post(f"/runs/{active}/stop")
    server.ended(active)
    told = [f"{view}: {each}" for view, those in found.items() for each in those]
    assert not told, "\n".join(told)
