"""Runs, sweeps, metrics and artifacts as plain text, for terminals and logs: from records alone."""

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from jupyter_ra_jobs.models import Artifact, MetricPoint, Progress, Run, RunMetrics, Sweep, SweepRow
from jupyter_ra_jobs.states import ACTIVE, RunStatus

MOST_ROWS = 50
_LINES, _LONGEST_LINE = 10, 300
_VALUES = {"last": "last", "min": "lowest", "max": "highest"}
_CALL = re.compile(r'^[^"]*"\$RA_FILES_DIR/call\.py" (?=[^-\s])')  # as `ra.submit` begins a command
_BARS = "▁▂▃▄▅▆▇█"
# What a terminal would obey instead of showing: escape sequences, control characters, and those that turn
# the direction of what follows.
_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x1b\x9b]\[?[0-?]*[ -/]*[@-~]?|"
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


class Glance(Struct, frozen=True, kw_only=True):
    """When something was looked at, in seconds since the epoch, and why it could not be since."""

    at: float
    problem: str | None = None


class Ranking(Struct, frozen=True, kw_only=True):
    """Rows of a sweep's table, and of which metric's lowest or highest values, if they are sorted by one."""

    rows: Sequence[SweepRow] = ()
    metric: str | None = None
    mode: Literal["last", "min", "max"] = "last"


# -- words --------------------------------------------------------------------------------------------


def folded(text: str) -> str:
    """Of each line that was written over, as a progress bar, what stood there last."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def clean(text: str) -> str:
    """Folded, and without what a terminal would obey."""
    return _ESCAPES.sub("", folded(text))


def clip(text: str, most: int) -> str:
    """One clean line of so many characters at most."""
    line = " ".join(clean(text[: 8 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def last_lines(log: str) -> list[str]:
    """The last lines of a log, clean and of bounded length."""
    lines = [line for line in clean(log).splitlines() if line.strip()][-_LINES:]
    return [line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…" for line in lines]


def span(seconds: float) -> str:
    """How long, in its two largest units."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    left = round(seconds)
    if left < 60:
        return f"{left} s"
    for name, unit, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if left >= unit:
            rest = left % unit // part
            return f"{left // unit} {name}" + (f" {rest} {smaller}" if rest else "")
    raise AssertionError(left)


def amount(size: int) -> str:
    """Bytes, with three digits."""
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


def number(value: object) -> str:
    """A value of a table, short."""
    if isinstance(value, float):
        return f"{value:.5g}"
    return "" if value is None else clip(str(value), 40)


def day_and_time(at: float) -> str:
    """Local, with the zone's name, since a notebook is read elsewhere too."""
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(at)).strip()


def as_of(glance: Glance) -> str:
    """When it was so."""
    away = "; not known since: " + clip(glance.problem, 200) if glance.problem else ""
    return f"as of {day_and_time(glance.at)}{away}"


def took(run: Run, at: float) -> str:
    """How long it has run until then."""
    return "" if run.started_at is None else span((run.ended_at or at) - run.started_at)


def facts(run: Run, at: float) -> list[str]:
    """What there is to say of a run beside its status."""
    said = []
    if run.status in ACTIVE and run.progress is not None:
        said.append(f"{run.progress:.0f} %")
    if run.status is RunStatus.QUEUED and run.queue_position is not None:
        said.append(f"number {run.queue_position} in the queue")
    said.append(took(run, at))
    if run.exit_code is not None:
        said.append(f"exit code {run.exit_code}")
    if run.signal:
        said.append(clip(run.signal, 20))
    if run.attempt > 1:
        said.append(f"attempt {run.attempt}")
    if run.stop_requested_at is not None and run.status in ACTIVE:
        said.append("is being stopped")
    if run.is_archived:
        said.append("archived")
    return [each for each in said if each]


def counts(progress: Progress) -> list[tuple[str, int]]:
    """How many cells of a sweep have which of a run's statuses, those that have ended first."""
    found = [
        ("finished", progress.completed),
        ("failed", progress.failed),
        ("stopped", progress.canceled),
        ("running", progress.running),
        ("launching", progress.launching),
        ("queued", progress.queued),
        ("ready", progress.ready),
    ]
    return [(status, count) for status, count in found if count]


