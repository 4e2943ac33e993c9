"""`ra.submit`, `ra.options`, `ra.map`: what a function returns or raises in a run, here."""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

import jupyter_ra_jobs as ra
from jupyter_ra_jobs import _call_worker
from jupyter_ra_jobs.cells.results import RemoteTraceback
from jupyter_ra_jobs.errors import BadInput, Conflict, NoResult, TimedOut, TooLarge
from tests.conftest import Server, wait_for


@pytest.fixture(autouse=True)
def as_in_a_notebook(server: Server) -> Iterator[None]:
    """What is defined here goes to a run as what is defined in a cell does."""
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    yield
    cloudpickle.unregister_pickle_by_value(module)


class Own(Exception):
    """An exception of the notebook's own."""


class Frozen(Exception):
    """One whose attributes can't be set."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)


class Stubborn(Exception):
    """One that can be pickled, and not be made anew."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


class Thing:
    """A class of the notebook's own."""

    def __init__(self, value: object) -> None:
        self.value = value


def raises(kind: type[Exception], *arguments: object) -> None:
    """Raise it."""
    raise kind(*arguments)


def in_another_kernel(run_id: str) -> str:
    """What another process sees of a run's result."""
    code = f"import jupyter_ra_jobs as ra; print(repr(ra.get({run_id!r}).result()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


# -- what comes back -----------------------------------------------------------------------------------


def test_returns() -> None:
    """What the function returned, of a class of the notebook's own too; what it printed is in the log."""
    factor = 3

    def scaled(value: float, *, lr: float) -> Thing:
        print("at work", flush=True)
        return Thing(value * factor + lr)

    run = ra.submit(scaled, 2, lr=0.5)
    result = run.result()
    assert type(result) is Thing
    assert result.value == 6.5
    assert run.name == "scaled(2, lr=0.5)"
    assert (run.status, run.exit_code, run.tail()) == ("finished", 0, "at work\n")
    assert run.result().value == 6.5


def test_all_arguments_are_the_functions() -> None:
    """Those that are named as an option of a run too; options go by `ra.options`."""
    run = ra.options(name="named", tags=["a"], env={"X": "y"}).submit(
        lambda name, timeout: (name, timeout, os.environ["X"]), name="n", timeout=None
    )
    assert run.result() == ("n", None, "y")
    assert (run.name, run.record.tags) == ("named", ["a"])


def test_the_function_is_seen() -> None:
    """In the command too, whatever the run is called; the function's own command line is empty."""
    run = ra.options(name="named").submit(lambda: sys.argv[1:])
    assert run.result() == []
    assert run.command.endswith(""" "$RA_FILES_DIR/call.py" '<lambda>'""")
    assert run._snapshot()[0].count("<lambda>") == 1
    sweep = ra.map(scale, {"by": [2]}, name="named too")
    assert sweep.results() == [([], 2)]
    assert sweep.runs[0].command.endswith(""" "$RA_FILES_DIR/call.py" scale '{"by": 2}'""")
    rows = repr(ra.runs(limit=2)).splitlines()[1:3]
    assert [row.split("  ")[-1].strip() for row in rows] == ["scale '{\"by\": 2}'", "'<lambda>'"]


def scale(by: float) -> tuple[list[str], float]:
    """For a name that is no lambda's."""
    return sys.argv[1:], by


def test_secrets_are_in_no_name() -> None:
    """Names are shown in every list."""

    def asks(host: str, password: str, *tokens: str, api_key: str = "", lr: float = 0) -> str:
        return host + password + tokens[0] + api_key

    run = ra.options(start=False).submit(asks, "h", "s1", "s2", api_key="s3", lr=0.1)
    assert run.command.endswith('call.py" asks')
    assert run.name == "asks('h', …, …, api_key=…, lr=0.1)"
    assert ra.options(start=False).submit(max, 1, 2).name == "max(1, 2)"


def test_open_files(tmp_path: Path) -> None:
    """A text file that is open for reading goes as its content, any other is refused."""
    path = tmp_path / "words.txt"
    path.write_text("one\ntwo\n")
    with path.open() as file:
        assert ra.submit(lambda given: given.read(), file).result() == "one\ntwo\n"
    for mode in ("rb", "a"):
        with path.open(mode) as file, pytest.raises(BadInput, match="can't be pickled"):
            ra.submit(print, file)


