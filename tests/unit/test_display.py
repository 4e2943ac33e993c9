"""How runs and sweeps are shown, from records alone."""

import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from jupyter_ra_jobs import models
from jupyter_ra_jobs.cells import display, plain
from jupyter_ra_jobs.cells.plain import Glance, Ranking
from jupyter_ra_jobs.states import RunStatus

HOSTILE = "<script>alert(1)</script>\"' onload=x \x1b[31mred\x1b]0;title\x07\x9b2J\u202eevil\r\nnext"
NOW = 1_700_000_000.0
GLANCE = Glance(at=NOW)
# What JupyterLab leaves of the HTML of a notebook that is not trusted.
TAGS = {"b", "div", "span", "table", "tbody", "td", "th", "thead", "tr"}
STYLES = {
    "background-color": r"rgba\(\d+, \d+, \d+, (0\.\d+)\)",
    "border": r"1px solid rgba\(\d+, \d+, \d+, 0\.\d+\)",
    "border-collapse": "collapse",
    "border-left": r"4px solid rgba\(\d+, \d+, \d+, 0\.\d+\)",
    "border-radius": r"\d+px",
    "display": "inline-block",
    "float": "left",
    "font-family": "monospace",
    "font-size": r"\d+px",
    "font-weight": "600",
    "height": r"\d+px",
    "line-height": r"\d+px|1\.5",
    "margin": r"(\d+(px)? ?){1,4}",
    "max-width": r"\d+px",
    "opacity": r"0\.\d",
    "overflow": "auto|hidden",
    "padding": r"(\d+(px)? ?){1,4}",
    "text-align": "left",
    "vertical-align": "baseline",
    "white-space": "nowrap|pre-wrap",
    "width": r"\d+(\.\d+)?%|\d+px",
    "word-wrap": "break-word",
}


def run(status: str = "running", **more: Any) -> models.Run:
    """A run that has begun a minute ago."""
    fields: dict[str, Any] = {
        field.name: None for field in msgspec.structs.fields(models.Run) if field.default is msgspec.NODEFAULT
    }
    fields |= {"id": "0123456789ab", "name": "n", "command": "true", "workdir": "/w", "run_dir": "/r"}
    fields |= {"tags": [], "is_archived": False, "created_at": NOW - 61, "started_at": NOW - 60}
    return models.Run(**{**fields, "status": RunStatus(status), **more})


def sweep(**more: Any) -> models.Sweep:
    """One of six cells."""
    progress = models.Progress(
        total=6, completed=2, failed=1, running=1, launching=0, ready=0, queued=2, canceled=0
    )
    fields: dict[str, Any] = {
        field.name: None
        for field in msgspec.structs.fields(models.Sweep)
        if field.default is msgspec.NODEFAULT
    }
    fields |= {"id": "ba9876543210", "name": "s", "base_command": "true", "workdir": "/w", "parameters": {}}
    fields |= {"run_ids": [], "created_at": NOW, "is_wild": False, "method": "grid", "status": "running"}
    return models.Sweep(**{**fields, "progress": progress, **more})


def hostile() -> list[tuple[str, str]]:
    """Text and HTML of everything, with hostile words wherever there may be some."""
    words = dict.fromkeys(("id", "name", "command", "error", "signal"), HOSTILE)
    runs = [run("failed", **words, exit_code=1)]
    row = models.SweepRow(
        run_id=HOSTILE,
        name=HOSTILE,
        parameters={HOSTILE: HOSTILE},
        status=RunStatus.FAILED,
        exit_code=1,
        duration=1.0,
        retried=False,
        metrics={HOSTILE: 1.0},
    )
    sweeps = [sweep(id=HOSTILE, name=HOSTILE, base_command=HOSTILE)]
    points = [models.MetricPoint(step=1, value=1e308), models.MetricPoint(step=2, value=-1e308)]
    metrics = models.RunMetrics(metric_series={HOSTILE: points}, metrics={HOSTILE: 1.0}, notes=[HOSTILE])
    artifacts = [
        models.Artifact(name=HOSTILE, path=HOSTILE, type="other", size=1, modified_at=NOW, certain=False)
    ]
    away = Glance(at=NOW, problem=HOSTILE)
    ranking = Ranking(rows=[row], metric=HOSTILE, mode="min")
    return [
        (plain.run_text(runs[0], HOSTILE, away), display.run_html(runs[0], HOSTILE, away)),
        (plain.run_line(runs[0], NOW), ""),
        (plain.runs_text(runs, away), display.runs_html(runs, away)),
        (plain.sweep_line(sweeps[0]), ""),
        (plain.sweep_text(sweeps[0], ranking, away), display.sweep_html(sweeps[0], ranking, away)),
        (plain.sweeps_text(sweeps, away), display.sweeps_html(sweeps, away)),
        (plain.metrics_text(metrics), display.metrics_html(metrics)),
        (plain.artifact_line(artifacts[0]), display.artifact_html(artifacts[0])),
        (plain.artifacts_text(artifacts, away), display.artifacts_html(artifacts, away)),
    ]


class Reader(HTMLParser):
    """Holds each element against what JupyterLab leaves."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Known tags with known styles."""
        assert tag in TAGS
        assert [name for name, _ in attrs] in ([], ["style"])
        for declaration in (attrs[0][1] or "").split("; ") if attrs else []:
            name, _, value = declaration.partition(": ")
            assert re.fullmatch(STYLES[name], value.strip()), declaration


