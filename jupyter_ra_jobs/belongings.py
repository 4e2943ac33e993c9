"""Which files are a run's, and which may be served: the rules, and what they look at on the disk.

Where. A run's artifacts lie below its `artifacts/` and `wandb/` folders, or below its workdir with no hidden
name on the way, and never elsewhere in `.agents`. That is asked of the real path, and once more of the
descriptor that was opened: a link or a swapped folder leads nowhere else. The workdir is the folder that it
was at the launch; the run can't move it afterwards.

Whose. What lies in the two folders of the run is certain, and so is what a link in `artifacts/` leads to.
A checkpoint or metrics file in the workdir is the run's if it was last modified while the run was active;
that is certain if no other run was active at that moment whose workdir is the same, above or below. A file
that was there before is not the run's. One that was modified after the run's end stays in its list,
not certain any more, and is not served. What lies in a W&B folder that the run has named, and no other,
is certain.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, structs

from jupyter_ra_jobs.errors import Conflict, NotFound
from jupyter_ra_jobs.logs import open_log
from jupyter_ra_jobs.models import Activity, Artifact, ArtifactType
from jupyter_ra_jobs.walks import MOST_ENTRIES, File, walk

LINKS = "workdir"
"""The folder in `artifacts/` with our links to what was found in the workdir."""

_CHECKPOINTS = (".ckpt", ".pt", ".pth", ".safetensors")
_METRICS = (".csv", ".jsonl")
_OF_WANDB = re.compile(r"(?:\A|/)wandb/(?:offline-)?run-[^/]+/")
_WANDB_FOLDER = re.compile(r"(?:offline-)?run-.+")
# A file's time is that of the kernel's last tick, which is up to 10 ms behind the clock.
_TICK = 0.02


class Ground(Struct, frozen=True, kw_only=True):
    """Where a run's artifacts may lie; all paths are real ones."""

    data: str
    """`.agents`, the other runs included."""
    run_dir: str
    workdir: str

    @property
    def kept(self) -> str:
        """What the command keeps itself."""
        return f"{self.run_dir}/artifacts"

    @property
    def wandb(self) -> str:
        """Where W&B writes, unless the user told it otherwise."""
        return f"{self.run_dir}/wandb"

    def is_own(self, path: str) -> bool:
        """Whether it lies in one of the run's own two folders."""
        return below(path, self.kept) or below(path, self.wandb)

    def holds(self, path: str) -> bool:
        """Whether a file with this real path may be an artifact of the run."""
        if self.is_own(path):
            return True
        if below(path, self.data) or not below(path, self.workdir):
            return False
        return "/." not in path[len(self.workdir.rstrip("/")) :]


class Look(NamedTuple):
    """What the disk holds of a run."""

    own: list[Artifact]
    found: list[File]
    """Files in the workdir that were modified while the run was active."""
    changed: list[File]
    """Files in the workdir that were so when they were recorded, and have another time now."""
    named: str | None
    """The W&B folder in the workdir that the run has named."""
    wandb_dir: str | None
    """The newest W&B folder in the run dir."""
    left_out: frozenset[str]


def below(path: str, folder: str) -> bool:
    """Whether `path` lies somewhere in `folder`."""
    return path.startswith(folder.rstrip("/") + "/")


def kind_of(path: str) -> ArtifactType:
    """What a file is, by its path below the folder that was looked through."""
    if _OF_WANDB.search(path):
        return "wandb"
    name = path.rpartition("/")[2]
    if name.lower().endswith(_CHECKPOINTS):
        return "checkpoint"
    if name.lower().endswith(_METRICS) or "tfevents" in name:
        return "metrics"
    return "other"


def was_active(activity: Activity, modified_at: float) -> bool:
    """Whether the run was active when a file was modified; whole seconds come from a coarse file system."""
    if activity.began is None or modified_at + float(modified_at.is_integer()) < activity.began - _TICK:
        return False
    last = last_moment(activity)
    return last is None or modified_at <= last


def last_moment(activity: Activity) -> float | None:
    """When a file of the run may have been modified at the latest; None while it is active."""
    return None if activity.ended is None else activity.ended + _TICK


def is_changed(ground: Ground, activity: Activity, path: str, modified_at: float) -> bool:
    """Whether a file was modified after the run's end where others may write, so perhaps by another run."""
    last = last_moment(activity)
    return last is not None and modified_at > last and not ground.is_own(path)


