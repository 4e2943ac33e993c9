"""The page while its server is away."""

import re
from pathlib import Path

import pytest

from tests.browser.conftest import Panel, playwright
from tests.conftest import Server, World, wait_for

expect = playwright.expect
LINES = "n=0; while [ ! -e {gate} ]; do n=$((n+1)); echo line $n; sleep 0.002; done; echo the end"


@pytest.fixture
def shared_server(world: World) -> Server:
    """One that the test may kill."""
    return Server(world).start()


def numbers(text: str) -> list[int]:
    """Of the lines that a log shows."""
    return [int(n) for n in re.findall(r"^line (\d+)$", text, re.MULTILINE)]


def test_stream(panel: Panel, tmp_path: Path) -> None:
    """A log goes on over a crash of the server, without a line that is missing or shown twice."""
    server = panel.server
    gate = tmp_path / "gate"
    run_id = server.launch(LINES.format(gate=gate), name="lines")
    page = panel.open(f"#/runs/{run_id}")
    log = page.get_by_role("log", name="Log").first
    expect(log).to_contain_text(re.compile(r"line \d+"))
    # What it says of connections that fail is what this is about.
    page.remove_listener("console", panel._heard)
    server.kill()
    expect(page.get_by_text("Runs go on without it")).to_be_visible()
    kept = len(server.log(run_id))
    wait_for(lambda: len(server.log(run_id)) > kept + 1_000, "the run goes on")
    server.start(port=server.port)
    expect(page.get_by_text("Runs go on without it")).to_have_count(0)
    gate.touch()
    server.ended(run_id)
    expect(log).to_contain_text("the end")
    page.evaluate("() => { navigator.clipboard.writeText = (text) => { window.copied = text; }; }")
    page.get_by_role("button", name="Copy what is loaded").click()
    shown = page.evaluate("window.copied")
    assert shown.endswith("the end")
    found = numbers(shown)
    assert found == numbers(server.log(run_id).decode())[-len(found) :]
    assert found[-1] - found[0] == len(found) - 1 > 100
