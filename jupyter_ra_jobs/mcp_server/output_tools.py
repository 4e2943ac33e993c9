"""Tools about what runs write: logs, metrics, files. A docstring here is what a language model reads."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from jupyter_ra_jobs import models
from jupyter_ra_jobs.client import AsyncClient
from jupyter_ra_jobs.errors import BadInput, NotFound, TooLarge
from jupyter_ra_jobs.mcp_server import arguments as given
from jupyter_ra_jobs.mcp_server.hints import READS, Told
from jupyter_ra_jobs.mcp_server.plain import fold, plain, shorten
from jupyter_ra_jobs.mcp_server.shapes import (
    Artifacts,
    LogPart,
    Match,
    Matches,
    Metric,
    Metrics,
    Text,
    artifact_row,
)

_PAGE, _MOST_LOOKED_AT = 100_000, 1_000_000  # bytes, of a log's end
_MOST_TOLD, _LONGEST_LINE, _LONGEST_MATCH = 20_000, 2_000, 500  # characters
_MOST_METRICS, _MOST_SERIES, _MOST_NAMES = 50, 10, 200
_LARGEST_TEXT = 4_000_000  # bytes


async def tail_log(
    client: AsyncClient,
    run_id: given.RunId,
    lines: Annotated[int, Field(ge=1, le=500, description="Lines, counted as a terminal shows them.")] = 50,
) -> LogPart:
    """The end of what a run printed (stdout and stderr), 20,000 characters at most.

    Colours and other escape sequences are left out, and of a progress bar only its last state is there. Very
    long lines are cut. To see what comes after this, read_log with next_offset.
    """
    status = (await client.run(run_id)).status  # asked first: of a run that has ended, this is all
    pages = await _pages(client, run_id, -_PAGE)
    page, last = pages[0], pages[-1]
    raw = "".join(map(_content, pages))
    rows = await asyncio.to_thread(fold, raw)
    while page.has_more_before and len(rows) <= lines and len(raw) < _MOST_LOOKED_AT:
        pages = await _pages(client, run_id, max(0, page.offset - _PAGE), page.offset)
        page = pages[0]
        raw = "".join(map(_content, pages)) + raw
        rows = await asyncio.to_thread(fold, raw)
    if page.has_more_before and len(rows) > 1:
        del rows[0]  # it began before
    kept, size = list[str](), 0
    for row in reversed(rows[-lines:]):
        line = shorten(row, _LONGEST_LINE)
        size += len(line) + 1
        if size > _MOST_TOLD:
            break
        kept.append(line)
    return LogPart(
        text="\n".join(reversed(kept)),
        run_status=str(status),
        next_offset=last.next_offset,
        total_size=last.total_size,
        has_more_before=page.has_more_before or len(kept) < len(rows),
        has_more_after=last.has_more_after,
    )


async def read_log(
    client: AsyncClient,
    run_id: given.RunId,
    offset: Annotated[
        int, Field(description="The byte to begin at: 0, or a next_offset. Negative: so many from the end.")
    ] = 0,
    max_bytes: Annotated[int, Field(ge=100, le=50_000, description="Bytes of the log to read.")] = 10_000,
) -> LogPart:
    """A part of what a run printed, from a byte offset on; go on with next_offset.

    Colours and other escape sequences are left out, and of a progress bar only its last state in this part is
    there. To find something in a long log, use search_log first.
    """
    status = (await client.run(run_id)).status
    page = await client.log_page(run_id, offset=offset, limit=max_bytes)
    raw, next_offset = _content(page), page.next_offset
    whole = page.content[: page.content.rfind("\n") + 1]
    counted = len(page.content.encode()) == next_offset - page.offset and "\ufffd" not in page.content
    if page.has_more_after and whole and counted:  # the next part begins with a line
        raw, next_offset = whole, page.offset + len(whole.encode())
    return LogPart(
        text=await asyncio.to_thread(plain, raw),
        run_status=str(status),
        next_offset=next_offset,
        total_size=page.total_size,
        has_more_before=page.has_more_before,
        has_more_after=page.has_more_after,
    )


async def search_log(
    client: AsyncClient,
    run_id: given.RunId,
    text: Annotated[str, Field(min_length=1, max_length=1_000, description="What a line must hold.")],
    regex: Annotated[bool, Field(description="Whether `text` is a regular expression.")] = False,
    ignore_case: Annotated[bool, Field(description="Whether upper and lower case are the same.")] = True,
    limit: Annotated[int, Field(ge=1, le=100, description="Lines to find.")] = 20,
    before: Annotated[int | None, Field(ge=0, description="Search only before this byte.")] = None,
) -> Matches:
    """Lines of a run's output that hold a text, newest first; also in logs of gigabytes.

    Escape sequences are left out, long lines are cut. If `complete` is false and you need older ones, call it
    again with `before` set to next_before.
    """
    found = await client.search_log(
        run_id, text, regex=regex, ignore_case=ignore_case, before=before, limit=limit
    )
    wanted = None if regex else text
    shown = [Match(offset=each.offset, line=_line(each.line, wanted)) for each in found.matches]
    matches = Matches(matches=shown, complete=found.complete)
    if found.next_before is not None and not found.complete:
        matches["next_before"] = found.next_before
    return matches


async def get_metrics(
    client: AsyncClient,
    run_id: given.RunId,
    names: Annotated[
        Sequence[str], Field(max_length=50, description="Only these metrics; none given: the first 50.")
    ] = (),
    points: Annotated[
        int,
        Field(ge=0, le=200, description="Points of each curve, about; of 10 metrics at most. 0: no curves."),
    ] = 0,
) -> Metrics:
    """A run's metrics: last, lowest and highest value of each, exact, and curves if you ask for points.

    `last` is null where the newest value is NaN or infinite; the notes say at which step the first was. They
    come from the JSON Lines, CSV, WandB and TensorBoard files that the run writes, also while it runs.
    """
    found = await client.metrics(run_id, keys=names, points=max(points, 2))
    series, last = found.metric_series or {}, found.metrics or {}
    known = list(dict.fromkeys([*series, *(found.metric_keys or []), *found.non_finite]))
    if known and (missing := [name for name in names if name not in known]):
        some = ", ".join(known[:_MOST_METRICS])
        raise NotFound(f"run {run_id} has no metric {missing[0]!r:.100}; it has {some}")
    wanted = [name for name in known if not names or name in names]
    if points and len(wanted) > _MOST_SERIES:
        some = ", ".join(wanted[:_MOST_METRICS])
        raise BadInput(f"points: name {_MOST_SERIES} metrics at most; this run has {len(wanted)}: {some}")
    shown = wanted[:_MOST_METRICS]
    metrics = Metrics(metrics={name: _metric(series.get(name, ()), last.get(name), points) for name in shown})
    if len(wanted) > len(shown):
        metrics["others"] = wanted[_MOST_METRICS : _MOST_METRICS + _MOST_NAMES]
    if found.notes:
        metrics["notes"] = [shorten(note, _LONGEST_MATCH) for note in found.notes[:20]]
    return metrics


async def list_artifacts(
    client: AsyncClient,
    run_id: given.RunId,
    search: Annotated[str, Field(max_length=500, description="Part of a name.")] = "",
    limit: Annotated[int, Field(ge=1, le=200, description="Files to list.")] = 50,
) -> Artifacts:
    """The files that a run left: what it kept in $RA_ARTIFACTS_DIR, checkpoints, metrics, W&B's."""
    found = [each for each in await client.artifacts(run_id) if search.lower() in each.name.lower()]
    listing = Artifacts(artifacts=[artifact_row(each) for each in found[:limit]])
    if len(found) > limit:
        listing["left_out"] = len(found) - limit
    return listing


