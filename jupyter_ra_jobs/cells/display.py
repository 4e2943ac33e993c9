"""Runs, sweeps, metrics and artifacts as HTML for a notebook: from records alone, static and escaped.

A notebook is shown again without a server, elsewhere, and by who does not trust it; then JupyterLab takes
scripts, style sheets and most CSS away. So styles stand in their elements, of the kind that it leaves, and
without any of them the words still tell all. Text has the page's own colour, in light and dark.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from jupyter_ra_jobs.cells import plain
from jupyter_ra_jobs.cells.plain import Glance, Ranking
from jupyter_ra_jobs.models import Artifact, Run, RunMetrics, Sweep
from jupyter_ra_jobs.states import ACTIVE, TERMINAL

_COLOURS = {
    "finished": "46, 160, 67",
    "completed": "46, 160, 67",
    "failed": "218, 54, 51",
    "stopped": "199, 138, 20",
    "canceled": "199, 138, 20",
    "running": "47, 129, 247",
    "launching": "110, 168, 254",
    "queued": "139, 116, 214",
}
_GREY = "128, 128, 128"
_MONO = "font-family: monospace; font-size: 12px"
_MUTED = "opacity: 0.7"


# -- what is shown ------------------------------------------------------------------------------------


def run_html(run: Run, log: str, glance: Glance) -> str:
    """A run as a card: status, name, command, how it went, and of a failed one the last lines."""
    parts = [
        _title(run.status, run.name, run.id, plain.facts(run, glance.at)),
        _code(run.command),
    ]
    if run.status in ACTIVE and run.progress is not None:
        parts.append(_bar([(run.status, run.progress)], 100))
    if run.error and run.error != f"exit code {run.exit_code}":  # which stands there already
        parts.append(_div(_text(run.error, 500), "margin: 6px 0 0 0"))
    if lines := plain.last_lines(log):
        parts.append(_pre("\n".join(lines)))
    return _card(run.status, parts, glance)


def runs_html(runs: Sequence[Run], glance: Glance) -> str:
    """Runs as a table."""
    rows = [
        [
            _chip(run.status),
            f"<b>{_text(run.name, 60)}</b>",
            _mono(run.id),
            escape(", ".join(plain.facts(run, glance.at))),
            _mono(plain.shown_command(run.command), 100),
        ]
        for run in runs[: plain.MOST_ROWS]
    ]
    return _listing(("status", "name", "id", "", "command"), rows, len(runs), "runs", glance)


def sweep_html(sweep: Sweep, ranking: Ranking, glance: Glance) -> str:
    """A sweep as a card: a bar of what has ended, and some of its runs, the best if there are metrics."""
    counts = plain.counts(sweep.progress)
    done = f"{sweep.progress.completed} of {sweep.progress.total} finished"
    parts = [_title(sweep.status, sweep.name, sweep.id, [done]), _code(sweep.base_command)]
    if counts:
        ended = [(status, count) for status, count in counts if status in TERMINAL]
        parts.append(_bar(ended, sweep.progress.total))
        legend = " &nbsp; ".join(f"{_dot(status)} {count} {status}" for status, count in counts)
        parts.append(_div(legend, f"margin: 4px 0 0 0; font-size: 12px; {_MUTED}"))
    if ranking.rows:
        parameters, metrics = plain.columns(ranking)
        rows = [
            [
                _mono(row.run_id),
                *(escape(plain.number(row.parameters.get(name))) for name in parameters),
                _chip(row.status),
                "" if row.duration is None else plain.span(row.duration),
                *(escape(plain.number(row.metrics.get(name))) for name in metrics),
            ]
            for row in ranking.rows
        ]
        head = ["run", *parameters, "status", "time", *plain.heads(ranking, metrics, 48)]
        parts.append(_div(_rows(head, rows), "margin: 8px 0 0 0; overflow: auto"))
        if told := plain.told_by(ranking):
            parts.append(_div(escape(told), f"font-size: 12px; {_MUTED}"))
    return _card(sweep.status, parts, glance)


def sweeps_html(sweeps: Sequence[Sweep], glance: Glance) -> str:
    """Sweeps as a table."""
    rows = [
        [
            _chip(each.status),
            f"<b>{_text(each.name, 60)}</b>",
            _mono(each.id),
            escape(", ".join(f"{count} {status}" for status, count in plain.counts(each.progress))),
            _mono(plain.shown_command(each.base_command), 100),
        ]
        for each in sweeps[: plain.MOST_ROWS]
    ]
    return _listing(("status", "name", "id", "runs", "command"), rows, len(sweeps), "sweeps", glance)


def metrics_html(record: RunMetrics) -> str:
    """Metrics as a table, with curves."""
    cells = [
        [_mono(name), escape(last), escape(points), _mono(curve)]
        for name, last, points, curve in plain.metric_rows(record)
    ]
    shown = _rows(("metric", "last", "points", "curve"), cells) if cells else _div("no metrics", _MUTED)
    more = len(plain.series(record)) - len(cells)
    notes = [*([f"… and {more} more metrics"] if more > 0 else []), *record.notes]
    said = [_div(_text(note, 300), f"font-size: 12px; {_MUTED}") for note in notes]
    return _div("".join([shown, *said]))


def artifact_html(artifact: Artifact) -> str:
    """An artifact in one line."""
    return _div(f"{_mono(artifact.name)} &nbsp; {', '.join(_said(artifact))}")


def artifacts_html(artifacts: Sequence[Artifact], glance: Glance) -> str:
    """Artifacts as a table."""
    rows = [[_mono(each.name), ", ".join(_said(each))] for each in artifacts[: plain.MOST_ROWS]]
    return _listing(("name", ""), rows, len(artifacts), "artifacts", glance)


# -- beneath: whoever makes an element of a caller's words escapes them ---------------------------------


def _said(artifact: Artifact) -> list[str]:
    doubt = [] if artifact.certain else ["perhaps another run's"]
    return [escape(artifact.type), plain.amount(artifact.size), *doubt]


def _text(words: str, most: int) -> str:
    return escape(plain.clip(words, most))


def _div(html: str, style: str = "") -> str:
    return f'<div style="{style}">{html}</div>' if style else f"<div>{html}</div>"


def _mono(words: str, most: int = 300, style: str = _MONO) -> str:
    return f'<span style="{style}">{_text(words, most)}</span>'


def _tint(status: str, alpha: str) -> str:
    return f"rgba({_COLOURS.get(status, _GREY)}, {alpha})"


def _dot(status: str) -> str:
    style = f"display: inline-block; width: 8px; height: 8px; border-radius: 4px; {_fill(status)}"
    return f'<span style="{style}"></span>'


def _fill(status: str) -> str:
    return f"background-color: {_tint(status, '0.9')}"


def _chip(status: str) -> str:
    style = (
        f"display: inline-block; padding: 0 8px; border-radius: 9px; font-size: 12px; line-height: 18px; "
        f"white-space: nowrap; background-color: {_tint(status, '0.16')}; "
        f"border: 1px solid {_tint(status, '0.45')}"
    )
    return f'<span style="{style}">{_dot(status)} {escape(status)}</span>'


def _title(status: str, name: str, name_of: str, facts: Sequence[str]) -> str:
    said = f'<span style="{_MUTED}">{escape(", ".join(facts))}</span>' if facts else ""
    own = _mono(name_of, style=f"{_MONO}; {_MUTED}")
    return _div(f"{_chip(status)} &nbsp; <b>{_text(name, 200)}</b> &nbsp; {own} &nbsp; {said}")


def _code(command: str) -> str:
    lines = plain.clean(command[:4000]).strip().splitlines()[:6] or [""]
    shown = "\n".join(line if len(line) <= 400 else line[:399] + "…" for line in lines)
    more = "\n…" if len(command) > 4000 or len(plain.clean(command).strip().splitlines()) > 6 else ""
    style = f"{_MONO}; margin: 6px 0 0 0; white-space: pre-wrap; word-wrap: break-word"
    return f'<div style="{style}">{escape(shown + more)}</div>'


def _pre(lines: str) -> str:
    style = (
        f"{_MONO}; margin: 8px 0 0 0; padding: 6px 10px; border-radius: 4px; white-space: pre-wrap; "
        f"word-wrap: break-word; background-color: rgba({_GREY}, 0.12)"
    )
    return f'<div style="{style}">{escape(lines)}</div>'


def _bar(parts: Iterable[tuple[str, float]], total: float) -> str:
    """A bar of the parts' colours, each as wide as its share; the words are beside it."""
    pieces = "".join(
        f'<div style="float: left; height: 6px; width: {100 * max(0.0, min(part / total, 1.0)):.4f}%; '
        f'{_fill(status)}"></div>'
        for status, part in parts
    )
    style = (
        "margin: 8px 0 0 0; height: 6px; border-radius: 3px; overflow: hidden; "
        f"background-color: rgba({_GREY}, 0.2)"
    )
    return f'<div style="{style}">{pieces}</div>'