def test_another_kernel() -> None:
    """Has the result by the run's id, and each rerun its own."""
    run = ra.submit(lambda: {"pid": os.getpid()})
    assert in_another_kernel(run.id) == f"{run.result()}\n"
    again = run.rerun()
    assert again.result() != run.result()


def test_surroundings(server: Server) -> None:
    """This Python, this folder, and modules from where this kernel finds them."""
    folder = server.world.root / "elsewhere"
    folder.mkdir()
    (folder / "far_module.py").write_text("word = 'far'\n")
    (server.world.workdir / "near_module.py").write_text("word = 'near'\n")

    def where() -> list[str]:
        import far_module  # type: ignore[import-not-found]
        import near_module  # type: ignore[import-not-found]

        return [sys.executable, str(Path.cwd()), far_module.word, near_module.word]

    sys.path.append(str(folder))
    try:
        assert ra.submit(where).result() == [sys.executable, str(server.world.workdir), "far", "near"]
    finally:
        sys.path.remove(str(folder))


def test_large() -> None:
    """Arguments and results beyond what is held in one piece."""
    content = os.urandom(30_000_000)
    assert ra.submit(lambda given: given[::-1], content).result() == content[::-1]


def test_own_files(tmp_path: Path) -> None:
    """Beside those that the function is sent by."""
    (tmp_path / "data.txt").write_text("data")
    read = ra.options(files={"data.txt": tmp_path / "data.txt", "more": b"more"}).submit(
        lambda: {path.name: path.read_text() for path in Path(os.environ["RA_FILES_DIR"]).glob("[dm]*")}
    )
    assert read.result() == {"data.txt": "data", "more": "more"}
    with pytest.raises(BadInput, match=r"call\.pkl is a name"):
        ra.options(files={"call.pkl": b""}).submit(print)


def test_server_restarted(server: Server) -> None:
    """Killed while the function runs, and started on another port: the waiting goes on."""
    go = server.world.workdir / "go"

    def waits() -> str:
        print("on", flush=True)
        while not go.exists():
            time.sleep(0.01)
        return "done"

    run = ra.submit(waits)
    assert next(run.follow()) == "on"
    server.kill()
    thread = threading.Timer(0, lambda: (server.start(), go.touch()))
    thread.start()
    try:
        assert run.result() == "done"
    finally:
        thread.join()


# -- what is raised ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Own, ValueError, ZeroDivisionError])
def test_raises(kind: type[Exception]) -> None:
    """What the function raised, with where it did, in the log too; exit code 1."""
    run = ra.submit(raises, kind, "no luck")
    with pytest.raises(kind, match="no luck") as caught:
        run.result()
    assert type(caught.value) is kind
    assert isinstance(caught.value.__cause__, RemoteTraceback)
    told = str(caught.value.__cause__)
    for text in (run.id, "in raises", "raise kind(*arguments)", "no luck"):
        assert text in told
    assert (run.status, run.exit_code) == ("failed", 1)
    assert "raise kind(*arguments)" in run.tail(20)
    assert "call.py" not in run.tail(20)


def test_raises_what_cannot_come_back() -> None:
    """Its words do, and where it was raised."""
    run = ra.submit(raises, Stubborn, 1, 2)
    with pytest.raises(NoResult, match="1 and 2") as caught:
        run.result()
    assert "in raises" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by SIGKILL"),
        (lambda: os._exit(7), "exit code 7"),
        (lambda: sys.exit(3), r"sys\.exit\(3\)"),
        (lambda: sys.exit(0), r"sys\.exit\(0\)"),
        (lambda: (each for each in [1]), "of type generator, can't be pickled"),
        (lambda: threading.Lock(), "of type lock, can't be pickled"),
    ],
    ids=["killed", "gone", "exit", "exit 0", "generator", "lock"],
)
def test_no_result(function: Callable[[], Any], said: str) -> None:
    """Says why there is none, and of which run."""
    run = ra.submit(function)
    with pytest.raises(NoResult, match=said) as caught:
        run.result()
    assert run.id in str(caught.value)


def test_time_limit() -> None:
    """Says so."""
    with pytest.raises(NoResult, match="time limit of 1 seconds"):
        ra.options(timeout=1).submit(time.sleep, 1000).result()


