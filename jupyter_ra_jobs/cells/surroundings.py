"""What a run gets of the kernel that made it: the environment that `!python …` would have there."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

# Facts of the kernel's own process, or secrets of its server: they would mislead a run, or log it in.
_NOT_GIVEN = {
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "FORCE_COLOR",
    "GIT_PAGER",
    "JPY_API_TOKEN",
    "JPY_PARENT_PID",
    "JPY_SESSION_NAME",
    "JUPYTERHUB_API_TOKEN",
    "JUPYTER_TOKEN",
    "LINES",
    "OLDPWD",
    "PAGER",
    "PWD",
    "PYDEVD_USE_FRAME_EVAL",
    "RA_ARTIFACTS_DIR",
    "RA_JOBS_TOKEN",
    "RA_JOBS_URL",
    "RA_RUN_DIR",
    "RA_RUN_ID",
    "SHLVL",
    "STY",
    "TERM",
    "TERMCAP",
    "TMUX",
    "TMUX_PANE",
    "_",
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # as the server takes them


class Hidden(dict[str, str]):
    """Variables whose values are not to be seen in a traceback, which a notebook keeps."""

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, "…"))


def environment(environ: Mapping[str, str], servers: Mapping[str, str]) -> dict[str, str]:
    """What of `environ` a run needs beyond the `servers` own environment, to find what this kernel has.

    The kernel's Python is the first on PATH, and its virtual or conda environment is the active one.
    """
    own = of_shell(environ)
    if sys.executable:
        bin_dir = str(Path(sys.executable).parent)
        path = [part for part in own.get("PATH", os.defpath).split(os.pathsep) if part != bin_dir]
        own["PATH"] = os.pathsep.join([bin_dir, *path])
    if sys.prefix != sys.base_prefix:
        own["VIRTUAL_ENV"] = sys.prefix
    elif (Path(sys.prefix) / "conda-meta").is_dir():
        own["CONDA_PREFIX"] = sys.prefix
    return {name: value for name, value in own.items() if servers.get(name) != value}


def of_shell(environ: Mapping[str, str]) -> dict[str, str]:
    """What of `environ` a run needs to have what a command has under nohup: its PATH as it is, for one."""
    own = {
        name: value for name, value in environ.items() if name not in _NOT_GIVEN and _can_be_sent(name, value)
    }
    if own.get("MPLBACKEND", "").startswith("module://"):  # draws into a notebook, which a run has not
        del own["MPLBACKEND"]
    return own


def _can_be_sent(name: str, value: str) -> bool:
    """Not bash's functions (`BASH_FUNC_which%%`), nor bytes that are no text."""
    try:
        return bool(_NAME.fullmatch(name)) and bool(value.encode() or True)
    except UnicodeEncodeError:
        return False


def environment_of(pid: int | None) -> dict[str, str]:
    """What a process was started with; empty where that can't be seen."""
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return {}
    pairs = (os.fsdecode(word).partition("=") for word in words if word)
    return {name: value for name, _, value in pairs}
