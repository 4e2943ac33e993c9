"""The terminal of a run, on the page: a real window, answered by a real keyboard."""

import json
import urllib.request

from tests.browser.conftest import Panel, playwright
from tests.conftest import TOKEN, wait_for

expect = playwright.expect
ASKS = r"""printf 'name? '; read name; echo "got $name"; stty size; read _; echo over"""


def terminals(panel: Panel) -> list[str]:
    """The terminals that Jupyter has."""
    server = panel.server
    address = f"http://127.0.0.1:{server.port}{server.base_url}api/terminals"
    request = urllib.request.Request(address, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request) as answer:
        return [each["name"] for each in json.load(answer)]


def test_attach(panel: Panel) -> None:
    """Type into a run, see it in terminal and log, detach, attach again, to the run's end."""
    run_id = panel.server.launch(ASKS, name="asks")
    page = panel.open(f"#/runs/{run_id}")
    expect(page.get_by_role("button", name="Copy window name")).to_be_visible()
    expect(page.get_by_text(f"tmux attach -t research-agent:ra-job-{run_id}")).to_be_visible()
    page.get_by_role("button", name="Attach", exact=True).click()
    rows = page.locator(".ra-terminal .xterm-rows")
    expect(rows).to_contain_text("name? ")
    # What xterm.js would answer to tmux's questions is in nobody's input.
    page.keyboard.type("Ada\n")
    expect(rows).to_contain_text("got Ada")
    log = page.get_by_role("log", name="Log").first
    expect(log).to_contain_text("name? Ada")
    expect(log).to_contain_text("got Ada")
    shown = int(page.evaluate("document.querySelectorAll('.ra-terminal .xterm-rows > div').length"))
    assert f"\n{shown} " in panel.server.log(run_id).decode()
    page.keyboard.press("Control+Shift+Enter")
    expect(page.get_by_role("button", name="Detach")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Attach", exact=True)).to_be_focused()
    wait_for(lambda: not terminals(panel), "the terminal has ended")
    assert panel.server.run(run_id)["status"] == "running"
    page.keyboard.press("Enter")
    expect(rows).to_contain_text("got Ada")
    page.keyboard.type("\n")
    assert panel.server.ended(run_id)["exit_code"] == 0
    expect(page.get_by_text("Its window is gone, as the run has ended.")).to_be_visible()
    wait_for(lambda: not terminals(panel), "the terminal has ended with the window")
    assert panel.server.log(run_id).endswith(b"over\n")


def test_closed_page(panel: Panel) -> None:
    """Who leaves the page, or the run's view, detaches."""
    run_id = panel.server.launch("read _")
    page = panel.open(f"#/runs/{run_id}")
    for leave in (lambda: page.goto(page.url.replace(run_id, "0" * 12)), lambda: page.goto("about:blank")):
        panel.open(f"#/runs/{run_id}")
        page.get_by_role("button", name="Attach", exact=True).click()
        expect(page.locator(".ra-terminal").get_by_text(f"ra-job-{run_id}")).to_be_visible()
        assert len(terminals(panel)) == 1
        leave()
        wait_for(lambda: not terminals(panel), "the terminal has ended")
    panel.server.post(f"/runs/{run_id}/stop")
    panel.server.ended(run_id)


def test_no_window(panel: Panel) -> None:
    """Before its start, when its window is gone, and after its end, the section says so."""
    made = panel.server.create("read _", name="none")
    page = panel.open(f"#/runs/{made['id']}")
    expect(page.get_by_text("It has no window before it starts.")).to_be_visible()
    page.get_by_role("button", name="Start").click()
    panel.server.until(made["id"], "running")
    panel.server.world.tmux("kill-server")
    page.get_by_role("button", name="Attach", exact=True).click()
    expect(page.get_by_text(f"the window of run {made['id']} is gone")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Its window is gone, as the run has ended.")).to_be_visible()
