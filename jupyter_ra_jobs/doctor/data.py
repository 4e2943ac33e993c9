"""What a workdir holds: whose it is, whether the store is whole, and what crashes left."""

import os
import shlex
import sqlite3
import stat
import time
from collections.abc import Generator, Iterator
from pathlib import Path

from jupyter_ra_jobs_sidecar import procs, spec

from jupyter_ra_jobs.doctor.findings import Finding, fail, ok, size, some, warn
from jupyter_ra_jobs.errors import RaJobsError
from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.models import SidecarIdentity
from jupyter_ra_jobs.states import ACTIVE
from jupyter_ra_jobs.store.check import Looked, Waiting, look
from jupyter_ra_jobs.store.database import RESTORE, SCHEMA_VERSION, wal_of

_NEEDED_BYTES = 1 << 20
_YOUNG = 60.0  # seconds that a launch has, to put its spec in place


def workdir(layout: Layout) -> Finding:
    """The folder itself."""
    where = layout.workdir
    if not where.is_dir():
        return fail("workdir", f"there is no folder {where}", "name another one by --workdir, or make it")
    mode = where.stat().st_mode
    if not os.access(where, os.W_OK | os.X_OK):
        return fail(
            "workdir",
            f"{where} can't be written",
            f"chmod u+rwx {shlex.quote(str(where))}, or mount it writable",
        )
    if mode & 0o022 and not mode & stat.S_ISVTX:
        return warn(
            "workdir",
            f"others may write to {where}, so they could put another .agents in its place",
            f"chmod go-w {shlex.quote(str(where))}, or chmod +t it",
        )
    return ok("workdir", str(where))


def rights(layout: Layout) -> Iterator[Finding]:
    """Whose the data is, and who else may come at it."""
    theirs, open_to_others = [], []
    seen = set()  # by one name or another
    entries = [layout.data, layout.data.resolve(), layout.runs, layout.runs.resolve()]
    if layout.files.exists():
        entries += [layout.files.resolve(), layout.files, *layout.files.iterdir()]
    entries += [*layout.data.glob("jobs.db*"), *layout.data.glob("server.json*")]
    for folder in _run_dirs(layout):
        entries += [folder, folder / spec.FILE]
    for path in entries:
        try:
            at = path.lstat()
        except OSError:  # not there, or gone meanwhile
            continue
        if (at.st_dev, at.st_ino) in seen:
            continue
        seen.add((at.st_dev, at.st_ino))
        if at.st_uid != os.geteuid():
            theirs.append(path)
        elif at.st_mode & 0o077 and not stat.S_ISLNK(at.st_mode):
            open_to_others.append(path)
    where = shlex.quote(str(layout.data))
    if theirs:
        mend = f"chown -hR {os.geteuid()} {where}, or use another workdir"
        yield fail("rights", f"not yours: {some(theirs)}", mend)
    if open_to_others:
        yield fail("rights", f"others may read or write: {some(open_to_others)}", f"chmod -R go-rwx {where}")
    if not theirs and not open_to_others:
        yield ok("rights", f"{layout.data} is yours alone")


def disk(folder: Path, low: int) -> Finding:
    """Room for bytes and for files; below `low` bytes is a warning."""
    at = os.statvfs(folder)
    free = at.f_bavail * at.f_frsize
    shown = f"{size(free)} free at {folder}"
    mend = "make room; runs whose output finds none wait until there is some"
    if free < _NEEDED_BYTES:
        return fail("disk", f"full: {shown}", mend)
    if at.f_files and not at.f_favail:
        says = (
            f"no file can be added at {folder}: its file system holds as many files (inodes, as df -i shows "
        )
        says += f"them) as it can, though {size(free)} are free"
        return fail(
            "disk", says, "remove files from that file system, however small; no run starts until then"
        )
    if free < low:
        return warn("disk", f"nearly full: {shown}", mend)
    return ok("disk", shown)


