"""What the contract says of metrics."""

from typing import Any

from tests.contract.rows import row
from tests.contract.shapes import Kind, a_list, exactly, text
from tests.contract.ui import UI, UNKNOWN


def number(value: Any) -> bool:
    """A number."""
    return type(value) in (int, float)


METRICS: dict[str, Kind] = {
    "metricSeries": lambda value: all(
        exactly(point, {"step": number, "value": number}) for series in value.values() for point in series
    ),
    "metricKeys": a_list(text),
    "lossHistory": lambda value: all(
        exactly(point, {"step": number, "trainLoss": number}, {"valLoss": number}) for point in value
    ),
    "metrics": lambda value: all(map(number, value.values())),
}


@row("GET /runs/{id}/metrics", "POST /runs/{id}/metrics")
def test_metrics(ui: UI) -> None:
    """An empty object, or all four fields; what is posted is in the next answer."""
    run = ui.post("/runs", name="n", command="true")
    path = f"/runs/{run['id']}/metrics"
    assert ui.get(path) == {}
    rows = [{"step": 1, "train_loss": 0.5, "val_loss": 0.75, "acc": 1}, {"step": 2, "train_loss": 0.25}]
    assert exactly(ui.post(path, rows=rows), {"message": text})
    metrics = ui.get(path)
    assert exactly(metrics, METRICS)
    assert metrics["metricKeys"] == ["train_loss", "val_loss", "acc"]
    assert metrics["metricSeries"]["acc"] == [{"step": 1, "value": 1}]
    assert metrics["lossHistory"] == [
        {"step": 1, "trainLoss": 0.5, "valLoss": 0.75},
        {"step": 2, "trainLoss": 0.25},
    ]
    assert metrics["metrics"] == {"train_loss": 0.25, "val_loss": 0.75, "acc": 1}
    assert "rows" in ui.call("POST", path, {"rows": [5]}).error(400)
    ui.call("GET", f"/runs/{UNKNOWN}/metrics").error(404)
