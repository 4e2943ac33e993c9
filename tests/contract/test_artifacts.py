"""The contract's "artifacts", a test a row: the list, and the files."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.rows import row
from tests.contract.shapes import Kind, a_list, count, exactly, flag, one_of, text, time
from tests.contract.ui import UI, UNKNOWN

ARTIFACT: dict[str, Kind] = {
    "name": text,
    "path": text,
    "type": one_of("checkpoint", "metrics", "wandb", "other"),
    "size": count,
    "modified_at": time,
    "certain": flag,
}
REPORT = "sub folder/žluť.txt"


@pytest.fixture(scope="module")
def run_id(ui: UI) -> str:
    """A run that leaves a checkpoint in its workdir, and keeps a report."""
    command = f'echo x > a.pt; cd "$RA_ARTIFACTS_DIR"; mkdir "sub folder"; printf 0123456789 > "{REPORT}"'
    return str(ui.finished(command)["id"])


@row("GET /runs/{id}/artifacts")
def test_list(ui: UI, run_id: str) -> None:
    """An array, in the contract's fields; empty for a run that was not started."""
    found: list[dict[str, Any]] = ui.get(f"/runs/{run_id}/artifacts")
    assert a_list(lambda each: exactly(each, ARTIFACT))(found)
    assert {(each["name"], each["type"], each["size"]) for each in found} == {
        (REPORT, "other", 10),
        ("a.pt", "checkpoint", 2),
    }
    assert ui.get(f"/runs/{ui.create()['id']}/artifacts") == []
    ui.call("GET", f"/runs/{UNKNOWN}/artifacts").error(404)


@row("GET /runs/{id}/artifacts/{name}")
def test_file(ui: UI, run_id: str) -> None:
    """The file, or a range of it; slashes in its name may be escaped or not."""
    for name in (quote(REPORT), quote(REPORT, safe="")):
        whole = ui.call("GET", f"/runs/{run_id}/artifacts/{name}")
        assert (whole.status, whole.body) == (200, b"0123456789")
        assert whole.headers["content-disposition"].startswith("attachment;")
    part = ui.call("GET", f"/runs/{run_id}/artifacts/{quote(REPORT)}", Range="bytes=2-4")
    assert (part.status, part.body) == (206, b"234")
    assert part.headers["content-range"] == "bytes 2-4/10"
    ui.call("GET", f"/runs/{run_id}/artifacts/{quote(REPORT)}", Range="bytes=10-").error(416)
    ui.call("GET", f"/runs/{run_id}/artifacts/nothing.txt").error(404)