def runs_folder(layout: Layout) -> Iterator[Finding]:
    """Something else in the place of the folder of all runs. One that is missing, a server makes; of active
    runs, it refuses to begin without."""
    if os.path.lexists(layout.runs) and not layout.runs.is_dir():
        yield fail(
            "runs",
            f"{layout.runs} is no folder: no server starts here, and no run finds its files",
            "move it away; the next start makes the folder, and a backup of it brings back what was in it "
            "(docs/operations.md)",
        )


def store(layout: Layout) -> Generator[Finding, None, Looked | None]:
    """The database; returns what was seen in it, if it can be worked with."""
    wal = wal_of(layout.database)
    left = wal.stat().st_size if wal.exists() else 0
    if os.path.lexists(layout.database) and not layout.database.is_file():
        yield fail("store", f"{layout.database} is no file", f"move it away; then {RESTORE}")
        return None
    if not layout.database.exists() or (layout.database.stat().st_size == 0 and not left):
        if left or any(_begun_dirs(layout)):
            yield fail("store", f"{layout.database} is gone, or empty, but there are runs", RESTORE)
        else:
            yield ok("store", "none yet; the first start of a server makes it")
        return None
    try:
        looked = look(layout.database)
    except RaJobsError as problem:
        yield fail("store", f"can't be looked at now: {problem}", "do as it says, and look again")
        return None
    except (sqlite3.OperationalError, OSError) as problem:
        mend = "see to the folder's rights, the disk, and who else has it open"
        yield fail("store", f"{layout.database} can't be read: {problem}", mend)
        return None
    except sqlite3.DatabaseError as problem:
        yield fail("store", f"{layout.database} is broken: {problem}", RESTORE)
        return None
    if looked.damage:
        yield fail("store", f"{layout.database} is broken: {'; '.join(looked.damage)}", RESTORE)
    elif looked.schema > SCHEMA_VERSION:
        yield fail("store", f"it has schema {looked.schema}, from a newer version", "install that version")
    elif looked.schema < SCHEMA_VERSION:
        yield warn(
            "store", f"it has schema {looked.schema}, from an older version", "the next start mends it"
        )
    else:
        yield ok("store", f"whole, schema {looked.schema}, {len(looked.statuses):,} runs")
    if looked.waiting is not None:
        yield _left_in(wal, looked.waiting)
    return looked if looked.is_known else None


def _left_in(wal: Path, waiting: Waiting) -> Finding:
    """No more than SQLite's checksums can tell: of what they don't fit, nobody knows what it was."""
    there = f"{waiting.size:,} bytes wait in {wal.name}, as after a server that was killed"
    mend = "leave it there: the next start takes in what can be read. Whoever copies jobs.db copies it too"
    if waiting.readable == waiting.size:
        return warn("store", f"{there}; all of them can be read", mend)
    if waiting.readable:
        rest = "what follows is left of earlier, or was not written whole, which can't be told apart"
        return warn("store", f"{there}; the first {waiting.readable:,} can be read, and {rest}", mend)
    return warn(
        "store",
        f"{there}, and none of them can be read: what was written last may be lost",
        "keep a copy of the folder, start the server, and see whether the newest runs are there; if they are "
        "not, restore a backup (docs/operations.md)",
    )


def runs(layout: Layout, looked: Looked, server_lives: bool) -> Iterator[Finding]:
    """What a crash may have left, on either side."""
    found = [
        finding
        for finding in (
            _without_sidecar(looked, server_lives),
            _sidecars_without_run(layout, looked),
            _folders_without_run(layout, looked),
            _runs_without_folder(layout, looked),
            _unpublished(layout),
            _without_files(layout, looked),
        )
        if finding is not None
    ]
    yield from found
    if not found:
        yield ok("runs", f"{len(looked.active)} active, each with its sidecar; nothing is left over")


def _without_sidecar(looked: Looked, server_lives: bool) -> Finding | None:
    boot = procs.boot_id()
    lost = [t.id for t in looked.active if t.sidecar and not _lives(t.sidecar, boot)]
    if not server_lives:
        lost += [t.id for t in looked.active if t.sidecar is None]
    if not lost:
        return None
    mend = "start the server, which gives them their end, or launches them"
    if server_lives:
        mend = "nothing to do: the server gives them their end in a moment"
    return warn("runs", f"active in the store, but without a living sidecar: {some(lost)}", mend)


