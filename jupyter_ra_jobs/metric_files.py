"""A run's files of metrics, each read on from where it was left.

What a run leaves behind is anything: files that are no metrics, of any size, cut, replaced while they are
read, or no files at all. Whatever is wrong with one costs its own metrics alone.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec import Struct

from jupyter_ra_jobs.errors import NotFound
from jupyter_ra_jobs.layout import METRICS
from jupyter_ra_jobs.logs import open_log
from jupyter_ra_jobs.metric_library import Library
from jupyter_ra_jobs.metric_rows import MOST_KEYS, Columns, CsvHeader, json_rows, showable
from jupyter_ra_jobs.series import KeySummary, Point, Series

MOST_FILES = 100
MOST_BYTES = 1 << 25
"""Bytes of a run that one look reads, about."""
BLOCK = 1 << 20
"""Bytes read at once, and those of the longest line that may be a row."""
PROBE = 100
"""Lines that are read before a file is judged: without any number in them it is no metrics file."""
SPARSE = 4_096
"""Bytes for each number in these lines beyond which it is something else, a data set for one."""

_PIECE = 1 << 24  # bytes that a library is given at once; no record of theirs is longer
_SERIES = 64  # what a series takes in memory besides its points, in points
_MARK = 256
_AT_ONCE = 1 << 15  # bytes of lines that are decoded in one go
_FEW = 3  # notes on files that are passed over
_NAMES = {"wandb": "WandB", "tensorboard": "TensorBoard"}

Kind = Literal["jsonl", "csv", "wandb", "tensorboard"]

SHARED = "is passed over: another run could have written it; write to $RA_ARTIFACTS_DIR"
CHANGED = "has changed since the run ended"


class Source(NamedTuple):
    """A file that may hold metrics.

    `doubt` says why none are taken from it: it may be another run's. So may what was modified after `until`
    (seconds since the epoch); None for a file in the run's own folders, where it alone writes.
    """

    path: Path
    kind: Kind
    until: float | None = None
    doubt: str | None = None

    def note(self, doubt: str) -> str:
        """Why it is passed over."""
        return f"{showable(self.path.name)} {doubt}"


class Summary(Struct, frozen=True):
    """What is known of a run's metrics without their points. `final`: there will be no more."""

    keys: dict[str, KeySummary]
    non_finite: dict[str, int]
    """The step at which a metric first was NaN or infinite."""
    complete: bool
    """Whether all was read that there was."""
    final: bool


def kind_of(name: str) -> Kind | None:
    """What a file of this name may be."""
    if "tfevents" in name:
        return "tensorboard"
    endings: dict[str, Kind] = {".jsonl": "jsonl", ".csv": "csv", ".wandb": "wandb"}
    return endings.get(os.path.splitext(name)[1])  # noqa: PTH122 - a name, not a path


