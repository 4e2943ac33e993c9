"""Calls a function in a run, and keeps what it returns: `python call.py [KEYWORDS]`.

It is given to the run as a file, beside `call.json` (what to know first) and `call.pkl` (the function and its
arguments), so the run's Python needs cloudpickle and nothing of ours. KEYWORDS is a JSON object of further
arguments. What comes of it goes to `call.result` among the artifacts, whole or not at all: a line of JSON,
then a pickle.
"""

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
    about = json.loads((HERE / "call.json").read_text(encoding="utf-8"))
    if list(sys.version_info[:2]) != about["python"]:
        asked = ".".join(map(str, about["python"]))
        return _failed(
            f"the function comes from Python {asked}, and the run's is {sys.version.split()[0]} "
            f"({sys.executable}); both need the same minor version"
        )
    try:
        import cloudpickle
    except ImportError:
        return _failed(f"cloudpickle is not installed for {sys.executable}")
    sys.path[:] = ["", *(each for each in sys.path if each != str(HERE))]  # as in the notebook
    sys.path += [each for each in about["path"] if each not in sys.path]
    for name, text in about["sources"].items():  # cells of a notebook, so that tracebacks show their lines
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        with (HERE / "call.pkl").open("rb") as file:
            function, arguments, keywords = pickle.load(file)  # noqa: S301 - from who made the run
        keywords |= json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    except Exception as problem:  # noqa: BLE001 - whatever its modules raise when they are imported
        traceback.print_exc()
        why = f"the function could not be loaded: {_said(problem)}"
        if cloudpickle.__version__ != about["cloudpickle"]:
            why += f" (cloudpickle {about['cloudpickle']} wrote it, the run's is {cloudpickle.__version__})"
        return _failed(why)
    try:
        value = function(*arguments, **keywords)
    except Exception as problem:  # noqa: BLE001 - it is the caller's to catch
        return _raised(problem, cloudpickle)
    except SystemExit as end:
        _failed(f"the function called sys.exit({end.code!r})")
        raise
    return _returned(value, cloudpickle)


def _returned(value: Any, cloudpickle: Any) -> int:
    def write(file: io.BufferedIOBase) -> None:
        cloudpickle.dump(value, file)

    try:
        _keep({"kind": "value"}, write)
    except OSError:  # the disk takes nothing
        raise
    except Exception as problem:  # noqa: BLE001 - whatever its parts raise when they are to be pickled
        traceback.print_exc()
        return _failed(
            f"what the function returned, of type {type(value).__name__}, can't be pickled: {problem}"
        )
    return 0


def _raised(problem: Exception, cloudpickle: Any) -> int:
    problem.__traceback__ = problem.__traceback__ and problem.__traceback__.tb_next  # without our own frame
    text = "".join(traceback.format_exception(type(problem), problem, problem.__traceback__))
    sys.stderr.write(text)
    try:
        content = cloudpickle.dumps(problem)
        pickle.loads(content)  # noqa: S301 - our own; many can be pickled, and then not be made again
    except Exception:  # noqa: BLE001 - then its words must do
        content = b""
    said = {"kind": "exception", "message": _said(problem), "traceback": text}
    _keep(said, lambda file: file.write(content))
    return 1


def _failed(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    _keep({"kind": "failure", "message": why}, lambda file: None)
    return 1


def _said(problem: BaseException) -> str:
    return traceback.format_exception_only(type(problem), problem)[-1].strip()


def _keep(said: "dict[str, Any]", write: Any) -> None:
    """Put the result in its place, on the disk."""
    place = Path(os.environ["RA_ARTIFACTS_DIR"], RESULT)
    beside = place.with_name(f".{RESULT}.part")
    try:
        with beside.open("wb") as file:
            said["python"] = list(sys.version_info[:2])
            file.write(json.dumps(said).encode() + b"\n")
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
