"""`sweep`: grids from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_ra_jobs.cli.values import parameters, values
from jupyter_ra_jobs.errors import BadInput
from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1e-3,1e-2", [0.001, 0.01]),
        ("0:3", [0, 1, 2]),
        ("6:0:-2", [6, 4, 2]),
        ("1,-2,+3.,.5", [1, -2, 3.0, 0.5]),
        ("true,false,null,True", [True, False, None, "True"]),
        ('"1",1', ["1", 1]),
        ("adam,sgd,a b", ["adam", "sgd", "a b"]),
        ("007,NaN,1_000,-", ["007", "NaN", "1_000", "-"]),
        ("10:30,x", ["10:30", "x"]),
        ('["a,b", [1, 2]]', ["a,b", [1, 2]]),
        ('{"min": 1, "max": 8, "int": true}', {"min": 1, "max": 8, "int": True}),
        ('[""]', [""]),
    ],
)
def test_values(text: str, read: Any) -> None:
    """Typed as the API takes them."""
    found = values("p", text)
    assert found == read
    assert [type(value) for value in found] == [type(value) for value in read]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "-p lr=0.1,0.01"),
        (["lr"], "as in -p lr=0.1,0.01"),
        (["=1"], "as in -p lr=0.1,0.01"),
        (["lr=1", "lr=2"], "with commas"),
        (["lr=1,,2"], "empty value"),
        (["lr="], 'lr=[""]'),
        (["lr=3:0"], "there is no number in 3:0"),
        (["lr=0:3:0"], "there is no number"),
        (["lr=0:1000000000000"], "1,000,000,000,000 numbers"),
        (["lr=[1,"], "is no JSON"),
        (["lr=1:5:0.5"], "a range is of whole numbers"),
        (["lr=1e-5:1e-1"], "lr=0.1,0.2"),
    ],
)
def test_wrong_values(words: list[str], says: str) -> None:
    """An error that says what would be right."""
    with pytest.raises(BadInput) as told:
        parameters(words, None)
    assert says in str(told.value)


def test_sweep(cli: Cli) -> None:
    """All of it runs, and the exit code is 0 when all have finished."""
    words = ["sweep", "--wait", "-p", "lr=1e-3,1e-2", "-p", "seed=0:2", "--parallel", "4", "--name", "s"]
    sweep = cli.show(cli(*words, "echo {lr} {seed}").strip())
    assert (sweep["status"], sweep["parallel"], sweep["name"]) == ("completed", 4, "s")
    assert sweep["parameters"] == {"lr": [0.001, 0.01], "seed": [0, 1]}
    assert cli("logs", sweep["run_ids"][0]) == "0.001 0\n"
    assert len(json.loads(cli("list", "--json", "--sweep", sweep["id"][:6]))) == 4
    told = cli.error("sweep", "--wait", "-p", "code=0,1", "exit {code}", code=1)
    assert told.endswith("failed: of 2 runs 1 finished, 1 failed, 0 were stopped")


def test_several_words(cli: Cli) -> None:
    """Are quoted, but for the places of the parameters, whose values are quoted by themselves."""
    out = cli(
        "sweep", "--dry-run", "-p", "x=1,it's", "--", "echo", "a b", "--x={x}", "{x}{y}", "${x}", "{ x }"
    )
    assert out.splitlines() == [
        "echo 'a b' --x=1 1'{y}' '${x}' '{ x }'",
        "echo 'a b' --x='it'\"'\"'s' 'it'\"'\"'s''{y}' '${x}' '{ x }'",
    ]


def test_preview(cli: Cli, tmp_path: Path) -> None:
    """As the server would make it, without one, of a grid with more cells than atoms too."""
    words = ["sweep", "--dry-run", "-p", "a=0:4", "-p", "b=0:5", "cmd"]
    done = cli.done(*words, cwd=tmp_path)
    assert done.stdout.decode().splitlines()[:2] == ["cmd --a=0 --b=0", "cmd --a=0 --b=1"]
    assert done.stdout.count(b"\n") == 10
    assert done.stderr == b"20 runs, of which these are the first 10\n"
    assert cli.done(*words, "--max-runs", "3").stderr == b"3 runs\n"
    zipped = cli.error("sweep", "--dry-run", "--method", "zip", "-p", "a=1,2", "-p", "b=1", "c", code=2)
    assert "zip needs as many values for each" in zipped
    for option in ("--dry-run", "--no-start"):
        done = cli.done("sweep", option, "-p", "lr=1", "echo {lrr}")
        assert b"{lrr} is no parameter and stays as it is; did you mean {lr}?\n" in done.stderr
    huge = [word for number in range(40) for word in ("-p", f"p{number}=0:100")]
    done = cli.done("sweep", "--dry-run", *huge, "cmd")
    assert done.stdout.count(b"\n") == 10
    assert b"a server takes 10,000" in done.stderr


def test_the_draw_is_the_servers(cli: Cli) -> None:
    """A random preview with a seed shows what is made."""
    words = ["-p", "a=0:100", "--method", "random", "--max-runs", "3", "--seed", "7", "echo {a}"]
    shown = cli("sweep", "--dry-run", *words).splitlines()
    sweep = cli.show(cli("sweep", "--no-start", *words).strip())
    assert [cli.show(run_id)["command"] for run_id in sweep["run_ids"]] == shown
    assert cli("start", sweep["id"]).startswith(f"{sweep['id']} sweep ")
    cli("wait", sweep["id"])


def test_grid_of_a_file(cli: Cli, tmp_path: Path) -> None:
    """JSON, from a file or a pipe; options add to it."""
    grid = tmp_path / "grid.json"
    grid.write_text('{"lr": [0.1], "name": ["a,b"]}')
    out = cli("sweep", "--dry-run", "--grid", str(grid), "-p", "seed=1", "c")
    assert out == "c --lr=0.1 --name=a,b --seed=1\n"
    with grid.open() as piped:
        assert cli("sweep", "--dry-run", "--grid", "-", "c", stdin=piped) == "c --lr=0.1 --name=a,b\n"
    assert "lr has values already" in cli.error(
        "sweep", "--dry-run", "--grid", str(grid), "-p", "lr=1", "c", code=2
    )
    for text, says in [
        ("[1]", "must hold an object of lists"),
        ("{", "is no JSON"),
        ('{"lr": 1}', "parameters.lr"),
    ]:
        grid.write_text(text)
        assert says in cli.error("sweep", "--dry-run", "--grid", str(grid), "c", code=2)
    assert "No such file" in cli.error("sweep", "--grid", str(tmp_path / "none"), "c", code=2)