class _File:
    """One file, and how far it was read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.offset = 0
        self.is_other = False
        """Whether it turned out to be no metrics file, or to be damaged where it was left."""
        self.complete = True
        self.note: str | None = None
        self._lines = self._line_bytes = 0  # of those that it is judged by
        self._skipping = False  # inside of a line that is too long for a row
        self._header: CsvHeader | None = None
        self._seen: tuple[int, int, int, int, bool] | None = None
        self._mark = b""

    def is_replaced(self, file: FileIO) -> bool:
        """Whether what was read of it is not what it begins with now."""
        if self._seen is None or self._seen[:-1] == self._identity(file):
            return False
        return self._seen[:2] != self._identity(file)[:2] or self._mark != _mark(file, self.offset)

    def read(self, file: FileIO, columns: Columns, budget: int, ended: bool, library: Library) -> int:
        """Take what is new; how many bytes that was. When the run has `ended`, half a line is a line."""
        seen = (*self._identity(file), ended)
        if self.is_other or (seen == self._seen and self.complete):
            return 0
        begin = self.offset
        if self.source.kind in ("jsonl", "csv"):
            self._read_lines(file, columns, budget, ended)
            if self.is_other:
                self.complete = True
                columns.series.clear()
        else:
            self._read_records(file, columns, budget, library)
        self._seen, self._mark = seen, _mark(file, self.offset)
        return self.offset - begin

    @staticmethod
    def _identity(file: FileIO) -> tuple[int, int, int, int]:
        status = os.fstat(file.fileno())
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

    def _read_lines(self, file: FileIO, columns: Columns, budget: int, ended: bool) -> None:
        until = self.offset + budget
        self.complete = False
        while self.offset < until and not self.is_other:
            data = os.pread(file.fileno(), BLOCK, self.offset)
            whole = data.rfind(b"\n") + 1
            if not whole and (len(data) == BLOCK or (ended and data)):
                whole = len(data)
            if not whole:  # nothing new, or half a line, which waits for its rest
                break
            self._take(data[:whole], columns, is_long=len(data) == BLOCK)
            self.offset += whole
        else:
            return
        self.complete = True

    def _take(self, data: bytes, columns: Columns, *, is_long: bool) -> None:
        """Some lines, or without a line break a piece of a long one, or the file's last."""
        if self._skipping:
            _, found, data = data.partition(b"\n")
            self._skipping = not found
        elif is_long and b"\n" not in data:
            self._skipping = True
            self.is_other = not columns.numbers
            return
        if self.offset == 0:
            data = data.removeprefix(b"\xef\xbb\xbf")
        while data and self._lines < PROBE and not self.is_other:  # one by one: it is judged by them alone
            line, _, data = data.partition(b"\n")
            self._add(line, columns)
            self._lines += 1
            self._line_bytes += len(line)
            if self._lines == PROBE and self.source.path.name != METRICS:
                self.is_other = not columns.numbers or self._line_bytes > SPARSE * columns.numbers
        if data and not self.is_other:
            self._add(data, columns)

    def _add(self, lines: bytes, columns: Columns) -> None:
        if self.source.kind == "jsonl":
            for piece in _pieces(lines):
                columns.add(json_rows(piece))
        elif self._header is None:  # alone, since the first lines come one by one
            self._header = CsvHeader(lines)
            self.is_other = not self._header.has_names
        else:
            for piece in _pieces(lines):
                columns.add(self._header.rows(piece))

    def _read_records(self, file: FileIO, columns: Columns, budget: int, library: Library) -> None:
        kind = self.source.kind
        if not library.has(kind):
            self.note = f"{_NAMES[kind]} files are not read: pip install 'jupyter_ra_jobs[{kind}]'"
            return
        grown = os.fstat(file.fileno()).st_size > self.offset
        self.complete, self.note = not grown or budget > 0, None
        if grown and budget > 0:
            piece = library.read(file, kind, self.offset, _PIECE)
            for rows in _pieces(piece.rows):
                columns.add(json_rows(rows))
            self.offset, self.complete = piece.end, not piece.more
            if piece.bad:
                self.is_other = self.complete = True
                self.note = f"{showable(self.source.path.name)} can't be read on: {piece.bad}"


class _Group:
    """Files that are one source of metrics: a file, or the event files of one folder, the oldest first."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources
        self._begin()

    def _begin(self) -> None:
        self.changed: Source | None = None  # that may be another run's now
        self.columns = Columns()
        self.files = [_File(source) for source in self.sources]

    def is_of(self, sources: Sequence[Source]) -> bool:
        """Whether it is of the same files; then what is known of them now, their run's end, is taken over."""
        if [source[:2] for source in sources] != [source[:2] for source in self.sources]:
            return False
        self.sources = sources
        return True

    def look(self, budget: int, ended: bool, library: Library) -> int:
        """Read on; all of it afresh when a file of it was replaced. How many bytes that was."""
        used = 0
        for file, source in zip(self.files, self.sources, strict=True):
            opened = _open(source.path)
            if opened is None:
                continue
            with opened:
                if file.is_replaced(opened):
                    self._begin()
                    return used + self.look(budget - used, ended, library)
                used += file.read(opened, self.columns, budget - used, ended, library)
                modified_at = os.fstat(opened.fileno()).st_mtime  # asked after the read
                if source.until is not None and modified_at > source.until:
                    self._begin()
                    self.changed = source
                    break
        return used

    @property
    def complete(self) -> bool:
        """Whether all was read that there was."""
        return all(file.complete for file in self.files)