def test_time_limit_after_the_return() -> None:
    """What the function returned doesn't count when the run failed by its time limit."""
    run = ra.options(timeout=2).submit(lambda: atexit.register(time.sleep, 1000) and "value")
    with pytest.raises(NoResult, match=f"run {run.id} failed: time limit of 2 seconds"):
        run.result()


def test_forked() -> None:
    """A child of the function's that returns from it has no say in what the run returns."""

    def forks() -> str:
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            os.environ.clear()  # nothing more is needed of it
        return "the run's" if child else "a child's"

    run = ra.submit(forks)
    assert run.result() == "the run's"
    assert [each.name for each in run.artifacts()] == ["call.result"]


@pytest.mark.parametrize("close", ["sys.stderr = None", "sys.stderr.close()"])
def test_raises_without_stderr(close: str) -> None:
    """What was raised is kept, though its traceback can't be told."""

    def raises_unseen() -> None:
        exec(f"import sys; {close}")
        raise ValueError("the reason")

    with pytest.raises(ValueError, match="the reason"):
        ra.submit(raises_unseen).result()


def test_raises_with_a_note() -> None:
    """Of what can't come back, its own words are told."""

    def noted() -> None:
        problem = Stubborn(1, 2)
        problem.__notes__ = ["a note"]  # type: ignore[attr-defined,unused-ignore]
        raise problem

    with pytest.raises(NoResult, match=r"Stubborn: 1 and 2\n"):
        ra.submit(noted).result()


def test_raises_what_is_frozen() -> None:
    """Its attributes can't be set."""
    with pytest.raises(Frozen) as caught:
        ra.submit(raises, Frozen, "word").result()
    assert "raise kind(*arguments)" in str(caught.value.__cause__)


