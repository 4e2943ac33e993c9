"""Who watches a run is told of its end; the page as an app."""

from typing import Any

from tests.browser.conftest import Panel, playwright

expect = playwright.expect
# What the browser would show is told to us too.
RECORD = """
window.told = [];
window.Notification = class extends Notification {
  constructor(title, options) { super(title, options); window.told.push(title + ', ' + options.body); }
};
"""


def origin(panel: Panel) -> str:
    """The server's."""
    return f"http://127.0.0.1:{panel.server.port}"


def test_watched(panel: Panel) -> None:
    """After a reload too; a run that is not watched says nothing."""
    page = panel.page
    page.context.grant_permissions(["notifications"], origin=origin(panel))
    page.add_init_script(RECORD)
    watched, other = (panel.server.launch("read x; exit $x", name=name) for name in ("watched", "other"))
    panel.open(f"#/runs/{watched}")
    bell = page.get_by_role("button", name="Tell me when it ends")
    bell.click()
    expect(bell).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(bell).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Runs").first.click()
    expect(panel.row("watched")).to_contain_text("running")
    for run_id in (other, watched):
        panel.server.world.tmux("send-keys", "-t", f"research-agent:ra-job-{run_id}", "3", "Enter")
        panel.server.ended(run_id)
    expect(panel.row("watched")).to_contain_text("exit 3")
    page.wait_for_function("() => window.told.length > 0")
    assert page.evaluate("window.told") == ["watched: failed, exit code 3"]


def test_app(panel: Panel) -> None:
    """Chromium reads the manifest as one of an app, and misses nothing in it."""
    page = panel.open()
    session: Any = page.context.new_cdp_session(page)
    found = session.send("Page.getAppManifest")
    assert found["errors"] == []
    assert found["url"] == f"{origin(panel)}/ra-jobs/app.webmanifest"
    told = {each["errorId"] for each in session.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert told <= {"in-incognito"}  # as each test's profile is