class RunReader:
    """What was read of one run's metrics. One look at a time; whoever comes meanwhile waits."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._groups: dict[Path, _Group] = {}
        self._lock = threading.Lock()
        self._shown: list[tuple[Path, _Group]] = []
        self._passed_over: list[str] = []
        self.has_changed = False
        """Whether a file was left out because it has changed since the run's end."""
        self.own_keys: frozenset[str] = frozenset()
        """The metrics that come from files which nobody but the run writes, and callers."""
        self.summary = Summary(keys={}, non_finite={}, complete=False, final=False)
        self.size = 0
        """How many points it holds in memory."""

    def look(self, sources: Sequence[Source], ended: bool) -> Summary:
        """Read what is new, `MOST_BYTES` of it at most. Blocks: call it in a thread."""
        with self._lock:
            looked = self._look_at([each for each in sources if each.doubt is None][:MOST_FILES], ended)
            doubts = [(each, each.doubt) for each in sources if each.doubt is not None]
            doubts += [(group.changed, CHANGED) for _, group in looked if group.changed is not None]
            self._passed_over = list(dict.fromkeys(source.note(doubt) for source, doubt in doubts))
            self.has_changed = any(doubt == CHANGED for _, doubt in doubts)
            self._shown = [(path, group) for path, group in looked if group.changed is None]
            self._groups = dict(self._shown)
            groups = self._groups.values()
            self.size = sum(_SERIES + one.size for group in groups for one in group.columns.series.values())
            complete = all(group.complete for group in groups)
            series = self._series()
            own = [group for group in groups if group.sources[0].until is None]
            own_series = {id(one) for group in own for one in group.columns.series.values()}
            self.own_keys = frozenset(key for key, one in series.items() if id(one) in own_series)
            self.summary = Summary(
                keys={key: one.summary for key, one in series.items() if one.count},
                non_finite={
                    key: int(one.non_finite) for key, one in series.items() if one.non_finite is not None
                },
                complete=complete,
                final=complete and ended,
            )
            return self.summary

    def points(self, keys: Iterable[str], most: int) -> dict[str, list[Point]]:
        """About `most` points of each of these metrics, as far as there are such. Blocks."""
        with self._lock:
            series = self._series()
            return {key: series[key].points(most) for key in keys if key in series}

    def _series(self) -> dict[str, Series]:
        """All series. Of several sources with the same key the first counts; they are not mixed.

        Keys of event files in different folders (`train`, `validation`) have their folder before them.
        """
        events = [str(folder) for folder, group in self._shown if group.sources[0].kind == "tensorboard"]
        base = os.path.commonpath(events) if events else ""
        found: dict[str, Series] = {}
        for folder, group in self._shown:
            prefix = os.path.relpath(folder, base) + "/" if str(folder) in events else "./"
            for key, series in group.columns.series.items():
                found.setdefault(key if prefix == "./" else showable(prefix) + key, series)
        return dict(islice(found.items(), MOST_KEYS))

    @property
    def notes(self) -> list[str]:
        """What was left out, and why; each once."""
        notes = [file.note for _, group in self._shown for file in group.files if file.note]
        if self._is_full() or any(group.columns.has_more_keys for _, group in self._shown):
            notes.append(f"only the first {MOST_KEYS:,} metrics are read")
        notes += self._passed_over[:_FEW]
        if len(self._passed_over) > _FEW:
            notes.append(f"{len(self._passed_over) - _FEW:,} more files are passed over")
        return list(dict.fromkeys(notes))

    def _is_full(self) -> bool:
        """Whether there are so many series that no further file may add to them."""
        return sum(len(group.columns.series) for _, group in self._shown) >= MOST_KEYS

    def _look_at(self, sources: Iterable[Source], ended: bool) -> list[tuple[Path, _Group]]:
        together: dict[Path, list[Source]] = {}
        for source in sources:
            is_event = source.kind == "tensorboard"
            together.setdefault(source.path.parent if is_event else source.path, []).append(source)
        used = 0
        self._shown = []
        for path, members in together.items():
            if self._is_full():
                break
            members.sort()
            group = self._groups.get(path)
            if group is None or not group.is_of(members):
                group = self._groups[path] = _Group(members)
            used += group.look(max(0, MOST_BYTES - used), ended, self._library)
            self._shown.append((path, group))
        return self._shown


def _pieces(lines: bytes) -> Iterator[bytes]:
    """Whole lines, some at a time: to decode them keeps all other threads waiting, the event loop's too."""
    at = 0
    while at < len(lines):
        end = lines.rfind(b"\n", at, at + _AT_ONCE) + 1 or lines.find(b"\n", at) + 1 or len(lines)
        yield lines[at:end]
        at = end


def _open(path: Path) -> FileIO | None:
    """The file at exactly this path, open; None for none, for a link on the way, and for what is no file."""
    try:
        file = open_log(path)
    except (NotFound, OSError):
        return None
    if file is not None and os.readlink(f"/proc/self/fd/{file.fileno()}") != str(path):  # noqa: PTH115
        file.close()
        return None
    return file


def _mark(file: FileIO, offset: int) -> bytes:
    """What tells whether the first `offset` bytes are still the same, short of comparing them all."""
    read = partial(os.pread, file.fileno())
    return read(min(_MARK, offset), 0) + read(min(_MARK, offset), max(0, offset - _MARK))
