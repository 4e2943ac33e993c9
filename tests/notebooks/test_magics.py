"""`%run_job` and the others, in a kernel that a real server has started."""

import re
from importlib.util import find_spec
from typing import Any

import pytest

from tests.conftest import Server, wait_for
from tests.notebooks.kernels import Kernel, Outputs


def log(kernel: Kernel, code: str) -> str:
    """What the run writes that this cell leaves in `_`."""
    kernel.good(code)
    return str(kernel.value("_.wait(progress=False).tail(100)")).replace("\r\n", "\n")


def test_a_line(kernel: Kernel) -> None:
    """Options before the command; the command as it stands there, with its quotes, spaces and dashes."""
    shown = kernel.good(
        """%run_job --name "a b" --tag x --tag y --timeout 1m printf '%s|' "1  2"   --name c -- d"""
    )
    assert "Run " in shown.text
    assert "'a b'" in shown.text
    run = kernel.value(
        "[_.wait(progress=False).name, _.tail(), _.command, _.record.tags, _.record.timeout_seconds]"
    )
    command = """printf '%s|' "1  2"   --name c -- d"""
    assert run == ["a b", "1  2|--name|c|--|d|", command, ["x", "y"], 60.0]


def test_what_python_and_what_the_shell_expands(kernel: Kernel) -> None:
    """As after `!`: once, and what is no Python name is the shell's."""
    kernel.good("lr = 0.5; text = '$lr {lr}'")
    assert log(kernel, "%run_job --env HERE=there echo $lr {lr*2} $HERE $$lr {{lr}} '$lr' {text!r}") == (
        "0.5 1.0 there {lr} $lr $lr {lr}\n"
    )
    cell = (
        "%%run_job --env HERE=there\necho $lr\necho {lr} $HERE \\\n  on\nfor word in a b; do echo $word; done"
    )
    assert log(kernel, cell) == "0.5\n0.5 there on\na\nb\n"


def test_a_name_that_python_does_not_know(kernel: Kernel) -> None:
    """Is said; of the shell's own braces nothing is."""
    kernel.good("lrate = 0.5")
    told = kernel.good("%run_job --no-start echo {lrat} {lrate}").complained
    assert "'lrat' is not defined: all braces stay as they are; did you mean {lrate}?" in told
    for own in ("echo {no,such}", "f() { echo 1; }; f", "echo ${such} {{such}}"):
        assert kernel.good(f"%run_job --no-start {own}").complained == ""


def test_braces_of_the_shell(kernel: Kernel) -> None:
    """They stay, and `$name` is Python's beside them, on any line; `$$name` is the shell's."""
    kernel.good("lr = 0.5; n = 7")
    assert log(kernel, "%run_job echo a b c | awk '{print $3, $n}' OFS=$lr n=1") == "c0.5a\n"
    cell = "%%run_job --env HERE=there\nf() {\n  echo first\n  echo $lr $1 $HERE\n}\nf '$lr'"
    assert log(kernel, cell) == "first\n0.5 $lr there\n"
    assert log(kernel, "%%run_job\necho one\necho $lr\necho {n} '\n$lr'\necho $n") == "one\n0.5\n7 \n$lr\n7\n"
    assert log(kernel, "%%run_job\nlr=shell\nf() { echo $$lr $lr {lr}; }; f") == "shell 0.5 {lr}\n"


def test_in_a_function(kernel: Kernel) -> None:
    """Its locals count, and none of ours."""
    kernel.good(
        "def go(mine):\n    return get_ipython().run_cell_magic('run_job', '', 'echo $mine [$cell$args]')"
    )
    assert log(kernel, "go('ours')") == "ours []\n"
    kernel.good(
        "def go(mine):\n    return get_ipython().run_line_magic('run_job', 'echo $mine [$line$rest]')"
    )
    assert log(kernel, "go('ours')") == "ours []\n"


def test_a_cell_of_python(kernel: Kernel, project: Server) -> None:
    """A process of its own: with this kernel's Python, what lies beside the notebook, and its source kept."""
    (project.world.workdir / "beside.py").write_text("word = 'found'\n")
    cell = "# my study\nimport os, sys, beside\nprint(beside.word, f'{1 + 1}', os.getcwd(), sys.executable)"
    written = log(kernel, f"%%run_job --python --tag cell\n{cell}")
    python = kernel.value("__import__('sys').executable")
    assert written == f"found 2 {project.world.workdir} {python}\n"
    run_id, name = kernel.value("[_.id, _.name]")
    assert name == "my study"
    assert [path.read_text() for path in project.run_dir(run_id).rglob("cell.py")] == [f"{cell}\n"]
    wrong = kernel.run("%%run_job --python\nx = 1\n!ls")
    assert wrong.error is not None
    assert wrong.error.startswith("SyntaxError")


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("%run_job", "which command?"),
        ("%run_job --nmae x true", "did you mean --name?"),
        ("%run_job -x true", "Options of the command itself come after"),
        ("%run_job --name", "--name needs a value"),
        ("%run_job --timeout soon true", "'soon' is no length of time; say seconds, or as in 30m"),
        ("%run_job --gpus many true", "must be a whole number, not 'many'"),
        ("%run_job --env HOME true", "must be NAME=VALUE, not 'HOME'"),
        ("%run_job --wait=yes true", "--wait"),
        ("%run_job --no-start --wait true", "--no-start leaves nothing to wait for"),
        ("%run_job --python true", "%%run_job --python"),
        ("%%run_job echo\necho", "the cell is the command"),
        ("%runs runing", "there are ready, queued"),
        ("%runs -n x", "must be a whole number"),
        ("%logs", "required"),
        ("%logs x -n -1", "-1"),
    ],
)
def test_words_that_make_no_sense(kernel: Kernel, code: str, right: str) -> None:
    """One line that says what would."""
    before = kernel.value("len(ra.runs())")
    outputs = kernel.run(code)
    assert outputs.error is not None
    assert outputs.error.startswith("UsageError: ")
    assert right in outputs.error
    assert outputs.complained.startswith("UsageError: ")
    assert kernel.value("len(ra.runs())") == before