def first_line(command: str, most: int) -> str:
    """A command's first line; that there are more is said."""
    first, *more = clean(command[: 8 * most]).strip().splitlines() or [""]
    return clip(first, most) + (" …" if more else "")


def shown_command(command: str) -> str:
    """A command for a table: of a function's run the function, without how it is called."""
    return _CALL.sub("", command)


def columns(ranking: Ranking) -> tuple[list[str], list[str]]:
    """The parameters and metrics of a sweep's rows, a few."""
    parameters = list(dict.fromkeys(name for row in ranking.rows for name in row.parameters))[:6]
    if ranking.metric is not None:
        return parameters, [ranking.metric]
    return parameters, list(dict.fromkeys(name for row in ranking.rows for name in row.metrics))[:4]


def heads(ranking: Ranking, metrics: Sequence[str], most: int) -> list[str]:
    """What stands above the metrics: their names, and which of their values are shown."""
    return [f"{clip(name, most)} ({_VALUES[ranking.mode]})" for name in metrics]


def told_by(ranking: Ranking) -> str:
    """By what the rows are sorted."""
    if not ranking.metric or not ranking.rows:
        return ""
    return f"best by {_VALUES[ranking.mode]} {clip(ranking.metric, 60)} of all steps"


def spark(points: Sequence[MetricPoint], width: int = 24) -> str:
    """A curve, as a row of block characters."""
    finite = [point.value for point in points if math.isfinite(point.value)]
    if not finite:
        return ""
    shown = min(width, len(finite))
    picked = [finite[(len(finite) - 1) * i // max(shown - 1, 1)] for i in range(shown)]
    low, high = min(picked), max(picked)
    return "".join(
        _BARS[round((value / 2 - low / 2) / (high / 2 - low / 2) * 7) if high > low else 3]
        for value in picked  # halved, since the difference of two floats may be none
    )


def better(name: str) -> Literal["min", "max"] | None:
    """Whether a metric of this name is better the lower it is, or the higher; None where nobody can know."""
    if name.lower().startswith("neg_"):  # as scikit-learn turns a loss into a score
        return None
    if re.search(r"loss|err|mse|mae|mape|perplexity|nll|brier", name, re.IGNORECASE):
        return "min"
    high = r"acc(uracy)?(?![a-z])|f1|auc|reward|score|map(?![a-z])|bleu|iou|(?<![a-z])r2"
    return "max" if re.search(high, name, re.IGNORECASE) else None


def best_metric(names: Sequence[str]) -> tuple[str, Literal["min", "max"]] | None:
    """Of which metric the best is worth showing, its `min` or its `max`; None where that is not clear."""
    ordered = sorted(names, key=lambda name: not re.search(r"val|test|eval|dev", name, re.IGNORECASE))
    modes: tuple[Literal["min", "max"], ...] = ("min", "max")
    return next(((name, mode) for mode in modes for name in ordered if better(name) == mode), None)


# -- what is shown ------------------------------------------------------------------------------------


def run_line(run: Run, at: float) -> str:
    """A run in one line."""
    return f"Run {clip(run.id, 40)} {clip(run.name, 60)!r}: {', '.join([run.status, *facts(run, at)])}"


def run_text(run: Run, log: str, glance: Glance) -> str:
    """A run, with why it failed and the last lines that it wrote."""
    lines = [run_line(run, glance.at), f"    $ {first_line(run.command, 200)}"]
    if run.error and run.error != f"exit code {run.exit_code}":  # which stands there already
        lines.append(f"    {clip(run.error, 500)}")
    lines += [f"    │ {line}" for line in last_lines(log)]
    return "\n".join([*lines, f"    {as_of(glance)}"])


def runs_text(runs: Sequence[Run], glance: Glance) -> str:
    """Runs as a table."""
    rows = [
        (
            run.id,
            run.status,
            clip(run.name, 30),
            took(run, glance.at),
            _ended(run),
            clip(shown_command(run.command), 50),
        )
        for run in runs[:MOST_ROWS]
    ]
    return _table(("id", "status", "name", "time", "exit", "command"), rows, len(runs), "runs", glance)


def sweep_line(sweep: Sweep) -> str:
    """A sweep in one line."""
    said = ", ".join(f"{count} {status}" for status, count in counts(sweep.progress)) or "no runs"
    return f"Sweep {clip(sweep.id, 40)} {clip(sweep.name, 60)!r}: {sweep.status}, {said}"


def sweep_text(sweep: Sweep, ranking: Ranking, glance: Glance) -> str:
    """A sweep, with some of its runs, the best if there are metrics."""
    lines = [sweep_line(sweep), f"    $ {first_line(sweep.base_command, 200)}"]
    if ranking.rows:
        parameters, metrics = columns(ranking)
        rows = [
            [row.run_id, row.status, *(number(row.parameters.get(name)) for name in parameters)]
            + [number(row.metrics.get(name)) for name in metrics]
            for row in ranking.rows
        ]
        names = [clip(name, 24) for name in ("run", "status", *parameters)]
        names += heads(ranking, metrics, 24)
        lines += [f"    {line}" for line in _aligned([names, *rows])]
        lines += [f"    {told_by(ranking)}"] if told_by(ranking) else []
    return "\n".join([*lines, f"    {as_of(glance)}"])


def sweeps_text(sweeps: Sequence[Sweep], glance: Glance) -> str:
    """Sweeps as a table."""
    rows = [
        (
            each.id,
            each.status,
            clip(each.name, 30),
            f"{each.progress.completed}/{each.progress.total}",
            clip(shown_command(each.base_command), 50),
        )
        for each in sweeps[:MOST_ROWS]
    ]
    return _table(("id", "status", "name", "finished", "command"), rows, len(sweeps), "sweeps", glance)


def series(record: RunMetrics) -> Mapping[str, Sequence[MetricPoint]]:
    """The points of each metric; none of one that never was a finite number."""
    found: Mapping[str, Sequence[MetricPoint]] = record.metric_series or {}
    return {**found, **{name: [] for name in record.non_finite if name not in found}}


def metric_rows(record: RunMetrics) -> list[tuple[str, str, str, str]]:
    """Name, last value, points and curve of each metric."""
    points = series(record)
    last: Mapping[str, object] = {**(record.metrics or {}), **dict.fromkeys(record.non_finite, "NaN or inf")}
    return [
        (clip(name, 60), number(last.get(name)), str(len(points[name])), spark(points[name]))
        for name in list(points)[:MOST_ROWS]
    ]


def metrics_text(record: RunMetrics) -> str:
    """Metrics as a table, with curves."""
    rows = metric_rows(record)
    lines = _aligned([("metric", "last", "points", "curve"), *rows]) if rows else ["no metrics"]
    total = len(series(record))
    lines += [_more(total, "metrics")] if total > MOST_ROWS else []
    return "\n".join([*lines, *(clip(note, 300) for note in record.notes)])


def artifact_line(artifact: Artifact) -> str:
    """An artifact in one line."""
    doubt = "" if artifact.certain else ", perhaps another run's"
    return f"Artifact {clip(artifact.name, 200)!r}: {artifact.type}, {amount(artifact.size)}{doubt}"


def artifacts_text(artifacts: Sequence[Artifact], glance: Glance) -> str:
    """Artifacts as a table."""
    rows = [
        (clip(each.name, 60), each.type, amount(each.size), "" if each.certain else "perhaps another run's")
        for each in artifacts[:MOST_ROWS]
    ]
    return _table(("name", "type", "size", ""), rows, len(artifacts), "artifacts", glance)


# -- beneath ------------------------------------------------------------------------------------------


def _ended(run: Run) -> str:
    return "" if run.exit_code is None else str(run.exit_code)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], total: int, what: str, glance: Glance) -> str:
    lines = _aligned([head, *rows]) if rows else [f"no {what}"]
    return "\n".join([*lines, *([_more(total, what)] if total > len(rows) else []), as_of(glance)])


def _more(total: int, what: str) -> str:
    return f"… and {total - MOST_ROWS} more {what}"


def _aligned(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Rows as lines, each column as wide as its widest word."""
    words = [[clip(str(word), 100) for word in row] for row in rows]
    width: Callable[[int], int] = lambda place: max(len(row[place]) for row in words)  # noqa: E731
    widths = [width(place) for place in range(len(words[0]))]
    return [
        "  ".join(word.ljust(wide) for word, wide in zip(row, widths, strict=True)).rstrip() for row in words
    ]
