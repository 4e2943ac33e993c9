"""What a cell calls: `ra.run`, `ra.sweep`, and the objects that they give."""

import importlib.util
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from IPython.core.ultratb import VerboseTB
from msgspec import structs

import jupyter_ra_jobs as ra
from jupyter_ra_jobs.cells import surroundings
from jupyter_ra_jobs.cells.bars import bar, tell
from jupyter_ra_jobs.cells.outputs import Artifact
from jupyter_ra_jobs.client import Address, network
from jupyter_ra_jobs.errors import BadInput, Conflict, NotFound, RaJobsError, TimedOut
from jupyter_ra_jobs.models import NewRun
from tests.conftest import TOKEN, Server, World, wait_for
from tests.python.conftest import Jupyter

HAS_PANDAS = importlib.util.find_spec("pandas") is not None
UNKNOWN = "0" * 12
PRINT = (
    """python -c 'import json, os, sys; print(json.dumps([dict(os.environ), sys.executable, os.getcwd()]))'"""
)


# -- what a run gets of its kernel -------------------------------------------------------------------


def test_environment_of_a_kernel(world: World) -> None:
    """As `!python` has it: the same Python, variables and folder; none of the server's secrets."""
    secrets = {
        "JUPYTERHUB_API_TOKEN": "of-the-hub",
        "JPY_API_TOKEN": "old",
    }
    world.env |= {"OF_THE_SERVER": "kept", "CHANGED": "before", **secrets}
    jupyter = Jupyter(Server(world).start())
    (world.workdir / "a b").mkdir()
    with jupyter.kernel("a b") as cell:
        cell(
            "import os, jupyter_ra_jobs as ra\n"
            "os.environ.update(OF_THE_CELL='é \\n x', CHANGED='after')\n"
            "os.environ.update(RA_JOBS_TOKEN='t', JUPYTER_TOKEN='t2')\n"
            "os.environb[b'BYTES'] = b'\\xff'; os.environ['BASH_FUNC_module%%'] = '() { :; }'\n"
        )
        told = cell(
            f"run = ra.run({PRINT!r}, env={{'MINE': '1'}}).wait(progress=False); print(run.tail(), run.id)"
        )
        text, run_id = told.rsplit(maxsplit=1)
        environ, executable, folder = json.loads(text)
        names, cwd = json.loads(cell("import json; print(json.dumps([list(os.environ), os.getcwd()]))"))
        (spec,) = world.workdir.glob(f".agents/runs/{run_id}/spec.json")
    assert folder == cwd == f"{world.workdir}/a b"
    assert executable == sys.executable
    assert environ["PATH"].split(":")[0] == str(Path(sys.executable).parent)
    shown = ("OF_THE_SERVER", "OF_THE_CELL", "CHANGED", "MINE", "VIRTUAL_ENV")
    assert [environ.get(name) for name in shown] == ["kept", "é \n x", "after", "1", sys.prefix]
    hidden = {
        *secrets,
        "JUPYTER_TOKEN",
        "RA_JOBS_TOKEN",
        "RA_JOBS_URL",
        "JPY_PARENT_PID",
        "BYTES",
        "MPLBACKEND",
    }
    assert not hidden & environ.keys()
    for secret in (*secrets.values(), TOKEN):
        assert secret.encode() not in spec.read_bytes()
    # What it does not get is of the kernel's own process or terminal, or no text.
    left_out = {"BYTES", "BASH_FUNC_module%%", "MPLBACKEND"}
    assert not {*names} - environ.keys() - surroundings._NOT_GIVEN - left_out


