"""`%run_job`, `%runs`, `%sweeps`, `%logs`, `%stop_job` in IPython, by `%load_ext jupyter_ra_jobs`.

Words that make no sense are a UsageError, which IPython shows in one line. What the server says is raised as
it is, as by the functions that the magics call.
"""

import argparse
import contextlib
import difflib
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from IPython.utils.text import DollarFormatter

from jupyter_ra_jobs.cells import session
from jupyter_ra_jobs.cells.runs import Run, RunList
from jupyter_ra_jobs.cells.snapshots import Named
from jupyter_ra_jobs.cells.sweeps import Sweep, SweepList
from jupyter_ra_jobs.client import times
from jupyter_ra_jobs.client.calls import Calls
from jupyter_ra_jobs.client.steps import Flow
from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.tracebacks import shortening

_WORD = re.compile(r"""\s*((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+)""", re.DOTALL)
_LOG_PAGE = 100_000
# What is the shell's in any case, or may be; `$$name` is IPython's way to say so.
_DOLLAR = re.compile(r"\$\$[\w.]+|\$\{[^{}]*\}|\$(\w+)")
_KEPT = re.compile("\ue000(\\d+)\ue001")
_HIDE_BRACES, _SHOW_BRACES = str.maketrans("{}", "\ue002\ue003"), str.maketrans("\ue002\ue003", "{}")


def load(shell: InteractiveShell) -> None:
    """Give a shell the magics, and completion of their options and ids."""
    shell.register_magics(JobMagics)
    shell.set_hook("complete_command", _runs, str_key="%logs")
    shell.set_hook("complete_command", _runs_and_sweeps, str_key="%stop_job")
    shell.set_hook("complete_command", _of_run_job, re_key=r"(.*%)?run_job\s")  # behind `run = ` too


def _runs(shell: InteractiveShell, event: Any) -> list[str]:
    return _held(shell, Run) + _ids(Calls.runs, event.symbol)


def _runs_and_sweeps(shell: InteractiveShell, event: Any) -> list[str]:
    ids = _ids(Calls.runs, event.symbol) + _ids(Calls.sweeps, event.symbol)
    return _held(shell, (Run, Sweep)) + ids


def _of_run_job(shell: InteractiveShell, event: Any) -> list[str]:
    """Its options, and runs behind `--after`; nothing once the command has begun, which is the shell's."""
    parser = JobMagics.run_job.parser
    before = event.text_until_cursor.removesuffix(event.symbol).partition("run_job")[2].rstrip()
    after = re.search(r"(^|\s)--after=?$", before)
    try:
        if _options(before[: after.start()] if after else before, parser)[1].strip():
            return []
    except (UsageError, ValueError):  # the value of another option
        return []
    if after:
        return _runs(shell, event)
    return [name for each in parser._actions for name in each.option_strings if event.symbol.startswith("-")]


def _held(shell: InteractiveShell, kind: Any) -> list[str]:
    """The variables that hold one."""
    return [name for name, value in shell.user_ns.items() if isinstance(value, kind) and name[0] != "_"]


def _ids(flow: Callable[..., Flow[Sequence[Named]]], begun: str) -> list[str]:
    """Of the newest that begin so; none where no server answers at once."""
    prefix = begun if re.fullmatch("[0-9a-f]{1,12}", begun) else None
    with contextlib.suppress(Exception):  # who completes a word wants no traceback
        return [each.id for each in session.client().glance(flow, id_prefix=prefix, limit=50)]
    return []