def _card(status: str, parts: Sequence[str], glance: Glance) -> str:
    style = (
        f"margin: 4px 0; padding: 10px 14px; max-width: 860px; border: 1px solid rgba({_GREY}, 0.3); "
        f"border-left: 4px solid {_tint(status, '0.9')}; border-radius: 6px; line-height: 1.5"
    )
    return f'<div style="{style}">{"".join(parts)}{_foot(glance)}</div>'


def _foot(glance: Glance) -> str:
    return _div(escape(plain.as_of(glance)), "margin: 6px 0 0 0; font-size: 11px; opacity: 0.6")


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; its head is a caller's words, its cells are HTML."""
    # JupyterLab has its own looks for tables, right-aligned and striped: what matters is said in each cell.
    place = "text-align: left; padding: 3px 14px 3px 0; vertical-align: baseline"
    named = "".join(f'<th style="{place}; font-weight: 600">{_text(name, 60)}</th>' for name in head)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{place}; max-width: 420px; word-wrap: break-word">{cell}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    style = "border-collapse: collapse; font-size: 13px; margin: 0"
    return f'<table style="{style}"><thead><tr>{named}</tr></thead><tbody>{body}</tbody></table>'


def _listing(
    head: Sequence[str], rows: Sequence[Sequence[Any]], total: int, what: str, glance: Glance
) -> str:
    shown = _rows(head, rows) if rows else _div(f"no {what}", _MUTED)
    more = _div(f"… and {total - len(rows)} more {what}", _MUTED) if total > len(rows) else ""
    return _div(shown + more + _foot(glance), "line-height: 1.5; overflow: auto")
