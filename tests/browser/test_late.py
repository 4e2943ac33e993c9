"""The page when what it waits for comes late, or never."""

from pathlib import Path
from typing import Any

from tests.browser.conftest import Panel, playwright

expect = playwright.expect


def held(page: Any, end: str) -> list[Any]:
    """The POSTs to addresses with this end, from now on: each waits for its `continue_`."""
    waiting: list[Any] = []

    def take(route: Any) -> None:
        waiting.append(route) if route.request.method == "POST" else route.continue_()

    page.route(f"**/ra-jobs{end}", take)
    return waiting


def test_run_that_ended_unseen(panel: Panel) -> None:
    """Nobody told the page that it began; its log is there all the same."""
    run_id = panel.server.create("echo quick", name="unseen")["id"]
    panel.server.post(f"/runs/{run_id}/queue")
    panel.page.route("**/ra-jobs/events*", lambda route: route.abort())
    page = panel.open(f"#/runs/{run_id}")
    expect(page.get_by_text("Nothing printed yet").first).to_be_visible()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    panel.server.post(f"/runs/{run_id}/start")
    panel.server.ended(run_id)
    expect(page.get_by_role("log", name="Log").first).to_contain_text("quick")
    expect(page.get_by_role("button", name="Stream").first).to_be_disabled()


def test_paused_log(panel: Panel, tmp_path: Path) -> None:
    """What it printed while nobody wanted to see it can be had after its end."""
    gate = tmp_path / "gate"
    command = f"echo one; until [ -e {gate} ]; do sleep 0.02; done; echo two"
    run_id = panel.server.launch(command, name="paused")
    page = panel.open(f"#/runs/{run_id}")
    log, stream = (
        page.get_by_role(role, name=name).first for role, name in (("log", "Log"), ("button", "Stream"))
    )
    expect(log).to_contain_text("one")
    stream.click()
    expect(stream).to_have_attribute("aria-pressed", "false")
    gate.touch()
    expect(page.locator(".ra-title .ra-status")).to_have_text("finished")
    assert "two" not in log.inner_text()
    stream.click()
    expect(log).to_contain_text("two")
    expect(stream).to_be_disabled()


def test_form_after_another(panel: Panel) -> None:
    """The answer to a form that was closed does nothing to the one that is typed into."""
    page = panel.open()
    waiting = held(page, "/runs")
    dialog = page.get_by_role("dialog")
    for command in ("echo first", "echo second"):
        page.get_by_role("button", name="New run").first.click()
        dialog.get_by_label("Command").fill(command)
        if command == "echo first":
            dialog.get_by_role("button", name="Start run").click()
            expect(dialog.get_by_role("button", name="Start run")).to_be_disabled()
            page.keyboard.press("Escape")
            expect(dialog).to_have_count(0)
    with page.expect_response("**/ra-jobs/runs") as answer:
        waiting[0].continue_()
    name = answer.value.json()["name"]
    expect(page.locator(".ra-row", has_text=name).first).to_be_attached()
    expect(dialog.get_by_label("Command")).to_have_value("echo second")


def test_form_while_a_rerun_comes(panel: Panel) -> None:
    """It is told of, and the page stays where it is; a tag with a comma stays one, too."""
    run = panel.server.ended(panel.server.launch("true", name="again", tags=["a,b"]))
    page = panel.open(f"#/runs/{run['id']}")
    waiting = held(page, f"/runs/{run['id']}/rerun")
    page.get_by_role("button", name="Rerun").click()
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Notes").fill("typed")
    waiting[0].continue_()
    expect(page.get_by_text("Started again: again (Rerun)")).to_be_attached()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", name="again", exact=True)).to_be_visible()
    now = panel.server.get(f"/runs/{run['id']}").json
    assert (now["notes"], now["tags"]) == ("typed", ["a,b"])