def test_what_the_server_says(kernel: Kernel) -> None:
    """Is raised as it is."""
    assert "NotFound" in (kernel.run("%logs 000000000000").error or "")
    assert "NotFound" in (kernel.run("%run_job --after 000000000000 true").error or "")
    assert "BadInput" in (kernel.run("%run_job --priority 3000000000 true").error or "")


def test_no_start_after(kernel: Kernel) -> None:
    """Created alone; and after others, by a variable or an id."""
    assert "ready" in kernel.good("first = %run_job --no-start echo first\nfirst").text
    kernel.good("second = %run_job --after first --after {first.id[:6]} echo second")
    assert kernel.value("[second.status, second.record.after == [first.id]]") == ["queued", True]
    kernel.good("first.start(); second.wait(progress=False)")
    assert kernel.value("second.tail()") == "second\n"


def test_follow(kernel: Kernel) -> None:
    """Its output in the cell, all of it, and then the Run as it ended."""
    outputs = kernel.good("%run_job --follow echo one; echo two; exit 3")
    assert outputs.printed == "one\ntwo\n"
    assert "failed, " in outputs.text
    assert "exit code 3" in outputs.text


def test_wait(kernel: Kernel) -> None:
    """The Run as it ended."""
    assert "finished, " in kernel.good("%run_job --wait true").text


WITHOUT_IPYWIDGETS = """
import sys
for name in [name for name in sys.modules if name.split('.')[0] == 'tqdm']:
    del sys.modules[name]
sys.modules['ipywidgets'] = None
"""


@pytest.mark.skipif(find_spec("tqdm") is None, reason="tqdm is not installed")
def test_waiting_shows_a_bar(kernel: Kernel) -> None:
    """Unless nobody wants one; a run that has finished fills it. It is text where there are no widgets."""
    (widget,) = kernel.good("ra.run('true', name='barred').wait();").shown
    assert "application/vnd.jupyter.widget-view+json" in widget
    assert "barred" in widget["text/plain"]
    kernel.good(WITHOUT_IPYWIDGETS)
    shown = kernel.good("ra.run('true', name='barred').wait()").complained
    assert "barred: 100%|" in shown
    assert "finished" in shown
    assert "IProgress" not in shown
    assert kernel.good("ra.run('true').wait(progress=False)").complained == ""
    kernel.good("del sys.modules['ipywidgets']")


def test_lists(kernel: Kernel) -> None:
    """Tables; by status too."""
    kernel.good("%run_job --name listed --wait true")
    outputs = kernel.good("%runs finished")
    assert "listed" in outputs.text
    assert "listed" in outputs.html
    assert kernel.good("%runs -n 1").text.count("\n") == 2
    kernel.good("ra.sweep('true', {'n': [1, 2]}, name='swept').wait(progress=False)")
    assert "swept" in kernel.good("%sweeps").text


def test_logs(kernel: Kernel) -> None:
    """The last lines, of an id or of a variable."""
    kernel.good("counted = %run_job --wait seq 100")
    assert kernel.good("%logs counted -n 3").printed == "98\n99\n100\n"
    assert kernel.good("%logs {counted.id[:8]}").printed == "".join(f"{n}\n" for n in range(81, 101))
    assert kernel.good("%logs counted -n 0").printed == ""
    assert kernel.good("%logs counted -n 2 -f").printed == "99\n100\n"


def test_completion(kernel: Kernel) -> None:
    """Tab knows the ids."""
    run_id = kernel.value("ra.run('true').id")
    assert kernel.complete(f"%logs {run_id[:4]}") == [run_id]
    assert kernel.complete(f"%stop_job {run_id[:4]}") == [run_id]
    assert kernel.complete(f"x = %run_job --no-start --after {run_id[:4]}") == [run_id]
    assert kernel.complete(f"%%run_job --after={run_id[:4]}") == [run_id]
    kernel.good(
        "my_run = ra.get(run_id); my_sweep = ra.sweep('true', {'n': [1]})".replace("run_id", repr(run_id))
    )
    sweep_id = kernel.value("my_sweep.id")
    assert kernel.complete("%logs my_") == ["my_run"]
    assert kernel.complete("%stop_job my_") == ["my_run", "my_sweep"]
    assert kernel.complete(f"%stop_job {sweep_id[:6]}") == [sweep_id]


