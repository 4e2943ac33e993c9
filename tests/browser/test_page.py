"""The panel as a person uses it: a real browser, a real server, real runs."""

import re
import shutil

import pytest

from tests.browser.conftest import Panel, playwright
from tests.conftest import TOKEN, wait_for

expect = playwright.expect
LINES = "for n in range(30000): print('line', n)"
FAILS = "1/0"


def test_log_in(panel: Panel) -> None:
    """Who is not logged in is asked for the token, and comes to the page; the address keeps no secret."""
    page = panel.page
    page.goto(f"http://127.0.0.1:{panel.server.port}/ra-jobs/app")
    page.locator("input[type=password]").first.fill(TOKEN)
    page.get_by_role("button", name="Log in").first.click()
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()
    panel.open("#/sweeps")
    expect(page.get_by_role("heading", name="No sweeps yet")).to_be_visible()
    assert TOKEN not in page.url


def test_first_run(panel: Panel) -> None:
    """Made in the dialog, which says what is wrong beside the field; watched to its end; rerun, copied."""
    page = panel.open()
    page.get_by_role("button", name="New run").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Start run").click()
    expect(dialog.get_by_role("alert")).to_have_text("A run needs a command.")
    dialog.get_by_label("Command").fill("echo one; sleep 1; echo $WORD; exit 3")
    dialog.get_by_label("Name").fill("by hand")
    dialog.get_by_label("Folder").fill("/no/such/folder")
    dialog.get_by_label("Environment").fill("WORD=two")
    dialog.get_by_label("Tags").fill("first, second")
    dialog.get_by_role("button", name="Start run").click()
    expect(dialog.get_by_role("alert")).to_contain_text("/no/such/folder")
    expect(dialog.get_by_label("Folder")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Folder").fill("")
    dialog.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("heading", name="by hand")).to_be_visible()
    expect(page.get_by_role("log", name="Log")).to_contain_text("two")
    expect(page.locator(".ra-title .ra-status")).to_have_text("failed")
    expect(page.locator(".ra-facts")).to_contain_text("exit code 3")
    expect(page).to_have_title("by hand: failed")
    page.get_by_role("button", name="Rerun").click()
    expect(page.get_by_role("heading", name="by hand (Rerun)")).to_be_visible()
    made = page.get_by_role("list", name="Runs made from this one")
    expect(made).to_have_count(0)
    page.get_by_role("link", name="by hand", exact=True).click()
    expect(page.get_by_role("heading", name="by hand", exact=True)).to_be_visible()
    expect(made.get_by_role("listitem")).to_contain_text(["by hand (Rerun)"])
    first = page.url.split("/")[-1]
    again = panel.server.post(f"/runs/{first}/rerun").json
    expect(made.get_by_role("listitem")).to_have_count(2)
    panel.server.post(f"/runs/{again['id']}/archive")
    panel.server.post("/runs", name="a copy", command="true", parent_run_id=first, auto_start=True)
    expect(made.get_by_role("listitem").first).to_contain_text("a copyfinished")
    expect(made.get_by_role("listitem")).to_have_count(3)


def test_list(panel: Panel) -> None:
    """What others do appears by itself; rows are filtered, selected, archived, and brought back."""
    page = panel.open()
    names = ["apple", "apricot", "banana"]
    for name in names:
        panel.server.create("true", name=name)
    for name in names:
        expect(panel.row(name)).to_contain_text("ready")
    page.keyboard.press("/")
    page.keyboard.type("ap")
    expect(panel.row("banana")).to_have_count(0)
    page.get_by_label("Select apple").click()
    page.get_by_label("Select apricot").click()
    for name in ("apple", "apricot"):
        expect(page.get_by_label(f"Select {name}")).to_be_checked()
    page.get_by_role("toolbar", name="Selected runs").get_by_role("button", name="Archive").click()
    expect(panel.row("apple")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(panel.row("apple")).to_be_visible()
    panel.row("apple").get_by_role("button", name="Start apple").click()
    expect(panel.row("apple")).to_contain_text("finished")


def test_keyboard(panel: Panel) -> None:
    """Down, select, open, and back to the same list."""
    for name in ("upper", "lower"):
        panel.server.create("true", name=f"key {name}", tags=["keys"])
    page = panel.open("#/runs?tag=keys")
    panel.row("key lower").focus()
    page.keyboard.press("ArrowDown")
    expect(panel.row("key upper")).to_be_focused()
    page.keyboard.press("Space")
    expect(panel.row("key upper")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="key upper")).to_be_visible()
    page.go_back()
    expect(panel.row("key lower")).to_be_visible()
    assert page.url.endswith("#/runs?tag=keys")