def test_bar_of_a_sweep() -> None:
    """It is as full as runs have ended."""

    def widths(**counts: int) -> list[str]:
        progress = models.Progress(**{**dict.fromkeys(models.Progress.__struct_fields__, 0), **counts})
        html = display.sweep_html(sweep(progress=progress), Ranking(), Glance(at=NOW))
        return re.findall(r"width: ([\d.]+)%", html)

    assert widths(total=2, running=1, queued=1) == []
    assert widths(total=4, completed=1, failed=2, running=1) == ["25.0000", "50.0000"]


@pytest.mark.parametrize("number", range(9))
def test_nothing_is_obeyed(number: int) -> None:
    """Neither by a browser nor by a terminal."""
    text, html = hostile()[number]
    for shown in (text, html):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
        assert "title" not in shown
    assert "<script" not in html
    assert "alert(1)" in text
    reader = Reader()
    reader.feed(html)
    reader.close()


def test_it_says_of_when_it_is() -> None:
    """And since when nothing is known."""
    day = plain.day_and_time(NOW)
    for shown in (plain.run_text(run(), "", GLANCE), display.run_html(run(), "", GLANCE)):
        assert f"as of {day}" in shown
    away = Glance(at=NOW, problem="no server answers")
    assert f"as of {day}; not known since: no server answers" in plain.run_text(run(), "", away)


def test_a_failed_run_shows_its_last_lines() -> None:
    """Of one that was written over, what stood there last."""
    log = "".join(f"line {n}\n" for n in range(50)) + " 10%\r 50%\r100%\nValueError: x\n"
    text = plain.run_text(run("failed", exit_code=1, ended_at=NOW), log, GLANCE)
    assert "│ 100%\n" in text
    assert "│ ValueError: x\n" in text
    assert "line 41" not in text
    assert "failed, 1 min, exit code 1" in text


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-3, "0.0 s"),
        (9.94, "9.9 s"),
        (59.4, "59 s"),
        (59.9, "1 min"),
        (3725, "1 h 2 min"),
        (90061, "1 d 1 h"),
    ],
)
def test_spans(seconds: float, shown: str) -> None:
    """In the two largest units."""
    assert plain.span(seconds) == shown


def test_each_thing_once() -> None:
    """Of a command of many lines a text has the first, and an exit code is said once."""
    failed = run("failed", command="\nfor n in 1 2\ndo\n  false\ndone", exit_code=1, error="exit code 1")
    text, html = plain.run_text(failed, "", GLANCE), display.run_html(failed, "", GLANCE)
    assert "    $ for n in 1 2 …\n" in text
    assert (text.count("exit code 1"), html.count("exit code 1")) == (1, 1)
    assert "$ one …\n" in plain.sweep_text(sweep(base_command="one\ntwo"), Ranking(), GLANCE)


def test_best_metric() -> None:
    """A validation loss before others; none where nobody can know what is good."""
    assert plain.best_metric(["train_loss", "val_accuracy", "val_loss"]) == ("val_loss", "min")
    assert plain.best_metric(["lr", "accuracy"]) == ("accuracy", "max")
    assert plain.best_metric(["lr", "x"]) is None


def test_which_is_better() -> None:
    """By the metric's name, and only where that is clear."""
    assert {plain.better(name) for name in ("loss", "val/MSE", "mape", "test_error", "brier_score")} == {
        "min"
    }
    assert {plain.better(name) for name in ("val_accuracy", "valAcc", "acc1", "mAP50", "r2", "eval/f1")} == {
        "max"
    }
    assert {plain.better(name) for name in ("lr", "lr2", "acceptance", "neg_log_loss", "bitmaps")} == {None}


def test_large_things_stay_small() -> None:
    """A command of a megabyte, a list of thousands, a line without end."""
    large = run("failed", name="n" * 500, command="x" * 1_000_000, error="e" * 1_000_000)
    assert len(display.run_html(large, "y" * 8000, GLANCE)) < 12_000
    assert len(plain.run_text(large, "y" * 8000, GLANCE)) < 3000
    assert "… and 1950 more runs" in plain.runs_text([run()] * 2000, GLANCE)
    assert display.runs_html([run()] * 2000, GLANCE).count("<tr>") == 51


def test_which_values_of_a_metric() -> None:
    """The table of a sweep says it, above each."""
    row = models.SweepRow(
        run_id="a",
        name="n",
        parameters={"lr": 1},
        status=RunStatus.FINISHED,
        exit_code=0,
        duration=1.0,
        retried=False,
        metrics={"loss": 0.5},
    )
    for ranking, head, told in [
        (Ranking(rows=[row]), "loss (last)", ""),
        (Ranking(rows=[row], metric="loss", mode="min"), "loss (lowest)", "best by lowest loss of all steps"),
    ]:
        for shown in (
            plain.sweep_text(sweep(), ranking, GLANCE),
            display.sweep_html(sweep(), ranking, GLANCE),
        ):
            assert head in shown
            assert told in shown


def test_command_of_a_function() -> None:
    """In a table the function alone; any other command as it is."""
    assert plain.shown_command("""'/a b/python' "$RA_FILES_DIR/call.py" f '{"x": 1}'""") == """f '{"x": 1}'"""
    for other in ('python "$RA_FILES_DIR/call.py" --x', 'python "$RA_FILES_DIR/cell.py"', 'echo "a" b'):
        assert plain.shown_command(other) == other