async def read_artifact(
    client: AsyncClient,
    run_id: given.RunId,
    name: Annotated[str, Field(min_length=1, max_length=4_096, description="As list_artifacts has it.")],
    offset: Annotated[int, Field(ge=0, description="The byte to begin at.")] = 0,
    max_bytes: Annotated[int, Field(ge=100, le=50_000, description="Bytes to read.")] = 10_000,
) -> Text:
    """Read a small text file that a run left; of a longer one a part. Up to 4 MB, UTF-8.

    For larger or binary files use their `path`, if you work on the server's machine.
    """
    data = bytearray()

    def take(part: bytes) -> None:
        data.extend(part)
        if len(data) > _LARGEST_TEXT:
            raise TooLarge(f"{name} is too large to be read here: it has more than {_LARGEST_TEXT:,} bytes")

    found = next((each for each in await client.artifacts(run_id) if each.name == name), None)
    if found is None:
        raise NotFound(f"run {run_id} has no artifact {name}; list_artifacts tells which it has")
    if found.size > _LARGEST_TEXT:
        raise TooLarge(
            f"{name} has {found.size:,} bytes, too many to be read here ({_LARGEST_TEXT:,} at most); "
            f"on the server's machine it is {found.path}"
        )
    await client.download(run_id, name, take)
    try:
        bytes(data).decode()
        is_text = b"\0" not in data
    except UnicodeDecodeError:
        is_text = False
    if not is_text:
        raise BadInput(f"{name} is no text in UTF-8, so it can't be read here")
    text = bytes(data[offset : offset + max_bytes]).decode(errors="ignore")
    end = offset + len(text.encode())
    is_drawn = "\x1b" in text or "\r" in text.replace("\r\n", "")
    read = Text(text=plain(text) if is_drawn else text, size=len(data))
    if end < len(data):
        read["next_offset"] = end
    return read


