"""From rows, as training scripts write them, to series: which column is the step, and which are metrics."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite, isnan, nan
from typing import Any

import msgspec

from jupyter_ra_jobs.series import Series

MOST_KEYS = 1_000
LONGEST_KEY = 500

_DEEPEST = 10
_STEPS = ("_step", "step", "global_step", "iteration", "iter", "epoch")
_CLOCKS = ("_timestamp", "_runtime", "_wandb", "timestamp", "wall_time", "time")
_NO_METRICS = frozenset(_STEPS + _CLOCKS)
_NON_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_decode_line = msgspec.json.Decoder().decode
_decode_lines = msgspec.json.Decoder().decode_lines

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_TRAIN_LOSS = [
    *("train_loss", "training_loss", "loss_train", "train_loss_epoch", "train_epoch_loss", "train_loss_step"),
    *("loss", "loss_epoch", "epoch_loss"),
]
_VAL_LOSS = [
    *("val_loss", "validation_loss", "valid_loss", "eval_loss", "dev_loss", "val_loss_epoch"),
    *("val_epoch_loss", "validation_epoch_loss", "loss_val", "loss_validation", "loss_valid", "loss_eval"),
    *("test_loss", "loss_test"),
]

Row = dict[str, Any]
_Column = tuple[list[float], list[float]]  # steps and values


class Columns:
    """The series of one source, filled row by row."""

    def __init__(self) -> None:
        self.series: dict[str, Series] = {}
        self.rows = 0
        self.numbers = 0
        self.has_more_keys = False
        """Whether keys beyond the first `MOST_KEYS` were left out."""

    def add(self, rows: Iterable[Any]) -> None:
        """Take the numbers of some rows; what is no object is no row."""
        found: dict[str, _Column] = {name: ([], []) for name in _NO_METRICS}
        for row in rows:
            if type(row) is not dict:
                continue
            step = _step(row, self.rows)
            self.rows += 1
            for key, value in row.items():
                kind = type(value)
                if kind is float or kind is int:  # a bool is no number here
                    column = found.get(key)
                    if column is None:
                        column = found[key] = ([], [])
                    column[0].append(step)
                    column[1].append(value)
                elif kind is dict or kind is str:
                    for name, amount in _flat(key, value) if kind is dict else _text(key, value):
                        steps, values = found.setdefault(name, ([], []))
                        steps.append(step)
                        values.append(amount)
        for name, (steps, values) in found.items():
            if values and name not in _NO_METRICS:
                self._extend(name, steps, values)

    def _extend(self, name: str, steps: list[float], values: list[float]) -> None:
        self.numbers += len(values)
        series = self.series.get(name)
        if series is None:
            if len(self.series) >= MOST_KEYS or len(name) > LONGEST_KEY:
                self.has_more_keys = True
                return
            series = self.series.setdefault(showable(name), Series())
        try:
            series.extend(steps, values)
        except OverflowError:  # JSON's integers have no end
            series.extend([_as_float(step) for step in steps], [_as_float(value) for value in values])


def json_rows(lines: bytes) -> list[Any]:
    """The rows of whole lines of JSON; a line that is none is left out."""
    try:
        return _decode_lines(lines)
    except (ValueError, RecursionError):  # Python writes NaN, which is no JSON
        return [row for line in lines.split(b"\n") if (row := _json_row(line)) is not None]


def _json_row(line: bytes) -> Any:
    try:
        return _decode_line(line)
    except (ValueError, RecursionError):
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            return None


class CsvHeader:
    """The first line of a CSV file, which says how to read the others."""

    def __init__(self, line: bytes) -> None:
        text = line.decode("utf-8-sig", "replace")
        self._delimiter = max(",;\t", key=text.count)
        names = [name.strip() for name in next(self._cells([text]), [])]
        self._names = [name.lower() if name.lower() in _NO_METRICS else name for name in names]
        self.has_names = bool(self._names) and not any(_number(name) is not None for name in self._names)
        """False when the line is data already: such a file can't say what its numbers are."""

    def rows(self, lines: bytes) -> Iterator[Row]:
        """The rows of whole lines; a cell more or less than the header has does no harm.

        A line is a row: a quoted line break makes two rows of one, with texts for numbers.
        """
        comma = self._delimiter == ";"
        for cells in self._cells(lines.decode("utf-8", "replace").removesuffix("\n").split("\n")):
            row: Row = {}
            for name, cell in zip(self._names, cells, strict=False):
                value = _number(cell)
                if value is None and comma:
                    value = _number(cell.replace(",", "."))
                if value is not None:
                    row[name] = value
            yield row

    def _cells(self, lines: list[str]) -> Iterator[list[str]]:
        for line in lines:  # one by one: a stray quote must not swallow the lines after it
            try:
                yield next(csv.reader([line.replace("\0", "")], delimiter=self._delimiter), [])
            except csv.Error:
                yield []


def showable(text: str) -> str:
    """The text without what no JSON can hold: half a surrogate pair, or a byte of a file's name."""
    return text.encode("utf-8", "replace").decode()


def loss_keys(counts: Mapping[str, int]) -> tuple[str | None, str | None]:
    """Which keys are the training and the validation loss, by the names that frameworks give them.

    `counts` says how many points each has. Of several training losses the one with the most counts: some
    frameworks log their mean once more at the end, under the better name.
    """
    known: dict[str, str] = {}
    for key in counts:
        known.setdefault("_".join(filter(None, _WORDS.split(key))).lower(), key)
    trained = [known[name] for name in _TRAIN_LOSS if name in known]
    train = max(trained, key=lambda key: counts[key], default=None)
    val = next((known[name] for name in _VAL_LOSS if name in known), None)
    return train, val


def wrong_step(row: Row) -> str | None:
    """What is wrong with the step of a row that says one which is no number, and would be left out."""
    said = [(name, row[name]) for name in _STEPS if row.get(name) is not None]
    if not said or not isnan(_step(row, nan)):
        return None
    name, step = said[0]
    return f"{name}: must be a number, not {step!r:.100}"


def _step(row: Row, number: float) -> float:
    for name in _STEPS:
        if name in row:
            step = row[name]
            if (type(step) is int and abs(step) < 1 << 62) or (type(step) is float and isfinite(step)):
                return step
    return number


def _flat(prefix: str, row: Row) -> Iterator[tuple[str, float]]:
    """The numbers of a nested object, their keys joined by slashes."""
    stack = [(prefix, row, 1)]
    while stack:
        path, inner, depth = stack.pop()
        for key, value in inner.items():
            kind = type(value)
            if kind is float or kind is int:
                yield f"{path}/{key}", value
            elif kind is str:
                yield from _text(f"{path}/{key}", value)
            elif kind is dict and depth < _DEEPEST:
                stack.append((f"{path}/{key}", value, depth + 1))


def _text(key: str, value: str) -> tuple[tuple[str, float], ...]:
    """A text is no number, but for the words that stand for those that JSON has not."""
    return ((key, _NON_FINITE[value]),) if value in _NON_FINITE else ()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _as_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
