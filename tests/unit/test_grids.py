"""From parameters to cells, and from a cell to its command."""

import itertools
import json
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.grids import cells, command, preview, warnings


def make(parameters: dict[str, Any], method: Any = "grid", **limits: Any) -> Any:
    """Cells, with limits that do not matter."""
    return cells(parameters, method, **{"most": 1000, "max_runs": None, "seed": None, **limits})


def test_grid() -> None:
    """Every combination, the last parameter moving fastest."""
    found, total = make({"a": [1, 2], "b": ["x", "y"]})
    assert [tuple(cell.values()) for cell in found] == list(itertools.product([1, 2], ["x", "y"]))
    assert total == 4


def test_nothing_to_vary_is_one_cell() -> None:
    """A sweep without parameters is its base command, once."""
    assert make({}) == ([{}], 1)
    assert make({}, "zip") == ([{}], 1)


def test_a_huge_grid_costs_what_is_asked_for() -> None:
    """8^8 cells cut to ten; the product of 50 such lists would fit no memory."""
    huge = {f"p{n}": list(range(8)) for n in range(50)}
    for method in ("grid", "random"):
        found, total = make(huge, method, max_runs=10)
        assert len(found) == 10
        assert total == 8**50


@pytest.mark.parametrize("method", ["grid", "zip", "random"])
@pytest.mark.parametrize("max_runs", [2, 30, 60, None])
def test_a_preview_is_the_beginning(method: Any, max_runs: int | None) -> None:
    """The first of the cells that will be made, and how many those are."""
    given: dict[str, Any] = {"a": list(range(50)), "b": list(range(50))}
    if method == "random" and max_runs is None:
        return
    all_of_them, total = make(given, method, max_runs=max_runs, seed=7, most=2500)
    shown = preview(given, method, first=10, max_runs=max_runs, seed=7)
    assert shown == (all_of_them[:10], len(all_of_them), total)


def test_a_preview_of_no_end() -> None:
    """Of ranges there is no count of combinations; a draw that no memory holds is refused."""
    assert preview({"a": {"min": 0, "max": 1}}, "random", first=1, max_runs=3, seed=1)[1:] == (3, None)
    with pytest.raises(BadInput, match="ask for fewer"):
        preview({"a": {"min": 0, "max": 1}}, "random", first=1, max_runs=10**12, seed=1)


def test_zip() -> None:
    """The first values, then the second."""
    assert make({"a": [1, 2], "b": [3, 4]}, "zip") == ([{"a": 1, "b": 3}, {"a": 2, "b": 4}], 2)


def test_random_of_lists_draws_none_twice_and_repeats_with_its_seed() -> None:
    """As many as there are, at most."""
    values = {"a": list(range(5)), "b": list(range(5))}
    found, total = make(values, "random", max_runs=25, seed=7)
    assert len({tuple(cell.values()) for cell in found}) == total == 25
    assert make(values, "random", max_runs=25, seed=7) == (found, total)
    assert make(values, "random", max_runs=25, seed=8) != (found, total)


def test_random_of_ranges() -> None:
    """Within the range; whole numbers where asked for; small ones as often as large ones with log."""
    ranges = {
        "lr": {"min": 1e-6, "max": 1.0, "log": True},
        "n": {"min": 1, "max": 3, "int": True},
        "s": ["a"],
    }
    found, total = make(ranges, "random", max_runs=500, seed=0)
    assert total is None
    assert all(1e-6 <= cell["lr"] <= 1.0 for cell in found)
    assert 150 < sum(cell["lr"] < 1e-3 for cell in found) < 350
    assert {cell["n"] for cell in found} == {1, 2, 3}


@pytest.mark.parametrize(
    ("parameters", "method", "limits", "says"),
    [
        ({"a": 1}, "grid", {}, "parameters.a: must be a list"),
        ({"a": []}, "grid", {}, "parameters.a: has no values"),
        ({"a b": [1]}, "grid", {}, "no name"),
        ({"": [1]}, "grid", {}, "no name"),
        ({"a": [1, 2], "b": [1]}, "zip", {}, "as many values"),
        ({"a": list(range(1001))}, "grid", {}, "1,001 runs"),
        ({"a": list(range(1001))}, "grid", {"max_runs": 1001}, "1,001 runs"),
        ({"a": [1]}, "random", {}, "max_runs: is missing"),
        ({"a": {"min": 1}}, "random", {"max_runs": 1}, "range"),
        ({"a": {"min": 2, "max": 1}}, "random", {"max_runs": 1}, "min the smaller"),
        ({"a": {"min": 0, "max": 1, "log": True}}, "random", {"max_runs": 1}, "above 0"),
        ({"a": {"min": "0", "max": 1}}, "random", {"max_runs": 1}, "numbers"),
        ({"a": {"min": 0, "max": 1}}, "grid", {}, "must be a list"),
    ],
)
def test_what_is_refused(parameters: Any, method: str, limits: dict[str, Any], says: str) -> None:
    """With words that say what would be right."""
    with pytest.raises(BadInput, match=says):
        make(parameters, method, **limits)


def test_command() -> None:
    """Values go where they are named, else to the end; the shell's own braces stay."""
    cell = {"lr": 0.1, "name": "it's a b", "flag": True, "none": None}
    built = command("train {lr} ${lr} {other}", cell)
    assert built == "train 0.1 ${lr} {other} '--name=it'\"'\"'s a b' --flag=true --none=null"


def test_warnings() -> None:
    """Of what looks like a parameter, and is none; not of what is the shell's."""
    base = "for i in {1..3} {a,b}; do echo {lrr} {lr} ${lr} {**} '{}' {print} {lrr}; done"
    assert warnings(base, ["lr", "seed"]) == [
        "{lrr} is no parameter and stays as it is; did you mean {lr}?",
        "{print} is no parameter and stays as it is",
    ]


def test_command_of_all_values() -> None:
    """`{**}` is the whole cell, as JSON that a program reads back."""
    cell = {"lr": 0.1, "name": "it's {lr} ž", "list": [1, None]}
    *words, last = shlex.split(command("python train.py {**}", cell))
    assert (words, json.loads(last)) == (["python", "train.py"], cell)
    assert command("awk ${**} {lr}", {"lr": 1}) == "awk ${**} 1"


@given(st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.text(max_size=20), max_size=4))
def test_a_shell_reads_back_what_was_given(cell: dict[str, str]) -> None:
    """Whatever the values hold, placeholders of each other included."""
    base = "run " + " ".join(f"{{{key}}}" for key in cell)
    assert shlex.split(command(base, cell)) == ["run", *cell.values()]
    assert shlex.split(command("run", cell)) == ["run", *(f"--{key}={value}" for key, value in cell.items())]