def test_environment() -> None:
    """Only what the server has not; a backend that draws into a notebook draws nothing in a run."""
    given = {"A": "1", "B": "2", "PATH": "/bin", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    own = surroundings.environment(given, {"A": "1", "B": "other"})
    assert own.pop("VIRTUAL_ENV", sys.prefix) == sys.prefix
    assert own == {"B": "2", "PATH": f"{Path(sys.executable).parent}:/bin"}
    assert surroundings.environment({"MPLBACKEND": "agg"}, {})["MPLBACKEND"] == "agg"
    assert surroundings.environment_of(2**22 + 1) == surroundings.environment_of(None) == {}


def test_conda_environment(tmp_path: Path) -> None:
    """Known by its conda-meta; conda itself is not there, so this is a prefix that looks like one."""
    (tmp_path / "conda-meta").mkdir()
    code = (
        "import sys, json; sys.prefix = sys.base_prefix = sys.argv[1]\n"
        "from jupyter_ra_jobs.cells.surroundings import environment\n"
        "print(json.dumps(environment({'VIRTUAL_ENV': ''}, {'VIRTUAL_ENV': ''})))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["CONDA_PREFIX"] == str(tmp_path)


def test_server_of_somebody_elses_kernel(cells: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is the environment of the server that was found, not of what started the kernel."""
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    monkeypatch.setenv("HOME", "/changed")
    run = ra.run("echo $HOME").wait(progress=False)
    assert run.tail() == "/changed\n"


def test_server_elsewhere(cells: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is named by its URL may be on another machine: nothing of this one is sent to it."""
    monkeypatch.setenv("ONLY_HERE", "x")
    ra.connect(f"http://127.0.0.1:{cells.port}", TOKEN)
    run = ra.run("echo [$ONLY_HERE] $MINE; pwd", env={"MINE": "yes"}).wait(progress=False)
    assert run.tail() == f"[] yes\n{cells.world.workdir}\n"
    (cells.world.workdir / "below").mkdir(exist_ok=True)
    assert ra.run("pwd", workdir="below").wait(progress=False).tail() == f"{cells.world.workdir}/below\n"


def test_workdir(cells: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The kernel's folder, or one that is relative to it."""
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path)
    ra.connect(workdir=cells.world.workdir)
    monkeypatch.setenv("HOME", str(tmp_path))
    for given, expected in (
        (None, ""),
        ("below", "/below"),
        (Path("below"), "/below"),
        ("~/below", "/below"),
    ):
        assert ra.run("true", start=False, workdir=given).workdir == f"{tmp_path}{expected}"
    with pytest.raises(BadInput, match="there is no folder"):
        ra.run("true", workdir="none")
    with pytest.raises(BadInput, match="workdir: must be a path, not 5"):
        ra.run("true", workdir=5)  # type: ignore[arg-type]
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(BadInput, match=r"workdir: the current folder: .*say another one"):
        ra.run("true")


# -- runs ----------------------------------------------------------------------------------------------


def test_life_of_a_run(cells: Server) -> None:
    """As the issue's example has it."""
    first = ra.run("true", name="first").wait(progress=False)
    run = ra.run(
        "echo one; echo two; exit 3",
        name="baseline",
        tags=["a"],
        notes="n",
        timeout="1m",
        priority=1,
        after=first.id[:8],
        max_retries=0,
    )
    assert run.wait(progress=False) is run
    assert (run.status, run.exit_code, run.name, run.command) == (
        "failed",
        3,
        "baseline",
        "echo one; echo two; exit 3",
    )
    assert f"{run.status}" == "failed"
    assert (run.tail(1), list(run.follow()), run.search("tw")) == ("two\n", ["one", "two"], ["two"])
    assert run.duration is not None
    assert run.duration >= 0
    record = run.record
    assert (record.tags, record.notes, record.timeout_seconds, record.priority) == (["a"], "n", 60, 1)
    assert record.after == [first.id]
    run.log_metrics(loss=0.5, step=1)
    run.log_metrics(loss=numpy.float32(0.25), step=2)
    metrics = run.metrics()
    assert (list(metrics), metrics.last["loss"], len(metrics["loss"])) == (["loss"], 0.25, 2)
    again = run.rerun(command="true").wait(progress=False)
    assert (again.exit_code, again.name) == (0, "baseline (Rerun)")
    assert run.rerun(start=False).status == "ready"
    assert run.edit(name="renamed", tags=["b"]).name == "renamed"
    with pytest.raises(TypeError, match="nmae"):
        run.edit(nmae="x")
    assert run.archive().record.is_archived
    assert run not in ra.runs()
    assert run in ra.runs(archived=True)
    assert run.unarchive() in ra.runs()
    got = ra.get(run.id[:8])
    assert (got == run, hash(got) == hash(run), got != again, got is not run) == (True, True, True, True)
    assert run != run.id
    with pytest.raises(NotFound, match="is no id"):
        ra.run("true", after="nope")
    assert len({run, got, again}) == 2
    cells.post(f"/runs/{run.id}/archive")
    assert run.refresh().record.is_archived
    assert [run.id for run in ra.runs(status="failed", search="renamed", limit=1, archived=True)] == [run.id]
    assert ra.runs(status=["running", "queued"], search="renamed") == []


def test_stop_and_time_limit(cells: Server) -> None:
    """A wait that is over leaves the run as it is."""
    run = ra.run("read line")
    with pytest.raises(TimedOut):
        run.wait(0.1, progress=False)
    assert run.stop().wait(progress=False).status == "stopped"
    ready = ra.run("true", start=False)
    with pytest.raises(Conflict, match="has not been started"):
        ready.wait()
    assert ready.queue().status == "queued"
    assert ready.start().wait(progress=False).status == "finished"


def test_tail_of_what_was_written_over(cells: Server) -> None:
    """What stands there in the end, in its colour; the lines of `follow` are as they were written."""
    run = ra.run(r"printf '0%%\r\033[32m50%%\r\n1%%\r2%%\r\nlast'").wait(progress=False)
    assert run.tail() == "\x1b[32m50%\n2%\nlast"
    assert list(run.follow()) == ["0%\r\x1b[32m50%\r", "1%\r2%\r", "last"]


def test_retry(cells: Server) -> None:
    """Who waits gets the last try; `retry` leads from one that failed to the next."""
    run = ra.run("test -e tried || { touch tried; exit 3; }", max_retries=1, name="tried twice")
    last = run.wait(progress=False)
    assert (run.exit_code, last.exit_code, last.record.attempt) == (3, 0, 2)
    assert run.retry == last
    assert last.retry is None
    assert run.rerun("true").wait(progress=False) != last
    assert run.retry == last
    assert run.edit(name="renamed since").wait(progress=False) == last
    assert ra.run("false").wait(progress=False).retry is None
    stuck = ra.run("test -e stuck && read line; touch stuck; false", max_retries=1)
    with pytest.raises(TimedOut, match="it goes on"):
        stuck.wait(2, progress=False)
    wait_for(lambda: stuck.retry)
    assert stuck.retry is not None
    assert stuck.retry.stop().wait(progress=False) == stuck.retry


def test_progress_bar(cells: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Only where somebody looks, unless it is asked for."""
    ra.run("true").wait()
    ra.run("true").wait(progress=False)
    assert capsys.readouterr().err == ""
    ra.run("true", name="shown").wait(progress=True)
    assert "shown" in capsys.readouterr().err
    ra.run("true", name="\x1b]0;title\x07a\x9b2J\u202eb").wait(progress=True)
    shown = capsys.readouterr().err
    assert "ab:" in shown
    with bar("shown", 2, True):
        tell("the server is away")
    assert "\nthe server is away\n" in capsys.readouterr().err.replace("\r", "\n")
    tell("the server is \x1b]0;title\x07back")
    assert capsys.readouterr().err == "the server is back\n"
    assert not set("\x1b\x9b\u202e") & set(shown)


def test_artifacts(cells: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read, and downloaded whole or not at all, into a folder below it as in its name, and nowhere else."""
    run = ra.run("mkdir $RA_ARTIFACTS_DIR/a; echo model > $RA_ARTIFACTS_DIR/a/m.pt").wait(progress=False)
    (artifact,) = run.artifacts()
    assert (artifact.type, artifact.size, artifact.certain) == ("checkpoint", 6, True)
    assert artifact.read() == b"model\n"
    (tmp_path / "to").mkdir()
    for to, expected in (
        (tmp_path / "to", "to/a/m.pt"),
        (str(tmp_path / "new.pt"), "new.pt"),
        (tmp_path / "to", "to/a/m.pt"),
    ):
        assert artifact.download(to) == tmp_path / expected
        assert (tmp_path / expected).read_bytes() == b"model\n"
    monkeypatch.chdir(tmp_path)
    assert artifact.download() == Path("a/m.pt")
    (tmp_path / "to" / "b").symlink_to(tmp_path)
    for name in ("../m.pt", "a/../../m.pt", "/m.pt", "b/m.pt"):
        forged = Artifact(structs.replace(artifact.record, name=name), run.id, ra.Client())
        with pytest.raises(BadInput, match="leads out of"):
            forged.download(tmp_path / "to")
    with pytest.raises(BadInput, match="there is no folder none; make it first"):
        artifact.download("none/x.pt")
    Path(artifact.record.path).unlink()
    with pytest.raises(NotFound):
        artifact.download("other.pt")
    assert sorted(path.name for path in tmp_path.rglob("*.p*")) == ["m.pt", "m.pt", "new.pt"]


# -- sweeps --------------------------------------------------------------------------------------------


def grid(values: Any) -> list[Any]:
    """What becomes of a parameter's values."""
    sweep = ra.sweep("true", {"a": values}, start=False)
    found: list[Any] = sweep.record.parameters["a"]
    assert len(sweep.runs) == len(found)
    return found


def test_grids(cells: Server) -> None:
    """Lists of whatever can be iterated."""
    assert grid([1, "two", 0.5, True, None, [1], {"b": 2}]) == [1, "two", 0.5, True, None, [1], {"b": 2}]
    assert grid(range(3)) == [0, 1, 2]
    assert grid(n * n for n in range(3)) == [0, 1, 4]
    assert grid(numpy.array([0.5, 0.25])) == [0.5, 0.25]
    assert grid(numpy.arange(2)) == [0, 1]
    assert grid([numpy.float32(0.5), numpy.int8(1), numpy.bool_(True), numpy.str_("x")]) == [
        0.5,
        1,
        True,
        "x",
    ]
    assert grid([Path("/data/a")]) == ["/data/a"]


@pytest.mark.skipif(not HAS_PANDAS, reason="pandas is not installed")
def test_grid_of_a_column(cells: Server) -> None:
    """A column's values."""
    import pandas

    frame = pandas.DataFrame({"lr": [0.1, 0.2], "n": [1, 2], "name": ["a", "b"]})
    assert (grid(frame["lr"]), grid(frame["n"]), grid(frame["name"])) == ([0.1, 0.2], [1, 2], ["a", "b"])
    with pytest.raises(BadInput, match="a: "):
        ra.sweep("true", {"a": pandas.Series([1, pandas.NA])})


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([1, 2], "parameters must be a dict of lists, as"),
        (None, "parameters must be a dict of lists, as"),
        ({"a": 5}, r"a: 5 is no list of values; for one value write \[5\]"),
        ({"a": "text"}, r"a: 'text' is no list of values; for one value write \['text'\]"),
        ({"a": {"min": 1, "max": 2}}, "a: .* is no list of values"),
        ({"a": numpy.array(5)}, "a: .* is no list of values"),
        ({"a": numpy.eye(2)}, "a: .* is a ndarray; a value is a number"),
        ({"a": itertools.count()}, "a: more than 1,000,000 values"),
        ({"a": [object()]}, "a: .* is a object; a value is a number"),
        ({"a": [1j]}, "a: 1j is a complex"),
        ({"a": [float("nan")]}, "a: nan is no number that JSON has; write it as a text, 'nan'"),
        ({"a": [float("inf")]}, "a: inf is no number"),
        ({5: [1]}, "parameters: 5 is no name"),
        ({"a": []}, r"parameters\.a: has no values"),
        ({"--a": [1]}, "say 'a'; the dashes are added"),
    ],
)
def test_bad_grid(cells: Server, parameters: Any, words: str) -> None:
    """Says what is wrong with which parameter, and what would be right."""
    with pytest.raises(BadInput, match=words) as caught:
        ra.sweep("true", parameters)
    assert caught.value.__cause__ is None


def test_life_of_a_sweep(cells: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its runs, its table, its best run; names that are taken have a prefix."""
    command = (
        "python -c 'import json, os, sys; lr = float(sys.argv[1]); "
        'file = open(os.environ["RA_RUN_DIR"] + "/metrics.jsonl", "w"); '
        '[print(json.dumps({"step": n, "loss": lr * n, "acc": lr, "lr": 9}), file=file) '
        "for n in (2, 1, 3)]' "
        "{lr} # {status}"
    )
    sweep = ra.sweep(
        command, {"lr": [0.5, 0.25], "status": ["x"]}, parallel=2, name="s", goal="g", tags=["t"]
    )
    assert sweep.wait(progress=False) is sweep
    assert (sweep.status, sweep.progress.completed, sweep.name) == ("completed", 2, "s")
    assert [run.record.sweep_params["lr"] for run in sweep.runs] == [0.5, 0.25]  # type: ignore[index]
    assert all(run.record.tags == ["t"] for run in sweep.runs)
    assert (ra.get(sweep.id) == sweep, hash(ra.get(sweep.id)) == hash(sweep)) == (True, True)
    assert sweep in ra.sweeps()
    assert ra.runs(sweep=sweep) == ra.runs(sweep=sweep.id) == ra.runs(sweep=sweep.id[:8]) == sweep.runs[::-1]
    wait_for(lambda: all("loss" in row.metrics for row in sweep.rows()))
    frame = sweep.table("min")
    monkeypatch.setitem(sys.modules, "pandas", None)  # type: ignore[arg-type]  # as if not installed
    rows = sweep.table("min")
    assert not HAS_PANDAS or frame.reset_index().to_dict("records") == rows
    assert [
        (row["lr"], row["parameters.status"], row["status"], row["exit_code"], row["loss"], row["metrics.lr"])
        for row in rows
    ] == [
        (0.5, "x", "finished", 0, 0.5, 9),
        (0.25, "x", "finished", 0, 0.25, 9),
    ]
    assert [row["run_id"] for row in rows] == [run.id for run in sweep.runs]
    assert sweep.best("loss") == sweep.runs[1]
    assert sweep.best("loss", "max") == sweep.best("acc") == sweep.runs[0]
    assert sweep.best("acc", "min") == sweep.runs[1]
    with pytest.raises(BadInput, match=r"best: 'lr' does not tell .*; say mode='min' or mode='max'"):
        sweep.best("lr")
    assert [row.parameters["lr"] for row in sweep.rows(sort="loss")] == [0.25, 0.5]
    with pytest.raises(
        Conflict, match=r"no run of sweep .* has a value of 'val_loss' yet .*there are .*loss"
    ):
        sweep.best("val_loss")
    with pytest.raises(Conflict, match="no run of sweep"):
        sweep.best("status", "min")
    with pytest.raises(BadInput, match="mode: must be 'min' or 'max'"):
        sweep.best("loss", "lowest")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="metrics"):
        sweep.table("median")  # type: ignore[arg-type]


def test_a_place_of_no_parameter(cells: Server) -> None:
    """Is warned of, where the caller sees it; what is the shell's is not."""
    with pytest.warns(UserWarning, match=r"\{lrr\} is no parameter and .*; did you mean \{lr\}\?") as told:
        sweep = ra.sweep("echo {lrr} {lr} ${lr} {a,b} {1..3}", {"lr": [1]}, start=False)
    assert [warning.filename for warning in told] == [__file__]
    assert sweep.runs[0].command == "echo {lrr} 1 ${lr} {a,b} {1..3}"


def test_other_sweeps(cells: Server) -> None:
    """Zipped, random, started later, stopped, retried."""
    zipped = ra.sweep("true", {"a": range(2), "b": range(2)}, method="zip", start=False)
    assert zipped.edit(name="renamed", goal="why") is zipped
    assert (zipped.name, zipped.record.goal) == ("renamed", "why")
    assert len(zipped.runs) == 2
    drawn = ra.sweep(
        "true", {"a": {"min": numpy.float64(1), "max": 2.0}}, method="random", max_runs=3, seed=1, start=False
    )
    assert len(drawn.runs) == 3
    failing = ra.sweep("exit 1", {"a": range(2)}, start=False).start(parallel=2).wait(progress=False)
    assert failing.status == "failed"
    failing.retry()
    wait_for(lambda: len(failing.runs) == 4)
    failing.wait(progress=False)
    hanging = ra.sweep("read line #", {"a": range(2)})
    wait_for(lambda: hanging.progress.running)
    with pytest.raises(TimedOut):
        hanging.wait(0.1, progress=False)
    assert hanging.stop().wait(progress=False).status == "canceled"
    with pytest.raises(Conflict, match="start it first"):
        zipped.wait()


def test_metrics_that_are_no_numbers_any_more(cells: Server) -> None:
    """Their last value is nan, the text and the notes say so; one without a point is there."""
    run = ra.run("true", start=False)
    run.log_metrics(step=1, loss=2.0, lr=1)
    run.log_metrics(step=2, loss=float("nan"), never=float("inf"))
    metrics = run.metrics()
    assert [len(metrics[name]) for name in ("loss", "lr", "never")] == [1, 1, 0]
    assert (str(metrics.last["loss"]), metrics.last["lr"], str(metrics.last["never"])) == ("nan", 1, "nan")
    assert "loss (first at step 2), never (first at step 2)" in metrics.notes[0]
    assert ["NaN or inf" in line for line in repr(metrics).splitlines()] == [False, True, False, True, True]
    assert len(run.metrics("never")["never"]) == 0
    if HAS_PANDAS:
        assert metrics.to_pandas()["never"].isna().all()


@pytest.mark.skipif(not HAS_PANDAS, reason="pandas is not installed")
def test_metrics_as_a_table(cells: Server) -> None:
    """A column a metric, by step."""
    run = ra.run("true").wait(progress=False)
    run.log_metrics(step=1, a=1.0, b=2.0)
    run.log_metrics(step=2, a=3.0)
    frame = run.metrics().to_pandas()
    assert (list(frame.index), list(frame["a"]), frame["b"][1]) == ([1, 2], [1.0, 3.0], 2.0)


def test_runs_as_a_table(cells: Server) -> None:
    """A row a run, with times that are times."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    run = ra.run("exit 3", tags=["framed"]).wait(progress=False)
    waiting = ra.run("true", start=False)
    frame = ra.runs(limit=2).to_pandas()
    assert list(frame.index) == [waiting.id, run.id]
    assert frame.loc[run.id, ["status", "exit_code", "tags", "command"]].to_list() == [
        "failed",
        3,
        ["framed"],
        "exit 3",
    ]
    assert frame.loc[run.id, "ended_at"] == pandas.Timestamp(run.record.ended_at, unit="s", tz="UTC")
    assert pandas.isna(frame.loc[waiting.id, "started_at"])
    assert len(ra.runs(search="no such run").to_pandas()) == 0


def test_no_pandas(cells: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says how to get it."""
    monkeypatch.setitem(sys.modules, "pandas", None)  # type: ignore[arg-type]  # as if not installed
    for table in (ra.runs(), ra.run("true", start=False).metrics()):
        with pytest.raises(ImportError, match="%pip install pandas"):
            table.to_pandas()


# -- bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [None, "named"])
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["python", "a b.py"], "the command must be a string, as a shell takes it: \"python 'a b.py'\""),
        (("ls",), "the command must be a string, as a shell takes it: 'ls'"),
        ("", "the command is empty"),
        (" \n", "the command is empty"),
        (None, "the command must be a string, as a shell takes it, not None"),
        (5, "not 5"),
        (b"ls", "not b'ls'"),
        (["a", 5], "not "),
        ("a\0b", "command: a NUL character"),
        ("x" * 200_000, "put it in a script"),
    ],
)
def test_bad_command(cells: Server, command: Any, words: str, name: str | None) -> None:
    """Said by both, in the same words."""
    for call in (lambda: ra.run(command, name=name), lambda: ra.sweep(command, {"a": [1]}, name=name)):
        with pytest.raises(BadInput) as caught:
            call()
        assert words in str(caught.value).replace("base_command", "command")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tags": "abc"}, r"tags: must be a list of strings, as \['abc'\]"),
        ({"tags": 5}, "tags: must be a list of strings"),
        ({"tags": [5]}, "tags"),
        ({"env": {"A": 5}}, "env: the value of A must be a string, as '5'"),
        ({"env": {"a b": "x"}}, "env: 'a b' is no name of a variable"),
        ({"env": ["A"]}, "env: must be a dict of strings"),
        ({"name": 5}, "name: must be a string, not 5"),
        ({"after": 5}, "after: must be runs or their ids, not 5"),
        ({"after": [5]}, "after: must be runs or their ids, not 5"),
        ({"after": UNKNOWN}, "after: .*000000000000"),
        ({"priority": "high"}, "priority"),
        ({"timeout": -1}, "timeout_seconds"),
        ({"timeout": "soon"}, "timeout: 'soon' is no length of time"),
        ({"max_retries": 1000}, "max_retries"),
        ({"gpus": 1.5}, "gpus"),
    ],
)
def test_bad_options(cells: Server, options: dict[str, Any], words: str) -> None:
    """Each says what it was, and what would be right; nothing was created."""
    before = ra.runs(limit=1)
    with pytest.raises(BadInput, match=words):
        ra.run("true", **options)
    with pytest.raises(BadInput, match=words):
        ra.sweep("true", {"a": [1]}, **options)
    assert ra.runs(limit=1) == before


