"""Metrics of several runs, and of a sweep, as they are drawn."""

from tests.browser.conftest import Panel, playwright
from tests.conftest import wait_for

expect = playwright.expect
TRAIN = r"""printf '{"step":%d,"loss":%s}\n' 1 {lr} 2 {lr} > "$RA_ARTIFACTS_DIR/metrics.jsonl" """


def test_compare(panel: Panel) -> None:
    """Runs of a sweep are drawn over each other, hidden, and taken away; the best is marked."""
    body = {"name": "grid", "base_command": TRAIN, "parameters": {"lr": [0.3, 0.1, 0.2]}, "auto_start": True}
    sweep = panel.server.post("/sweeps", parallel=3, **body).json
    for run_id in sweep["run_ids"]:
        panel.server.ended(run_id)

    def measured() -> bool:
        table = panel.server.get(f"/sweeps/{sweep['id']}/table").json
        return all(row["metrics"].get("loss") for row in table)

    wait_for(measured, "the sweep's table has all metrics")
    page = panel.open(f"#/sweeps/{sweep['id']}")
    plot = page.get_by_role("figure", name="loss over lr")
    expect(plot.locator(".ra-plot-line")).to_have_count(3)
    expect(plot.locator(".ra-plot-best")).to_have_count(1)
    expect(plot).to_contain_text("Best: grid #2, loss 0.1")
    expect(page.get_by_role("row", name="grid #2")).to_contain_text("best loss")
    page.get_by_role("link", name="grid #1").click()
    page.get_by_role("button", name="Compare").click()
    offers = page.get_by_role("list", name="Runs to compare with")
    expect(offers.get_by_role("button")).to_have_count(2)
    offers.get_by_role("button", name="grid #3").click()
    page.get_by_label("Search runs to compare with").fill("#2")
    offers.get_by_role("button", name="grid #2").click()
    chart = page.get_by_role("figure", name="loss: grid #1 0.3, grid #3 0.2, grid #2 0.1")
    expect(chart).to_be_visible()
    compared = page.get_by_role("list", name="Compared runs")
    compared.get_by_role("button", name="grid #3", exact=True).click()
    expect(page.get_by_role("figure", name="loss: grid #1 0.3, grid #2 0.1")).to_be_visible()
    compared.get_by_role("button", name="Without grid #3").click()
    compared.get_by_role("button", name="Without grid #2").click()
    expect(page.get_by_role("figure", name="loss: 2 points, the last 0.3")).to_be_visible()