def look(ground: Ground, activity: Activity, files: Iterable[File], known: dict[str, Artifact]) -> Look:
    """What there is of a run, with what a walk through its workdir came by, and what is known. Blocks."""
    kept, left_out = _kept(ground, activity)
    of_wandb, more_left_out = _of_wandb(ground)
    found = {file.path: file for file in files}
    named = _named_folder(activity)
    if named is not None and ground.holds(f"{named}/file") and not ground.is_own(f"{named}/file"):
        named_walk = walk(named)
        more_left_out |= named_walk.left_out
        found |= {file.path: file for file in named_walk.files if not file.is_link}
    missed = [artifact for path, artifact in known.items() if path not in found and not ground.is_own(path)]
    for each in still_there(ground, activity, missed):
        found[each.path] = File(each.path, each.size, each.modified_at, is_link=False)
    names = {artifact.name for artifact in kept}
    linked = {artifact.path for artifact in kept}
    elsewhere = [
        file
        for path, file in found.items()
        if path not in linked and ground.holds(path) and not ground.is_own(path)
    ]
    timely = [file for file in elsewhere if was_active(activity, file.modified_at)]
    return Look(
        own=kept + [artifact for artifact in of_wandb if artifact.name not in names],
        found=timely,
        changed=[file for file in set(elsewhere).difference(timely) if file.path in known],
        named=named,
        wandb_dir=_newest(ground.wandb),
        left_out=left_out | more_left_out,
    )


def judge(
    ground: Ground, seen: Look, others: list[Activity] | None, known: dict[str, Artifact]
) -> list[Artifact]:
    """The run's artifacts: its own first, then what was found, the newest first. Blocks.

    `others` are the runs that were active when what is not `known` (by path) was modified; None when
    those are too many to ask.
    """
    rivals = [other for other in others or () if _are_related(other.workdir, ground.workdir)]
    theirs = {folder for rival in rivals if (folder := _named_folder(rival))}
    artifacts = {artifact.name: artifact for artifact in seen.own}
    changed = set(seen.changed)
    for file in sorted([*seen.found, *changed], key=lambda file: file.modified_at, reverse=True):
        is_named = seen.named is not None and below(file.path, seen.named)
        was = known.get(file.path)
        if file in changed:
            certain = False
        elif is_named and seen.named not in theirs:
            certain = True
        elif was is not None and is_unchanged(file, was):
            certain = was.certain
        else:
            certain = others is not None and not any(was_active(each, file.modified_at) for each in rivals)
        name = relative = _relative(ground, file.path)
        while name in artifacts:
            name = f"{LINKS}/{name}"
        artifacts[name] = Artifact(
            name=name,
            path=file.path,
            type="wandb" if is_named else kind_of(relative),
            size=file.size,
            modified_at=file.modified_at,
            certain=certain,
        )
    return list(artifacts.values())


def still_there(ground: Ground, activity: Activity, artifacts: list[Artifact]) -> list[Artifact]:
    """Those recorded that are files still, as they now are. Blocks."""
    there = []
    for was in artifacts:
        with suppress(OSError, ValueError):
            now = os.lstat(was.path)
            if not stat.S_ISREG(now.st_mode) or not ground.holds(was.path):
                continue
            if (now.st_size, now.st_mtime) == (was.size, was.modified_at):
                there.append(was)
                continue
            certain = was.certain and (ground.is_own(was.path) or was_active(activity, now.st_mtime))
            there.append(structs.replace(was, size=now.st_size, modified_at=now.st_mtime, certain=certain))
    return there


def open_artifact(ground: Ground, activity: Activity, artifact: Artifact) -> FileIO:
    """The file, open to read. Blocks.

    NotFound when it has gone, or is no file of the run's; Conflict when it may be another run's by now.
    """
    gone = NotFound(f"artifact {artifact.name} is not there any more")
    try:
        file = open_log(Path(artifact.path)) if ground.holds(artifact.path) else None
    except (OSError, ValueError) as problem:
        raise gone from problem
    if file is None:
        raise gone
    real = _real(file)
    if not ground.holds(real):
        file.close()
        raise NotFound(f"artifact {artifact.name} leads out of the run's folders")
    if is_changed(ground, activity, real, os.fstat(file.fileno()).st_mtime):
        file.close()
        raise Conflict(
            f"artifact {artifact.name} was changed after the run's end, perhaps by another run; "
            f"it lies at {real}"
        )
    return file


def open_kept(ground: Ground, activity: Activity, name: str) -> FileIO | None:
    """What the command keeps in `artifacts/` under this name, open to read; through no link. Blocks.

    None when there is no such file, or it came after the run's end.
    """
    *inner, last = name.split("/")
    if ".." in inner:
        return None
    try:
        with _entered(ground.kept, inner) as folder:
            file = open_log(Path(f"/proc/self/fd/{folder}", last))
    except (OSError, ValueError, NotFound):
        return None
    if file is None:
        return None
    end = last_moment(activity)
    if ground.is_own(_real(file)) and (end is None or os.fstat(file.fileno()).st_mtime <= end):
        return file
    file.close()
    return None


