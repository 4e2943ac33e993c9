"""Thinning: what is kept of many points."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ra_jobs import series
from jupyter_ra_jobs.series import MOST_POINTS, KeySummary, Point, Series

VALUES = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=300)
NUMBER = st.floats() | st.integers(-5, 5)
ANY = st.lists(NUMBER, max_size=20) | st.lists(NUMBER, min_size=50, max_size=200)


@pytest.fixture(autouse=True, scope="module")
def few() -> object:
    """So few points are kept that a test's lists are many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series, "MOST_POINTS", 16)
        yield


def series_of(values: list[float], cuts: list[int] | None = None) -> Series:
    """The values at steps 0, 1, …, given in the pieces that `cuts` make of them."""
    made = Series()
    ends = sorted({0, len(values), *(cut % (len(values) + 1) for cut in cuts or [])})
    for start, end in pairwise(ends):
        made.extend(range(start, end), values[start:end])
    return made


@given(VALUES, st.integers(2, 400))
def test_extremes_and_order_stay(values: list[float], most: int) -> None:
    """First, last, lowest and highest are shown, in the order in which they came; of few points all."""
    points = series_of(values).points(most)
    assert len(points) <= max(most, 4) + 2
    assert all(values[int(step)] == value for step, value in points)
    steps = [step for step, _ in points]
    assert steps == sorted(set(steps))
    if values:
        assert (points[0].step, points[-1].step) == (0, len(values) - 1)
        shown = [value for _, value in points]
        assert (min(shown), max(shown)) == (min(values), max(values))
    if len(values) <= min(most - 2, 16):
        assert [value for _, value in points] == values


@given(ANY, st.lists(st.integers(0, 1000), max_size=8))
def test_pieces_are_the_whole(values: list[float], cuts: list[int]) -> None:
    """However the points came, the same is kept."""
    whole, pieces = series_of(values), series_of(values, cuts)
    assert pieces.points() == whole.points()
    assert pieces.summary == whole.summary
    assert pieces.non_finite == whole.non_finite


@given(ANY)
def test_summary_is_exact(values: list[float]) -> None:
    """Of finite values alone; the first step of another is remembered."""
    made = series_of(values)
    finite = [(step, value) for step, value in enumerate(values) if math.isfinite(value)]
    strange = [step for step, value in enumerate(values) if not math.isfinite(value)]
    assert made.non_finite == (strange[0] if strange else None)
    assert made.count == len(finite)
    if finite:
        lowest, highest = min(value for _, value in finite), max(value for _, value in finite)
        first = {value: step for step, value in reversed(finite)}
        last_step, last = finite[-1]
        assert made.summary == KeySummary(
            last,
            last_step,
            lowest,
            first[lowest],
            highest,
            first[highest],
            len(finite),
            is_lost=not math.isfinite(values[-1]),
        )


@settings(max_examples=20)
@given(st.integers(0, 5_000))
def test_memory_is_bounded(count: int) -> None:
    """However many points there are."""
    assert series_of([float(n * 7919 % 1000) for n in range(count)]).size <= 16


def test_sum_beyond_all_numbers() -> None:
    """The sum of finite values may be infinite."""
    made = series_of([1.7e308, 1.7e308])
    assert made.points() == [Point(0, 1.7e308), Point(1, 1.7e308)]
    assert made.non_finite is None


def test_constant_is_a_multiple_of_four() -> None:
    """Four points become two."""
    assert MOST_POINTS % 4 == 0
