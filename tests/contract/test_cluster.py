"""The contract's "cluster", a test a row."""

from typing import Any

from tests.contract.rows import row
from tests.contract.shapes import Kind, count, exactly, nullable, one_of, record, text, time
from tests.contract.ui import UI

CLUSTER: dict[str, Kind] = {
    "type": one_of("unknown", "slurm", "local_gpu", "kubernetes", "ray", "shared_head_node"),
    "status": one_of("unknown", "healthy", "degraded", "offline"),
    "source": one_of("unset", "manual", "detected"),
    "label": nullable(text),
    "description": nullable(text),
    "head_node": nullable(text),
    "node_count": nullable(count),
    "gpu_count": nullable(count),
    "notes": nullable(text),
    "confidence": nullable(lambda value: 0 <= value <= 1),
    "details": nullable(record),
    "last_detected_at": nullable(time),
    "updated_at": nullable(time),
}
SUMMARY: dict[str, Kind] = dict.fromkeys(
    ["total", "running", "launching", "queued", "ready", "failed", "finished"], count
)


def checked(answer: Any) -> dict[str, Any]:
    """The cluster of an answer, which has the contract's shape."""
    assert exactly(
        answer,
        {
            "cluster": lambda value: exactly(value, CLUSTER),
            "run_summary": lambda value: exactly(value, SUMMARY),
        },
    )
    cluster: dict[str, Any] = answer["cluster"]
    return cluster


@row("GET /cluster")
def test_get(ui: UI) -> None:
    """What is known of it, and how many runs stand where."""
    before = ui.get("/cluster")
    checked(before)
    ui.create()
    counted = before["run_summary"]
    more = {"total": counted["total"] + 1, "ready": counted["ready"] + 1}
    assert ui.get("/cluster")["run_summary"] == {**counted, **more}


@row("POST /cluster")
def test_set(ui: UI) -> None:
    """What somebody says holds: its source is `manual`."""
    said = {
        "type": "slurm",
        "status": "healthy",
        "label": "the lab's",
        "description": "two racks",
        "head_node": "head",
        "node_count": 4,
        "gpu_count": 32,
        "notes": "off at night",
        "details": {"partition": "gpu"},
    }
    cluster = checked(ui.post("/cluster", **said))
    assert {**said, "source": "manual"}.items() <= cluster.items()
    assert time(cluster["updated_at"])
    assert checked(ui.get("/cluster")) == cluster
    assert "type" in ui.call("POST", "/cluster", {"type": "mainframe"}).error(400)
    assert "node_count" in ui.call("POST", "/cluster", {"node_count": "many"}).error(400)


@row("POST /cluster/detect")
def test_detect(ui: UI) -> None:
    """What the machine itself says, whatever that is here."""
    cluster = checked(ui.post("/cluster/detect"))
    assert time(cluster["last_detected_at"])
    assert checked(ui.get("/cluster")) == cluster