def put_links(ground: Ground, artifacts: Iterable[Artifact]) -> None:
    """Show in `artifacts/` what was found elsewhere; for who looks there, nothing reads them. Blocks."""
    for artifact in artifacts:
        with suppress(OSError):  # there already, or the run has put something else in the way
            place = f"artifacts/{LINKS}/{_relative(ground, artifact.path)}"
            _link(ground.run_dir, place, artifact.path)


def _real(file: FileIO) -> str:
    """Where a file lies. Asked of what is open: whatever the run swaps from now on, this is what is sent."""
    return str(Path(f"/proc/self/fd/{file.fileno()}").readlink())


def _relative(ground: Ground, path: str) -> str:
    return path[len(ground.workdir.rstrip("/")) + 1 :]


def is_unchanged(file: File, was: Artifact) -> bool:
    """Whether a file is as it was when it was recorded."""
    return (file.size, file.modified_at) == (was.size, was.modified_at)


def _kept(ground: Ground, activity: Activity) -> tuple[list[Artifact], frozenset[str]]:
    """What the command keeps in `artifacts/`. Of a link, the name is the link's, all else its end's."""
    walked = walk(ground.kept)
    kept = []
    for file in walked.files:
        name, end = file.path[len(ground.kept) + 1 :], file
        if file.is_link:
            followed = None if below(name, LINKS) else _end_of(file.path)
            if followed is None or not ground.holds(followed.path):
                continue
            end = followed
        certain = not is_changed(ground, activity, end.path, end.modified_at)
        kept.append(_own(name, end, certain=certain))
    return sorted(kept, key=lambda artifact: artifact.name), walked.left_out


def _of_wandb(ground: Ground) -> tuple[list[Artifact], frozenset[str]]:
    """What W&B writes in the run dir. Its links, `latest-run` and the like, lead to what is listed anyway."""
    walked = walk(ground.wandb)
    files = sorted(file for file in walked.files if not file.is_link)
    return [_own(file.path[len(ground.run_dir) + 1 :], file) for file in files], walked.left_out


def _own(name: str, file: File, *, certain: bool = True) -> Artifact:
    return Artifact(
        name=name,
        path=file.path,
        type=kind_of(name),
        size=file.size,
        modified_at=file.modified_at,
        certain=certain,
    )


def _end_of(link: str) -> File | None:
    """The regular file that a link leads to."""
    path = os.path.realpath(link)
    try:
        path.encode()
        end = os.lstat(path)
    except (OSError, ValueError):
        return None
    return File(path, end.st_size, end.st_mtime, is_link=False) if stat.S_ISREG(end.st_mode) else None


def _named_folder(activity: Activity) -> str | None:
    """The real path of the W&B folder that a run has named, if it is one by its name: it may say anything."""
    said = activity.wandb_dir
    if not said or "\0" in said:
        return None
    folder = Path(os.path.realpath(Path(activity.workdir, said)))
    if folder.name == "files":  # what wandb.run.dir is
        folder = folder.parent
    return str(folder) if _WANDB_FOLDER.fullmatch(folder.name) else None


def _newest(wandb: str) -> str | None:
    """The W&B folder with the latest time in its name."""
    with suppress(OSError), os.scandir(wandb) as entries:
        folders = [
            entry
            for entry in islice(entries, MOST_ENTRIES)
            if _WANDB_FOLDER.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
        ]
        if folders:
            return max(folders, key=lambda entry: entry.name.partition("run-")[2]).path
    return None


def _are_related(one: str, other: str) -> bool:
    """Whether one folder is the other, or above it."""
    return one == other or below(one, other) or below(other, one)


def _link(folder: str, place: str, target: str) -> None:
    """Make a link at `place` below `folder`, through no link on the way."""
    *inner, name = place.split("/")
    with _entered(folder, inner, make=True) as at:
        os.symlink(target, name, dir_fd=at)


@contextmanager
def _entered(folder: str, inner: Iterable[str], *, make: bool = False) -> Iterator[int]:
    """A folder below `folder`, as a descriptor, reached through no link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    at = os.open(folder, flags)
    try:
        for each in inner:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(each, 0o700, dir_fd=at)
            outer, at = at, os.open(each, flags, dir_fd=at)
            os.close(outer)
        yield at
    finally:
        os.close(at)