def test_output_is_shown_plain() -> None:
    """What a terminal would obey is not in what is raised."""

    def killed() -> None:
        print("\x1b]0;title\x07end", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(NoResult, match=r"its output ends with:\nend$"):
        ra.submit(killed).result()


def test_stopped() -> None:
    """`result(timeout)` gives up waiting, and the run goes on; once it is stopped, that is said."""

    def sleeps() -> None:
        print("on", flush=True)
        time.sleep(1000)

    run = ra.submit(sleeps)
    assert next(run.follow()) == "on"
    with pytest.raises(TimedOut, match="it goes on"):
        run.result(timeout=0.01)
    assert run.status == "running"
    with pytest.raises(NoResult, match=f"run {run.id} was stopped"):
        run.stop().result()


def test_retried() -> None:
    """The result is that of the last try."""
    marker = Path("tried").absolute()

    def second_time() -> str:
        if not marker.exists():
            marker.touch()
            raise Own
        return "well"

    run = ra.options(max_retries=1, name="retried").submit(second_time)
    assert (run.result(), run.status) == ("well", "failed")
    assert run.retry is not None
    assert run.retry.result() == "well"


def test_not_started() -> None:
    """There is nothing to wait for."""
    run = ra.options(start=False).submit(int)
    with pytest.raises(Conflict, match="has not been started"):
        run.result()
    assert run.start().result() == 0


def test_of_a_command() -> None:
    """Has no result, and says what has."""
    with pytest.raises(BadInput, match=r"ra\.submit"):
        ra.run("true").wait().result()
    with pytest.raises(BadInput, match=r"ra\.map"):
        ra.sweep("true", {"x": [1]}).wait().results()


def test_result_gone(server: Server) -> None:
    """As when somebody has removed it."""
    run = ra.submit(int)
    assert run.result() == 0
    (server.run_dir(run.id) / "artifacts" / _call_worker.RESULT).unlink()
    with pytest.raises(NoResult, match="is gone from its artifacts"):
        run.result()


# -- what can't be -------------------------------------------------------------------------------------


def test_wrong_calls() -> None:
    """Are told before anything is sent."""

    def train(data: str, lr: float = 1.0) -> None:
        """It is never called."""

    was = len(ra.runs(archived=True, limit=1000))
    for wrong, said in (
        (lambda: ra.submit("train"), "must be a function"),
        (lambda: ra.submit(train), "missing a required argument: 'data'"),
        (lambda: ra.submit(train, "d", rate=1), "unexpected keyword argument 'rate'"),
        (lambda: ra.submit(train, "d", gpus=1), r"ra\.options\(gpus=…\)\.submit"),
        (lambda: ra.submit(train, threading.Lock()), "can't be pickled"),
        (lambda: ra.map(train, {"lr": [1]}), "missing a required argument: 'data'"),
        (lambda: ra.map(train, [1]), "must be a dict of lists"),
        (lambda: ra.map(train, {"data": "abc"}), "is no list of values"),
    ):
        with pytest.raises(BadInput, match=said) as caught:
            wrong()
        assert (caught.value.__cause__ is None) == ("pickled" not in said)
    with pytest.raises(TypeError, match="timeuot"):
        ra.options(timeuot=1)  # type: ignore[call-arg]
    assert len(ra.runs(archived=True, limit=1000)) == was


def test_another_python(server: Server) -> None:
    """Of another minor version: said before it fails oddly, in the run and here."""
    about = {"python": [3, 2], "cloudpickle": "1", "path": [], "sources": {}}
    files = {
        "call.py": Path(_call_worker.__file__),
        "call.json": json.dumps(about).encode(),
        "call.pkl": b"not even looked at",
    }
    run = ra.run('python "$RA_FILES_DIR/call.py" name', files=files)
    with pytest.raises(NoResult, match=r"comes from Python 3\.2"):
        run.result()
    for function, said in ((int, "was pickled by Python 3.2"), (lambda: raises(Own), "Own")):
        done = ra.submit(function)
        done.wait()
        path = server.run_dir(done.id) / "artifacts" / _call_worker.RESULT
        header, _, content = path.read_bytes().partition(b"\n")
        path.write_bytes(json.dumps({**json.loads(header), "python": [3, 2]}).encode() + b"\n" + content)
        with pytest.raises(NoResult, match=said):
            done.result()


def test_module_missing(server: Server) -> None:
    """What the function needs, and the run does not find, is named."""
    (server.world.workdir / "passing_module.py").write_text("def function(): pass\n")
    sys.path.insert(0, "")
    import passing_module  # type: ignore[import-not-found]

    (server.world.workdir / "passing_module.py").unlink()
    try:
        with pytest.raises(NoResult, match=r"could not be loaded: ModuleNotFoundError.*passing_module"):
            ra.submit(passing_module.function).result()
    finally:
        sys.path.remove("")
        del sys.modules["passing_module"]


# -- sweeps --------------------------------------------------------------------------------------------

VALUES: list[Any] = [
    1,
    "1",
    1.0,
    True,
    "true",
    None,
    "null",
    0.1 + 0.2,
    5e-324,
    1.7976931348623157e308,
    -0.0,
    2**64 - 1,
    -(2**63),
    "",
    "a b'\"$x\n{y} {**}",
    "žluť 🦎",
    [1, [2.0, "3"]],
    {"a": {"b": [None]}},
]


def test_map() -> None:
    """Each value arrives equal to what it is here, and of its type; results are in the order of the cells."""
    grid = {"value": VALUES, "other": ["o"]}
    sweep = ra.map(lambda value, other: (value, type(value).__name__, other), grid)
    sweep.start(4)
    results = sweep.results()
    assert [repr(result) for result in results] == [repr((v, type(v).__name__, "o")) for v in VALUES]
    assert [row.parameters for row in sweep.rows()] == [{"value": value, "other": "o"} for value in VALUES]
    assert sweep.runs[0].rerun().result() == results[0]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "no such number"),
        (float("inf"), "no such number"),
        ((1, 2), "a tuple would arrive as a list"),
        ([(1, 2)], "a tuple would arrive as a list"),
        ({1: 2}, "would arrive as a text"),
        (2**64, "64 bits"),
        ({1, 2}, "JSON has no set"),
        (b"x", "JSON has no bytes"),
        (Thing(1), "JSON has no Thing"),
        ("\ud800", "half a character"),
    ],
    ids=lambda given: given if isinstance(given, str) and given.isascii() else type(given).__name__,
)
def test_what_json_does_not_hold(value: Any, said: str) -> None:
    """Is an error that says so, and where."""
    with pytest.raises(BadInput, match=rf"^x: .*{said}"):
        ra.map(print, {"x": [1, value]})