def test_bad_words(cells: Server) -> None:
    """Unknown keywords, ids and statuses."""
    for call in (ra.run, ra.runs, ra.sweeps, ra.connect, ra.serve):
        with pytest.raises(TypeError, match="nmae"):
            call(nmae="x")  # type: ignore[operator]
    with pytest.raises(NotFound, match=r"there is no run and no sweep 000000000000; ra\.runs\(\) lists"):
        ra.get(UNKNOWN)
    for wrong in (5, None, ""):
        with pytest.raises(BadInput, match="an id is a string of twelve hex digits"):
            ra.get(wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="status: 'done' must be of"):
        ra.runs(status="done")
    with pytest.raises(AttributeError, match="has no attribute 'rnus'"):
        ra.rnus  # noqa: B018
    assert {"run", "sweep", "runs", "sweeps", "get", "connect", "serve"} <= set(dir(ra))


def test_words_of_the_wrong_kind(cells: Server) -> None:
    """Are said before anything is waited for; of a metric that is not there is said which are."""
    run = ra.run("true").wait(progress=False)
    assert len(run.metrics("val_los")) == 0  # it may still come
    run.log_metrics(step=1, val_loss=0.5)
    assert list(run.metrics("val_loss")) == ["val_loss"]
    with pytest.raises(NotFound, match="has no metric 'val_los'; it has val_loss"):
        run.metrics("val_loss", "val_los")
    with pytest.raises(NotFound):
        ra.runs(sweep=UNKNOWN)
    wrong: list[tuple[Callable[..., object], str]] = [
        (lambda: run.metrics(["val_loss"]), r"as metrics\('val_loss', 'lr'\)"),  # type: ignore[arg-type]
        (lambda: run.wait("5"), "timeout: must be a number of seconds, not '5'"),  # type: ignore[arg-type]
        (lambda: run.tail("x"), "lines: must be a whole number, not 'x'"),  # type: ignore[arg-type]
        (lambda: ra.runs(limit="x"), "limit: must be a whole number"),  # type: ignore[arg-type]
        (lambda: ra.runs(status=5), "status: must be a status, or several"),  # type: ignore[arg-type]
    ]
    for call, words in wrong:
        with pytest.raises(BadInput, match=words):
            call()


