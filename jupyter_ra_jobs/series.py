"""One metric's points, in bounded memory however many there were."""

from array import array
from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from msgspec import Struct

MOST_POINTS = 4_000
"""Points of a series that are kept, about; a multiple of four."""


class Point(NamedTuple):
    """A value, and the step at which it was reached."""

    step: float
    value: float


class KeySummary(Struct, frozen=True, array_like=True):
    """The exact last, lowest and highest of all values of a metric. Infinities and NaN are not among them."""

    last: float
    last_step: float
    min: float
    min_step: float
    max: float
    max_step: float
    count: int
    is_lost: bool = False
    """Whether the newest value of all was NaN or infinite."""


class Series:
    """Points in the order in which they came, thinned out as they get many.

    Kept are the first and the last point, and of each bucket the lowest and the highest, so that no spike is
    lost. All buckets hold `_stride` points; when there are too many buckets, two become one. What is kept
    depends on the points alone, not on how many came at once.
    """

    def __init__(self) -> None:
        self.count = 0
        self.non_finite: float | None = None
        """The first step at which the value was NaN or infinite."""
        self._first = self._last = self._min = self._max = Point(0.0, 0.0)
        self._steps, self._values = array("d"), array("d")  # all but the first point, then buckets' ends
        self._stride = 1
        self._open = array("d"), array("d")  # the lowest and highest of the bucket that is not full
        self._filled = 0
        self._is_lost = False

    @property
    def size(self) -> int:
        """How many points it holds in memory."""
        return len(self._values)

    @property
    def summary(self) -> KeySummary:
        """What is exact; only of a series with points."""
        (last_step, last), (min_step, lowest), (max_step, highest) = self._last, self._min, self._max
        return KeySummary(last, last_step, lowest, min_step, highest, max_step, self.count, self._is_lost)

    def extend(self, steps: Sequence[float], values: Sequence[float]) -> None:
        """Add points. NaN and infinities are none: of these the first step is remembered."""
        some = array("d", steps), array("d", values)
        if len(some[1]):
            self._is_lost = not isfinite(some[1][-1])
        if not isfinite(sum(some[1])):  # of many finite values the sum may be infinite too
            some = self._finite(*some)
        if len(some[1]):
            self._note(*some)
            self._keep(*some)

    def points(self, most: int = MOST_POINTS) -> list[Point]:
        """Up to about `most` points, first and last among them."""
        if not self.count:
            return []
        steps, values = self._steps + self._open[0], self._values + self._open[1]
        bucket = 2 * -(-len(values) // max(most - 2, 2))
        if bucket > 2:
            steps, values = _thinned(steps, values, bucket)
        found = [self._first, *map(Point, steps, values)]
        if self.count > 1 and found[-1] != self._last:
            found.append(self._last)
        return found

    def _finite(self, steps: "array[float]", values: "array[float]") -> "tuple[array[float], array[float]]":
        pairs = list(zip(steps, values, strict=True))
        if self.non_finite is None:
            self.non_finite = next((step for step, value in pairs if not isfinite(value)), None)
        good = [pair for pair in pairs if isfinite(pair[1])]
        return array("d", [step for step, _ in good]), array("d", [value for _, value in good])

    def _note(self, steps: "array[float]", values: "array[float]") -> None:
        """Whatever is exact. Of equal values the first counts."""
        lowest, highest = min(values), max(values)
        if not self.count or lowest < self._min.value:
            self._min = Point(steps[values.index(lowest)], lowest)
        if not self.count or highest > self._max.value:
            self._max = Point(steps[values.index(highest)], highest)
        if not self.count:
            self._first = Point(steps[0], values[0])
        self._last = Point(steps[-1], values[-1])

    def _keep(self, steps: "array[float]", values: "array[float]") -> None:
        at = 0 if self.count else 1  # the very first is kept apart
        self.count += len(values)
        while at < len(values):
            if self._stride == 1:
                upto = at + MOST_POINTS - len(self._values)
                self._steps += steps[at:upto]
                self._values += values[at:upto]
            else:
                upto = at + self._stride - self._filled
                self._fill(steps[at:upto], values[at:upto])
            at = upto
            if len(self._values) >= MOST_POINTS:
                self._steps, self._values = _thinned(self._steps, self._values, 4)
                self._stride = max(4, self._stride * 2)

    def _fill(self, steps: "array[float]", values: "array[float]") -> None:
        """Put points into the open bucket; a full one is closed."""
        self._filled += len(values)
        self._open = _ends(self._open[0] + steps, self._open[1] + values)
        if self._filled == self._stride:
            self._steps += self._open[0]
            self._values += self._open[1]
            self._open, self._filled = (array("d"), array("d")), 0


def _ends(steps: "array[float]", values: "array[float]") -> "tuple[array[float], array[float]]":
    """The first of the lowest and the last of the highest, in their order: always two, if there are two."""
    if len(values) < 3:
        return steps, values
    low = values.index(min(values))
    high = len(values) - 1 - values[::-1].index(max(values))
    first, second = sorted((low, high))
    return array("d", (steps[first], steps[second])), array("d", (values[first], values[second]))


def _thinned(
    steps: "array[float]", values: "array[float]", bucket: int
) -> "tuple[array[float], array[float]]":
    """Two points of each `bucket` of points."""
    found = array("d"), array("d")
    for at in range(0, len(values), bucket):
        ends = _ends(steps[at : at + bucket], values[at : at + bucket])
        found[0].extend(ends[0])
        found[1].extend(ends[1])
    return found