def test_completion_of_options(kernel: Kernel) -> None:
    """Before the command, and not within it."""
    assert kernel.complete("%run_job --wa") == ["--wait"]
    assert kernel.complete("%run_job --tag a --no") == ["--no-start"]
    assert "--max-retries" in kernel.complete("%%run_job --")
    assert "--wait" not in kernel.complete("%run_job python train.py --wa")
    assert "--wait" not in kernel.complete("%run_job --name --wa")


def test_logs_that_go_on(kernel: Kernel, project: Server) -> None:
    """What is there, and what comes, each line once."""
    go = project.world.workdir / "go"
    kernel.good("slow = %run_job seq 3; until [ -e go ]; do sleep 0.05; done; echo over")
    wait_for(lambda: b"3" in project.log(kernel.value("slow.id")), "it has written")

    def let_go(outputs: Outputs) -> None:
        if "3" in outputs.printed:
            go.touch()

    assert kernel.run("%logs slow -n 1 -f", let_go).printed == "3\nover\n"


def only_own_line(outputs: Outputs) -> bool:
    """Whether no line is shown but the caller's, and the message."""
    return "----> " in outputs.trace and not re.search(r"/(jupyter_ra_jobs|httpx|IPython)/", outputs.trace)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ra.run(['true'])", "BadInput"),
        ("ra.get('0' * 12)", "NotFound"),
        ("ra.sweep('true', {'n': [1]}).best('loss')", "Conflict"),
        ("%stop_job 000000000000", "NotFound"),
        ("def look():\n    return ra.Client('http://127.0.0.1:1').runs()\nlook()", "NoServer"),
        ("await ra.AsyncClient('http://127.0.0.1:1').runs()", "NoServer"),
    ],
)
def test_an_error_shows_the_own_line(kernel: Kernel, code: str, error: str) -> None:
    """And the message: nothing of the way through us to the server."""
    outputs = kernel.run(code)
    assert (outputs.error or "").startswith(f"{error}: ")
    assert only_own_line(outputs), outputs.trace


INTERRUPTED_IMPORT = """
import signal, sys

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("tqdm"):
            signal.raise_signal(signal.SIGINT)

for name in [name for name in sys.modules if name.startswith("tqdm")]:
    del sys.modules[name]
sys.meta_path.insert(0, Interrupts())
"""


def test_an_interrupt_of_an_import_shows_the_own_line(kernel: Kernel) -> None:
    """A bar is imported when first shown, which takes a while."""
    kernel.good("run_id = ra.run('true').id")
    kernel.good(INTERRUPTED_IMPORT)
    outputs = kernel.run("ra.get(run_id).wait(progress=True)")
    kernel.good("del sys.meta_path[0]")
    assert (outputs.error or "").startswith("KeyboardInterrupt")
    assert only_own_line(outputs), outputs.trace
    kernel.good("ra.get(run_id).wait(progress=True)")


def interrupted(kernel: Kernel, code: str, sign: str) -> Outputs:
    """What a cell gives that is interrupted once it has shown this sign."""
    done = False

    def meanwhile(outputs: Outputs) -> None:
        nonlocal done
        if not done and sign in outputs.printed + outputs.complained + str(outputs.shown):
            done = True
            kernel.interrupt()

    return kernel.run(code, meanwhile)


@pytest.mark.parametrize(
    ("code", "sign"),
    [
        ("print('go')\nra.get(run_id).wait()", "go"),
        ("print('go')\nra.get(run_id).wait(progress=False)", "go"),
        ("for line in ra.get(run_id).follow(): print(line)", "begun"),
        ("%logs $run_id -f", "begun"),
        ("%run_job --follow echo begun; exec sleep 600", "begun"),
    ],
)
def test_an_interrupt_ends_the_waiting_and_never_the_run(
    kernel: Kernel, project: Server, code: str, sign: str
) -> None:
    """As a person does who has seen enough."""
    kernel.good("run_id = ra.run('echo begun; exec sleep 600').id")
    outputs = interrupted(kernel, code, sign)
    assert outputs.error is not None
    assert outputs.error.startswith("KeyboardInterrupt")
    assert only_own_line(outputs), outputs.trace
    if code.startswith("%"):
        assert "goes on; `%logs " in outputs.printed
    active: list[dict[str, Any]] = project.get("/runs?status=launching,running").json
    assert active
    for run in active:
        assert project.until(run["id"], "running").get("stop_requested_at") is None
        stopped = kernel.good(f"%stop_job {run['id']}").text
        assert "Run " in stopped
        assert project.ended(run["id"])["status"] == "stopped"