def _lives(sidecar: SidecarIdentity, boot: str) -> bool:
    return sidecar.boot_id == boot and procs.is_alive(sidecar.pid, sidecar.pid_start)


def _sidecars_without_run(layout: Layout, looked: Looked) -> Finding | None:
    left = {pid: run_id for pid, run_id in _sidecars(layout) if looked.statuses.get(run_id) not in ACTIVE}
    if not left:
        return None
    shown = some(f"{pid} (run {run_id})" for pid, run_id in left.items())
    mend = f"look again in a minute; if they are still there, stop them: kill {' '.join(map(str, left))}"
    return warn("runs", f"sidecars whose run has ended, or is unknown: {shown}", mend)


def _sidecars(layout: Layout) -> Iterator[tuple[int, str]]:
    """The sidecars that live, of whatever installation, with the id of their run."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                words = Path(entry.path, "cmdline").read_bytes().split(b"\0")[:-1]
            except OSError:
                continue
            folder = Path(os.fsdecode(words[-1])) if words else Path()
            if folder.parent == layout.runs and any(
                word.endswith(b"jupyter_ra_jobs_sidecar") for word in words
            ):
                yield int(entry.name), folder.name


def _folders_without_run(layout: Layout, looked: Looked) -> Finding | None:
    left = [
        folder for folder in _begun_dirs(layout) if folder.name not in looked.statuses and _is_old(folder)
    ]
    if not left:
        return None
    mend = f"restore the backup that knows them, or look into them and remove them from {layout.runs}"
    return warn("runs", f"folders of runs that the store does not know: {some(left)}", mend)


def _runs_without_folder(layout: Layout, looked: Looked) -> Finding | None:
    """All of them: who has removed some has done so for the room that they took."""
    if not looked.begun or looked.begun & {folder.name for folder in _run_dirs(layout)}:
        return None
    return fail(
        "runs",
        f"{len(looked.begun):,} runs were started, and {layout.runs} has no folder of any: their logs and "
        "artifacts are gone; what the store knows of them is there",
        "restore that folder from a backup (docs/operations.md)",
    )


def _unpublished(layout: Layout) -> Finding | None:
    """What was written beside its place; the server died before it was put there."""
    left = [
        path
        for pattern in ("server.json.*", "files/*.*")
        for path in layout.data.glob(pattern)
        if _is_old(path)
    ]
    for folder in _run_dirs(layout):
        for pattern in (f"{spec.FILE}.*", "files.*"):
            left += [path for path in folder.glob(pattern) if _is_old(path)]
    if not left:
        return None
    mend = f"rm -r {shlex.join(map(str, left))}"
    return warn("runs", f"half-made files, with secrets of runs in them: {some(left)}", mend)


def _without_files(layout: Layout, looked: Looked) -> Finding | None:
    """Runs that can't be launched, or repeated, with what they were given."""
    gone = {sha256: ids for sha256, ids in looked.files.items() if not layout.file(sha256).is_file()}
    if not gone:
        return None
    shown = some(f"{sha256} (of run {some(run_ids)})" for sha256, run_ids in gone.items())
    mend = f"restore {layout.files} from a backup, or upload them again; runs that wait for them fail"
    return warn("runs", f"files that runs were given are gone: {shown}", mend)


def _is_old(path: Path) -> bool:
    """Not of a launch that is under way right now."""
    try:
        return path.lstat().st_mtime < time.time() - _YOUNG
    except FileNotFoundError:
        return False


def _begun_dirs(layout: Layout) -> Iterator[Path]:
    """Those of runs that were started; a start that was refused may have left one with nothing in it."""
    return (folder for folder in _run_dirs(layout) if (folder / spec.FILE).exists())


def _run_dirs(layout: Layout) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(layout.runs) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