def test_name_of_a_run(cells: Server) -> None:
    """Its command's first line, if nobody says another."""
    assert ra.run("\n  echo one\necho two", start=False).name == "echo one"
    assert ra.run("x" * 100, start=False).name == "x" * 79 + "…"
    assert ra.run("true", name="", start=False).name == "true"


def test_no_secret_in_a_traceback(cells: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where all variables are shown, as by `%xmode Verbose`: a notebook is saved and sent around."""
    monkeypatch.setenv("OF_THE_KERNEL", "a-secret-1")
    given = {"GIVEN": "a-secret-2"}
    address = Address(url="https://h/ra-jobs", token="a-secret-3", certificate="/none")
    for call in (
        lambda: ra.run("true", env=given, timeout=-1),
        lambda: ra.run("", env=given),
        lambda: ra.sweep("true", {"n": [1]}, env=given, timeout=-1),
        lambda: ra.Client().create_run(NewRun(name="n", command="true", env=given, timeout_seconds=-1)),
        lambda: network.settings(address),
    ):
        with pytest.raises(RaJobsError) as caught:
            call()
        trace = caught.value.__traceback__
        assert trace is not None
        assert trace.tb_next is not None
        text = VerboseTB().text(caught.type, caught.value, trace.tb_next.tb_next)  # beneath this test
        assert "jupyter_ra_jobs" in text
        assert "a-secret" not in text
