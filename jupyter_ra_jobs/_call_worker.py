"""Calls a function in a run, and keeps what it returns: `python call.py NAME [KEYWORDS]`.

It is given to the run as a file, beside `call.json` (what to know first) and `call.pkl` (the function and its
arguments), so the run's Python needs cloudpickle and nothing of ours. NAME, the function's, is there to be
seen, KEYWORDS is a JSON object of further arguments. What comes of it goes to `call.result` among the
artifacts, whole or not at all: a line of JSON, then a pickle.
"""

import contextlib
import io
import json
import linecache
import os
import pickle
import sys
import traceback
from pathlib import Path
from typing import Any

RESULT = "call.result"
HERE = Path(__file__).resolve().parent


def main() -> int:
    """Call it; the exit code."""
    keep = Keep(Path(os.environ["RA_ARTIFACTS_DIR"]))  # asked before the function can change it
    about = json.loads((HERE / "call.json").read_text(encoding="utf-8"))
    if list(sys.version_info[:2]) != about["python"]:
        asked = ".".join(map(str, about["python"]))
        return _failed(
            keep,
            f"the function comes from Python {asked}, and the run's is {sys.version.split()[0]} "
            f"({sys.executable}); both need the same minor version",
        )
    try:
        import cloudpickle
    except ImportError:
        return _failed(keep, f"cloudpickle is not installed for {sys.executable}")
    sys.path[:] = ["", *(each for each in sys.path if each != str(HERE))]  # as in the notebook
    sys.path += [each for each in about["path"] if each not in sys.path]
    for name, text in about["sources"].items():  # cells of a notebook, so that tracebacks show their lines
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        with (HERE / "call.pkl").open("rb") as file:
            function, arguments, keywords = pickle.load(file)  # noqa: S301 - from who made the run
        keywords |= json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    except Exception as problem:  # noqa: BLE001 - whatever its modules raise when they are imported
        why = f"the function could not be loaded: {_said(problem)}"
        if cloudpickle.__version__ != about["cloudpickle"]:
            why += f" (cloudpickle {about['cloudpickle']} wrote it, the run's is {cloudpickle.__version__})"
        return _failed(keep, why, traceback.format_exc())
    del sys.argv[1:]  # a function that reads its command line gets none, as in the notebook
    try:
        value = function(*arguments, **keywords)
    except Exception as problem:  # noqa: BLE001 - it is the caller's to catch
        return _raised(keep, problem, cloudpickle)
    except SystemExit as end:
        _failed(keep, f"the function called sys.exit({end.code!r})")
        raise
    return _returned(keep, value, cloudpickle)


class Keep:
    """Puts the result in its place, on the disk, if it is this process's: a fork of it is not asked."""

    def __init__(self, folder: Path) -> None:
        self._place = folder / RESULT
        self._process = os.getpid()

    def __call__(self, said: "dict[str, Any]", write: Any = None) -> None:
        """Keep what is said, and what `write(file)` writes behind it."""
        if os.getpid() != self._process:
            return
        beside = self._place.with_name(f".{RESULT}.part")
        try:
            with beside.open("wb") as file:
                said["python"] = list(sys.version_info[:2])
                file.write(json.dumps(said).encode() + b"\n")
                if write is not None:
                    write(file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._place)
        finally:
            beside.unlink(missing_ok=True)


def _returned(keep: Keep, value: Any, cloudpickle: Any) -> int:
    def write(file: io.BufferedIOBase) -> None:
        cloudpickle.dump(value, file)

    try:
        keep({"kind": "value"}, write)
    except OSError:  # the disk takes nothing
        raise
    except Exception as problem:  # noqa: BLE001 - whatever its parts raise when they are to be pickled
        why = f"what the function returned, of type {type(value).__name__}, can't be pickled: {problem}"
        return _failed(keep, why, traceback.format_exc())
    return 0


def _raised(keep: Keep, problem: Exception, cloudpickle: Any) -> int:
    where = problem.__traceback__ and problem.__traceback__.tb_next  # without our own frame
    text = "".join(traceback.format_exception(type(problem), problem, where))
    try:
        content = cloudpickle.dumps(problem)
        pickle.loads(content)  # noqa: S301 - our own; many can be pickled, and then not be made again
    except Exception:  # noqa: BLE001 - then its words must do
        content = b""
    said = {"kind": "exception", "message": _said(problem), "traceback": text}
    keep(said, lambda file: file.write(content))
    _tell(text)
    return 1


def _failed(keep: Keep, why: str, traceback_text: str = "") -> int:
    keep({"kind": "failure", "message": why})
    _tell(f"{traceback_text}{why}\n")
    return 1


def _said(problem: BaseException) -> str:
    """Its own words, without its notes, which come last."""
    told = traceback.TracebackException.from_exception(problem)
    told.__notes__ = None  # type: ignore[attr-defined,assignment,unused-ignore]  # there are none before Python 3.11
    return list(told.format_exception_only())[-1].strip()


def _tell(text: str) -> None:
    """To the log. The function may have closed it, or put something of its own in its place."""
    with contextlib.suppress(Exception):
        sys.stderr.write(text)


if __name__ == "__main__":
    sys.exit(main())