async def _pages(
    client: AsyncClient, run_id: str, start: int, end: int | None = None
) -> list[models.LogPage]:
    """The log from a byte on, to another or to its end, in as many pages as the server makes of it."""
    limit = _PAGE if end is None else end - start
    pages = [await client.log_page(run_id, offset=start, limit=limit)]
    until = pages[0].total_size if end is None else end
    while (at := pages[-1].next_offset) < until:
        page = await client.log_page(run_id, offset=at, limit=until - at)
        if page.next_offset <= at:  # it was cut meanwhile
            break
        pages.append(page)
    return pages


def _content(page: models.LogPage) -> str:
    """A page's text; where bytes were given back to the disk, a line that says so."""
    gap = page.gap
    if gap is None or page.offset >= gap.end or page.next_offset <= gap.start:
        return page.content
    data, before = page.content.encode(), max(0, gap.start - page.offset)
    parts = data[:before].decode(errors="replace"), data[before:].decode(errors="replace")
    return f"\n[… {gap.end - gap.start:,} bytes that were not kept …]\n".join(parts)


def _line(line: str, wanted: str | None) -> str:
    """A found line; of one that was redrawn the part that holds what was looked for."""
    drawn = plain(line)
    if wanted is not None and wanted.lower() not in drawn.lower():
        parts = (plain(part) for part in reversed(line.split("\r")))
        drawn = next((part for part in parts if wanted.lower() in part.lower()), drawn)
    if wanted is None or (at := drawn.lower().find(wanted.lower())) < _LONGEST_MATCH // 2:
        return shorten(drawn, _LONGEST_MATCH)
    begin = at - _LONGEST_MATCH // 2 if len(drawn) > _LONGEST_MATCH else 0
    return ("… " if begin else "") + shorten(drawn[begin:], _LONGEST_MATCH)


def _metric(series: Sequence[models.MetricPoint], last: float | None, points: int) -> Metric:
    """However few points are asked for, the extremes are among them."""
    metric = Metric(last=last)
    if series:
        lowest = min(series, key=lambda point: point.value)
        highest = max(series, key=lambda point: point.value)
        metric |= Metric(
            last=last, min=lowest.value, min_step=lowest.step, max=highest.value, max_step=highest.step
        )
    if points:
        metric["series"] = [[point.step, point.value] for point in series]
    return metric


TOOLS: list[Told] = [
    (tail_log, READS),
    (read_log, READS),
    (search_log, READS),
    (get_metrics, READS),
    (list_artifacts, READS),
    (read_artifact, READS),
]