def _seconds(word: str) -> float:
    try:
        return times.seconds(word)
    except BadInput as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _whole(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {word!r}") from None


def _variable(word: str) -> tuple[str, str]:
    name, given, value = word.partition("=")
    if not given or not name:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {word!r}")
    return name, value


@magics_class
class JobMagics(Magics):
    """Runs without quotes around their commands."""

    @no_var_expand
    @line_cell_magic
    @magic_arguments()
    @argument("--name", help="what it is called; else its command's first line")
    @argument("--tag", action="append", default=[], help="a tag; may be said again")
    @argument("--timeout", type=_seconds, metavar="TIME", help="its time limit: 90, 30m, 2h, 1d")
    @argument("--gpus", type=_whole, metavar="N", help="so many GPUs for it alone; 0 hides all")
    @argument(
        "--after", action="append", default=[], metavar="ID", help="a run that must have finished first"
    )
    @argument("--env", action="append", default=[], type=_variable, metavar="NAME=VALUE")
    @argument("--workdir", metavar="FOLDER", help="where it runs; else in this kernel's folder")
    @argument("--priority", type=_whole, default=0, metavar="N", help="higher ones leave the queue first")
    @argument("--max-retries", type=_whole, default=0, metavar="N", help="how often to try again what failed")
    @argument("--no-start", action="store_true", help="only create it")
    @argument("--wait", action="store_true", help="wait for its end; an interrupt ends the waiting alone")
    @argument("--follow", action="store_true", help="print its output until it ends; an interrupt likewise")
    @argument("--python", action="store_true", help="the cell is Python, for a process of its own")
    @argument("command", nargs="*", help="as a shell takes it; `--` before one that begins with a dash")
    def run_job(self, line: str, cell: str | None = None) -> Run:
        """Run a command, or a cell, as a run that outlives this kernel; returns the Run.

        Options stand before the command; what follows is the command, untouched.

            %run_job python train.py --lr 1e-3
            %run_job --name baseline --timeout 3600 --follow python train.py --lr {lr}

        `%%run_job` runs the cell as one shell command, `%%run_job --python` as a Python program, which is
        kept with the run. `{lr}` and `$lr` are Python's here, as after `!`; `$HOME` is the shell's as long as
        no variable has that name, and so are `${lr}`, `$$lr` and `{{lr}}`. When what stands in any braces is
        no Python, no braces are touched; `$lr` is Python's all the same. In a cell of Python all of these
        mean what they mean there.
        """
        frame = sys._getframe(2)  # who calls the magic; IPython's call of this is between
        names = {**self.shell.user_ns, **frame.f_locals}
        words, rest = _options(_expanded(line, names), self.run_job.parser)
        args = self.run_job.parser.parse_args(words)
        if args.no_start and (args.wait or args.follow):
            raise UsageError(
                "--no-start leaves nothing to wait for: without it, or without --wait and --follow"
            )
        given: dict[str, Any] = {"name": args.name, "env": dict(args.env)}
        if cell is None:
            command = self._line(rest, args.python)
        elif rest.strip():
            raise UsageError(f"the cell is the command; what is {rest.strip()!r} on the line of %%run_job?")
        elif args.python:
            command = self._program(cell, args, given)
        else:
            command = _expanded(cell, names)
        run = session.run(
            command,
            start=not args.no_start,
            workdir=args.workdir,
            tags=args.tag,
            timeout=args.timeout,
            priority=args.priority,
            after=[self._named(word).id for word in args.after],
            max_retries=args.max_retries,
            gpus=args.gpus,
            **given,
        )
        return _attended(run, args)

    @line_magic
    @magic_arguments()
    @argument("status", nargs="?", help="only those that have this status")
    @argument("-n", type=_whole, default=50, metavar="N", help="so many at most, the newest")
    def runs(self, line: str) -> RunList:
        """The newest runs."""
        args = parse_argstring(self.runs, line)
        known = [str(status) for status in RunStatus]
        if args.status is not None and args.status not in known:
            raise UsageError(f"no run has the status {args.status!r}; there are {', '.join(known)}")
        return session.runs(status=args.status, limit=args.n)

    @line_magic
    @magic_arguments()
    @argument("-n", type=_whole, default=50, metavar="N", help="so many at most, the newest")
    def sweeps(self, line: str) -> SweepList:
        """The newest sweeps."""
        return session.sweeps(limit=parse_argstring(self.sweeps, line).n)

    @line_magic
    @magic_arguments()
    @argument("run", metavar="ID", help="of a run, or a variable that holds one")
    @argument("-n", type=_whole, default=20, metavar="N", help="so many lines, of the last 100 KB")
    @argument("-f", "--follow", action="store_true", help="go on as it writes, until it ends")
    def logs(self, line: str) -> None:
        """Print the last lines that a run has written."""
        args = parse_argstring(self.logs, line)
        if args.n < 0:
            raise UsageError(f"-n must be 0 or more, not {args.n}")
        run = self._named(args.run)
        if isinstance(run, Sweep):
            raise UsageError(f"{run.id} is a sweep; of which of its runs? `%runs` and .runs list them")
        page = session.client().log_page(run.id, offset=-_LOG_PAGE, limit=_LOG_PAGE)
        lines = page.content.splitlines(keepends=True)
        print("".join(lines[len(lines) - min(args.n, len(lines)) :]), end="", flush=True)
        if args.follow:
            _follow(run, page.next_offset)

    @line_magic
    @magic_arguments()
    @argument("run", metavar="ID", help="of a run or a sweep, or a variable that holds one")
    def stop_job(self, line: str) -> Run | Sweep:
        """Ask for the end of a run, or of all runs of a sweep; returns at once."""
        return self._named(parse_argstring(self.stop_job, line).run).stop()

    # -- beneath -----------------------------------------------------------------------------------

    def _named(self, word: str) -> Run | Sweep:
        """What an id means, or a variable."""
        held = self.shell.user_ns.get(word)
        return held if isinstance(held, Run | Sweep) else session.get(word)

    def _line(self, rest: str, python: bool) -> str:
        if python:
            raise UsageError("--python is for a cell: %%run_job --python, and the program below")
        if not rest.strip():
            raise UsageError("which command? As in: %run_job python train.py --lr 1e-3")
        return rest.strip()

    def _program(self, cell: str, args: argparse.Namespace, given: dict[str, Any]) -> str:
        """The command that runs the cell; what is wrong with it as Python is raised here already."""
        compile(cell, "cell.py", "exec", dont_inherit=True)
        given["files"] = {"cell.py": cell.encode()}
        first = next((line.strip() for line in cell.splitlines() if line.strip()), "")
        given["name"] = args.name or (first.lstrip("# ") or "cell")[:80]
        python = "python"
        if session.client().address.workdir is not None:  # on this machine
            python = shlex.quote(sys.executable)
            folder = str(Path(args.workdir or ".").absolute())  # imports find what is beside the notebook
            path = given["env"].get("PYTHONPATH", os.environ.get("PYTHONPATH"))
            given["env"]["PYTHONPATH"] = os.pathsep.join([folder, *([path] if path else [])])
        return f'{python} "$RA_FILES_DIR/cell.py"'


class _Formatter(DollarFormatter):
    """IPython's own is for one line: of several it drops those before the line of a `$name`."""

    _dollar_pattern_ignore_single_quote = re.compile(
        r"(.*?)\$(\$?[\w\.]+)(?=([^']*'[^']*')*[^']*$)", re.DOTALL
    )


def _expanded(text: str, names: dict[str, Any]) -> str:
    """As IPython does it, but that a `$name` that Python does not know keeps nothing else from it."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        if match[0].startswith("$$") or match[1] in names:
            return match[0]
        kept.append(match[0])
        return f"\ue000{len(kept) - 1}\ue001"

    hidden = _DOLLAR.sub(keep, text)
    try:
        hidden = _Formatter().vformat(hidden, [], names)
    except Exception as problem:  # noqa: BLE001 - whatever an expression raises: then braces are the shell's
        if isinstance(problem, NameError):
            _tell_of(problem, text, names)
        with contextlib.suppress(Exception):  # as of `$name.attribute`
            without = hidden.translate(_HIDE_BRACES)
            hidden = _Formatter().vformat(without, [], names).translate(_SHOW_BRACES)
    return _KEPT.sub(lambda match: kept[int(match[1])], hidden)


def _tell_of(problem: NameError, text: str, names: dict[str, Any]) -> None:
    """Of a `{name}` that Python does not know may be that somebody mistyped it; `{a,b}` is the shell's."""
    name = problem.name or ""
    if name and re.search(rf"\{{{re.escape(name)}[}}.:!\[]", text):
        near = difflib.get_close_matches(name, names, 1)
        meant = f"; did you mean {{{near[0]}}}?" if near else ""
        print(f"{problem}: all braces stay as they are{meant}", file=sys.stderr, flush=True)


def _options(line: str, parser: argparse.ArgumentParser) -> tuple[list[str], str]:
    """The options that a line begins with, and the rest as it stands there, with its quotes and spaces."""
    known = {name: action for action in parser._actions for name in action.option_strings}
    words: list[str] = []
    rest = line
    while (match := _WORD.match(rest)) and match[1].startswith("-"):
        rest = rest[match.end() :]
        if match[1] == "--":
            break
        name, given, value = match[1].partition("=")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
            raise UsageError(
                f"no option {name}; {meant} Options of the command itself come after the command's name"
            )
        if known[name].nargs == 0:
            words.append(match[1])
            continue
        if not given:
            match = _WORD.match(rest)
            if match is None:
                raise UsageError(f"{name} needs a value: {name} {known[name].metavar or 'NAME'}")
            value, rest = match[1], rest[match.end() :]
        words.append(f"{name}={''.join(shlex.split(value))}")
    return words, rest


@shortening
def _attended(run: Run, args: argparse.Namespace) -> Run:
    """The run, after it was waited for as the options say; of one that was retried the last try."""
    following: Run | None = run if args.follow else None
    while following is not None:
        run = following
        _follow(run, 0)
        following = run.retry
    if args.wait or args.follow:
        with _going_on(run):
            return run.wait(progress=False if args.follow else None)
    return run


@shortening
def _follow(run: Run, offset: int) -> None:
    with _going_on(run):
        for line in run.follow(offset):
            print(line, flush=True)


@contextlib.contextmanager
def _going_on(run: Run) -> Any:
    """Says what an interrupt has not done."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"run {run.id} goes on; `%logs {run.id} -f` follows it, `%stop_job {run.id}` stops it")
        raise
