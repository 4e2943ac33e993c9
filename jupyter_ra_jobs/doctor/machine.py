"""What runs need of the machine: packages, a shell, tmux."""

import os
import platform
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from jupyter_ra_jobs._version import __version__
from jupyter_ra_jobs.doctor.findings import Finding, fail, ok, warn
from jupyter_ra_jobs.errors import RaJobsError
from jupyter_ra_jobs.executors.tmux import TmuxExecutor

_PACKAGES = ("jupyter_server", "tornado", "traitlets", "msgspec", "libtmux")
_PATIENCE = 5.0
_LONGEST_SOCKET = 107  # sun_path of unix(7), without its final NUL


def versions() -> Iterator[Finding]:
    """Of ourselves and of what we stand on."""
    said = [f"jupyter_ra_jobs {__version__}", f"Python {platform.python_version()}"]
    said += [f"SQLite {sqlite3.sqlite_version}"]
    for package in _PACKAGES:
        try:
            said.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            yield fail("versions", f"{package} is not installed", f"pip install {package}")
    yield ok("versions", ", ".join(said))


def shell(name: str) -> Finding:
    """The one that is given the commands."""
    found = shutil.which(name)
    if found is None:
        return fail("shell", f"there is no {name!r} on PATH", "install it, or set RaJobsApp.shell to one")
    return ok("shell", found)


def tmux(name: str) -> Iterator[Finding]:
    """The program, the folder of its socket `name`, and the server there."""
    if shutil.which("tmux") is None:
        yield fail("tmux", "tmux is not installed", "install tmux 3.2 or newer (apt install tmux)")
        return
    try:
        executor = TmuxExecutor(socket=name, session="", capture="", terminate_grace=0)
        yield ok("tmux", executor.check())
    except RaJobsError as problem:
        yield fail("tmux", str(problem), "see what `tmux -V` says; install a newer tmux if it is too old")
        return
    asked = os.environ.get("TMUX_TMPDIR")
    if asked and not Path(asked).is_dir():
        yield warn(
            "tmux", f"TMUX_TMPDIR names no folder: {asked}", "unset it, or make the folder; tmux takes /tmp"
        )
        asked = None
    folder = Path(asked or "/tmp").resolve() / f"tmux-{os.getuid()}"  # noqa: S108 - where tmux has it
    place = folder / name
    if len(os.fsencode(place)) > _LONGEST_SOCKET:
        yield fail("tmux", f"the path of its socket is too long: {place}", "set TMUX_TMPDIR to a shorter one")
    elif not os.path.lexists(folder):
        yield ok("tmux", f"no server yet; the first run starts one at {place}")
    elif (at := folder.lstat()) and (
        at.st_uid != os.getuid() or at.st_mode & 0o007 or not stat.S_ISDIR(at.st_mode)
    ):
        yield fail(
            "tmux",
            f"{folder} is not a folder of yours alone, so tmux refuses it",
            f"chmod 700 {folder}; if it is somebody else's, set TMUX_TMPDIR to a folder of yours",
        )
    elif not place.exists():
        yield ok("tmux", f"no server yet; the first run starts one at {place}")
    else:
        yield _tmux_server(name, place)


def _tmux_server(name: str, place: Path) -> Finding:
    try:
        said = subprocess.run(
            ["tmux", "-L", name, "list-sessions", "-F", "#{session_name}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        mend = f"tmux -L {name} kill-server (active runs go on without their windows)"
        return fail("tmux", f"the server at {place} does not answer", mend)
    if said.returncode == 0:
        return ok("tmux", f"answers at {place}, sessions: {', '.join(said.stdout.split())}")
    if "no server running" in said.stderr or "error connecting" in said.stderr:
        return ok("tmux", f"no server now; the next run starts one at {place}")
    return fail(
        "tmux", said.stderr.strip() or "it does not say why it fails", f"try: tmux -L {name} list-sessions"
    )