def test_log(panel: Panel) -> None:
    """Opens at its end; older lines come above without a jump; the search looks through all of it."""
    run = panel.server.ended(panel.server.launch(f'python3 -c "{LINES}\n{FAILS}"', name="long"))
    page = panel.open(f"#/runs/{run['id']}")
    log = page.get_by_role("log", name="Log")
    expect(log).to_contain_text("ZeroDivisionError")
    expect(page.get_by_text("Jump to end")).to_have_count(0)
    # Up to where older lines are asked for: what was in view has moved down by as much as came above it.
    for _ in range(3):
        before = log.evaluate("(box) => { box.scrollTop = 300; return box.scrollHeight; }")
        page.wait_for_function(
            "([box, before]) => box.scrollHeight > before", arg=[log.element_handle(), before]
        )
        top, after = log.evaluate("(box) => [box.scrollTop, box.scrollHeight]")
        assert abs((top - 300) - (after - before)) <= 1
    page.get_by_role("button", name="Jump to end").click()
    expect(log).to_contain_text("ZeroDivisionError")
    page.get_by_role("button", name="Search the log").click()
    page.get_by_label("Search the whole log").fill("line 12345")
    page.get_by_role("button", name="line 12345").click()
    expect(page.locator(".ra-line-found")).to_have_text("line 12345")
    page.get_by_role("button", name="Jump to end").click()
    page.get_by_role("button", name="Previous error").click()
    expect(page.locator(".ra-line-found").first).to_contain_text("Traceback")


def test_removed_folder(panel: Panel) -> None:
    """A run whose folder somebody removed does not seem to have printed nothing."""
    quiet = panel.server.ended(panel.server.launch("true", name="quiet"))
    removed = panel.server.ended(panel.server.launch("echo gone", name="removed"))
    wait_for(lambda: not panel.server.world.processes(RA_RUN_ID=removed["id"]), "its sidecar writes no more")
    shutil.rmtree(removed["run_dir"])
    page = panel.open(f"#/runs/{quiet['id']}")
    expect(page.get_by_text("Nothing was printed")).to_be_visible()
    page.goto(f"{page.url.partition('#')[0]}#/runs/{removed['id']}")
    expect(page.get_by_text("no longer on disk").first).to_be_visible()
    expect(page.locator(".ra-title .ra-status")).to_have_text("finished")


def test_html(panel: Panel) -> None:
    """Of a name, a command or a log is text, and bytes that are none are shown as such."""
    name = "<img src=x onerror=alert(1)>"
    command = r"printf '<script>alert(2)</script><b>bold</b>\xff\x01\n'"
    run = panel.server.ended(panel.server.launch(command, name=name, tags=["<i>t</i>"], notes="<u>n</u>"))
    page = panel.open()
    expect(panel.row(name)).to_be_visible()
    page.goto(page.url.split("#")[0] + f"#/runs/{run['id']}")
    expect(page.get_by_role("log", name="Log")).to_contain_text(
        "<script>alert(2)</script><b>bold</b>\ufffd\u2401"
    )
    assert page.locator(".ra :is(b, i, u, img, script)").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone(panel: Panel, scheme: str) -> None:
    """360 px are enough: nothing is cut off to the side, in no view."""
    run = panel.server.launch("echo " + "x" * 400, name="a name that is rather long for so small a screen")
    panel.server.ended(run)
    page = panel.page
    page.set_viewport_size({"width": 360, "height": 640})
    page.emulate_media(color_scheme=scheme)
    for where, there in (
        ("#/runs", page.get_by_role("grid")),
        (f"#/runs/{run}", page.get_by_role("log", name="Log")),
        ("#/sweeps", page.get_by_text("No sweeps yet")),
        ("#/alerts", page.get_by_text("Nothing needs you")),
    ):
        panel.open(where)
        expect(there).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, where
        inside = page.evaluate(
            "[...document.querySelectorAll('.ra-view, .ra-top')].map((a) => a.scrollWidth - a.clientWidth)"
        )
        assert max(inside) <= 0, (where, inside)
    light = page.evaluate("getComputedStyle(document.querySelector('.ra')).backgroundColor")
    channels = [int(part) for part in re.findall(r"\d+", light)[:3]]
    assert (sum(channels) > 384) == (scheme == "light"), light


def test_first_sweep(panel: Panel) -> None:
    """Made in the dialog, as a run is, by keys."""
    page = panel.open("#/sweeps")
    page.get_by_role("button", name="New sweep").first.click()
    dialog = page.get_by_role("dialog")
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_role("alert")).to_have_text("A sweep needs a command.")
    dialog.get_by_label("Command").fill("echo {lr}")
    dialog.get_by_label("Name", exact=True).fill("by keys")
    dialog.get_by_label("Name of parameter 1").fill("lr")
    dialog.get_by_label("Values of parameter 1").fill("0.1, 0.2")
    expect(dialog.get_by_text("2 runs")).to_be_visible()
    dialog.get_by_label("Start at once").uncheck()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="by keys").first).to_be_visible()
    expect(page.get_by_role("link", name="by keys #2", exact=True)).to_be_visible()