def test_map_with_failures() -> None:
    """Raises what the first cell raised, with its run, or lists it. Of a retried one the last try counts."""
    marker = Path("mended").absolute()

    def inverse(x: int) -> float:
        return 1 / (x or int(marker.exists()))

    sweep = ra.map(inverse, {"x": [1, 0, 2]}, parallel=3, name="inverse")
    with pytest.raises(ZeroDivisionError) as caught:
        sweep.results()
    assert sweep.runs[1].id in str(caught.value.__cause__)
    one, problem, two = sweep.results(return_exceptions=True)
    assert (one, two, type(problem)) == (1.0, 0.5, ZeroDivisionError)
    marker.touch()
    sweep.retry()
    assert sweep.results() == [1.0, 1.0, 0.5]
    assert in_another_kernel(sweep.runs[-1].id) == "1.0\n"


def test_map_stopped() -> None:
    """Cells that were stopped, or never started, are told."""
    sweep = ra.map(lambda x: time.sleep(1000), {"x": [1, 2]})
    wait_for(lambda: sweep.progress.running == 1)
    sweep.stop()
    problems = sweep.results(return_exceptions=True)
    assert [type(problem) for problem in problems] == [NoResult, NoResult]
    assert all("stopped" in str(problem) for problem in problems)


def test_map_zip() -> None:
    """The options of `ra.sweep`."""
    sweep = ra.map(lambda a, b: a + b, {"a": [1, 2], "b": [10, 20]}, method="zip", parallel=2, tags=["t"])
    assert sweep.results() == [11, 22]
    assert sweep.runs[0].record.tags == ["t"]


# -- files ---------------------------------------------------------------------------------------------


def test_files_of_a_run(tmp_path: Path) -> None:
    """By path or as bytes; a run of a sweep has them too."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"from a file\n")
    files: dict[str, Any] = {"a.txt": str(path), "b.txt": b"bytes\n", "c.txt": path}
    run = ra.run('cat "$RA_FILES_DIR"/*', files=files).wait()
    assert run.tail() == "from a file\nbytes\nfrom a file\n"
    assert run.record.files.keys() == files.keys()
    sweep = ra.sweep('cat "$RA_FILES_DIR/b.txt"; echo {x}', {"x": [1, 2]}, files=files).wait()
    assert [each.tail() for each in sweep.runs] == ["bytes\n1\n", "bytes\n2\n"]


def test_wrong_files(tmp_path: Path) -> None:
    """Each with what is wrong."""
    os.mkfifo(tmp_path / "fifo")
    for files, said in (
        ([b""], "files must be a dict"),
        ({"a": tmp_path / "none"}, "No such file"),
        ({"a": tmp_path}, "is a folder; pack it"),
        ({"a": tmp_path / "fifo"}, "no regular file"),
        ({"a": 5}, "not as int"),
        ({"a/b": b""}, "no plain file name"),
    ):
        with pytest.raises(BadInput, match=said):
            ra.run("true", files=files)  # type: ignore[arg-type]


def test_too_large(server: Server) -> None:
    """Is told before it is sent, and what to do."""
    server.stop()
    server.start("--RaJobsApp.max_file_bytes=1000000")
    try:
        with pytest.raises(TooLarge, match="max_file_bytes"):
            ra.submit(len, os.urandom(2_000_000))
    finally:
        server.stop()
        server.start()


async def test_async_client(server: Server) -> None:
    """The same call; a file is sent once."""
    content = os.urandom(3_000_000)
    async with ra.AsyncClient() as client:
        sha256 = await client.put_file(content)
        path = server.world.workdir / ".agents" / "files" / sha256
        was = path.stat().st_ino
        assert await client.put_file(content) == sha256
    assert path.read_bytes() == content
    assert path.stat().st_ino == was


def test_changed_while_sent(server: Server, tmp_path: Path) -> None:
    """A file that is still written to is refused, whatever it had when it was first read."""
    from jupyter_ra_jobs.client.contents import Content

    path = tmp_path / "growing"
    path.write_bytes(b"x" * 10)
    for now in (b"x" * 11, b"x" * 9):
        content = Content(path)
        content.digest()
        path.write_bytes(now)
        with pytest.raises(BadInput, match="was changed"):
            list(content.parts())
        path.write_bytes(b"x" * 10)
