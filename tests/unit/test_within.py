"""`ra.log_metrics`: what a run says of itself."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy
import pytest

import jupyter_ra_jobs as ra
from jupyter_ra_jobs.errors import BadInput, Conflict
from jupyter_ra_jobs.metric_rows import Columns, json_rows


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the run that this process is in."""
    monkeypatch.setenv("RA_RUN_DIR", str(tmp_path))
    return tmp_path / "metrics.jsonl"


def test_rows(file: Path) -> None:
    """A dict, keywords, or both; numbers of any kind that say which they are."""
    ra.log_metrics({"loss": 0.5, "val/acc": 1}, step=10)
    ra.log_metrics(loss=numpy.float32(0.25), step=numpy.int64(11))
    ra.log_metrics({"val": {"loss": numpy.array(2.0)}}, epoch=3)
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        {"loss": 0.5, "val/acc": 1, "step": 10},
        {"loss": 0.25, "step": 11},
        {"val": {"loss": 2.0}, "epoch": 3},
    ]
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_no_number_any_more(file: Path) -> None:
    """Arrives as the reader of metrics takes it."""
    ra.log_metrics({"a": math.nan, "b": math.inf, "c": numpy.float64("-inf"), "d": 1.0}, step=4)
    columns = Columns()
    columns.add(json_rows(file.read_bytes()))
    assert {name: series.non_finite for name, series in columns.series.items()} == {
        "a": 4,
        "b": 4,
        "c": 4,
        "d": None,
    }


def test_many_at_once(file: Path) -> None:
    """No row is lost, cut or mixed with another; half a line of somebody else costs none."""
    file.write_text('{"half": 1')
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda step: ra.log_metrics({"x" * 500: step}, step=step), range(400)))
    rows = json_rows(file.read_bytes())
    assert sorted(row["step"] for row in rows) == list(range(400))


def test_empty_lines(file: Path) -> None:
    """As several that end another's half line at once leave them: cost no row."""
    file.write_text('{"half": 1\n\n{"a": 1}\n\n\n{"a": 2}\n')
    assert json_rows(file.read_bytes()) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("metrics", "more", "words"),
    [
        (None, {}, r"there is no metric; say log_metrics\(\{'loss': 0.3\}, step=10\)"),
        ({}, {"step": 3}, "there is no metric"),
        (0.3, {}, "must be a dict, as"),
        ({1: 0.3}, {}, "1 is no name"),
        ({"acc": "high"}, {}, "acc: 'high' is no number"),
        ({"acc": "0.3"}, {}, "acc: '0.3' is no number"),
        ({"val": {"ok": True}}, {}, "val/ok: True is no number"),
        ({"all": numpy.zeros(3)}, {}, "all: array.* is no number"),
        ({"none": None}, {}, "none: None is no number"),
        ({"loss": 0.3}, {"step": "a"}, "step: 'a' is no number"),
        ({"loss": 0.3}, {"step": math.nan}, "step: NaN is no step"),
        ({"x" * 70_000: 1}, {}, "65,536 are the most"),
    ],
)
def test_words_that_make_no_sense(file: Path, metrics: Any, more: dict[str, Any], words: str) -> None:
    """Are an error that says which; nothing is written."""
    with pytest.raises(BadInput, match=words):
        ra.log_metrics(metrics, **more)
    assert not file.exists()


def test_in_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Says what to do."""
    monkeypatch.delenv("RA_RUN_DIR", raising=False)
    with pytest.raises(Conflict, match=r"this process is in no run; start it by ra\.run or ra\.submit"):
        ra.log_metrics(loss=0.3)
