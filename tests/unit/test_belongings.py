"""Whose a file is, and where it may lie."""

import os
from pathlib import Path
from typing import Any

import pytest

from jupyter_ra_jobs.belongings import (
    Ground,
    judge,
    kind_of,
    look,
    open_artifact,
    put_links,
    still_there,
    was_active,
)
from jupyter_ra_jobs.errors import Conflict, NotFound
from jupyter_ra_jobs.models import Activity, Artifact
from jupyter_ra_jobs.walks import walk

BEGAN, ENDED = 1000.5, 2000.5


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A run in a workdir of its own, and its folders."""
    data = tmp_path / "work" / ".agents"
    (data / "runs" / "me" / "artifacts").mkdir(parents=True)
    return Ground(data=str(data), run_dir=str(data / "runs" / "me"), workdir=str(tmp_path / "work"))


def activity(ground: Ground, **fields: Any) -> Activity:
    """The run's, or that of another one."""
    known = {"id": "me", "workdir": ground.workdir, "wandb_dir": None, "began": BEGAN, "ended": ENDED}
    return Activity(**{**known, **fields})


def put(folder: str, name: str, modified_at: float = 1500.5) -> Path:
    """A file of that age."""
    path = Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(name)
    os.utime(path, (modified_at, modified_at))
    return path


def found(
    ground: Ground,
    *others: Activity,
    known: list[Artifact] | None = None,
    missed: bool = False,
    **fields: Any,
) -> dict[str, Artifact]:
    """What is the run's, by name; `missed`: the walk has met its bounds before it came to anything."""
    me = activity(ground, **fields)
    before = {artifact.path: artifact for artifact in known or []}
    walked = [] if missed else walk(ground.workdir, lambda path: kind_of(path) != "other").files
    artifacts = judge(ground, look(ground, me, walked, before), list(others), before)
    assert len({artifact.name for artifact in artifacts}) == len(artifacts)
    return {artifact.name: artifact for artifact in artifacts}


def certain(artifacts: dict[str, Artifact]) -> dict[str, bool]:
    """Of what it is certain."""
    return {name: artifact.certain for name, artifact in artifacts.items()}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.pt", "checkpoint"),
        ("x/a.PTH", "checkpoint"),
        ("a.ckpt", "checkpoint"),
        ("model.safetensors", "checkpoint"),
        ("metrics.jsonl", "metrics"),
        ("x/loss.csv", "metrics"),
        ("runs/events.out.tfevents.1700000000.host.1.0", "metrics"),
        ("wandb/run-20240101_000000-abc/files/config.yaml", "wandb"),
        ("x/wandb/offline-run-20240101_000000-abc/run-abc.wandb", "wandb"),
        ("wandb/run-20240101_000000-abc/files/model.pt", "wandb"),
        ("wandb/debug.log", "other"),
        ("run-1/config.yaml", "other"),
        ("a.pt.txt", "other"),
        ("pt", "other"),
        ("tfevents/notes.txt", "other"),
    ],
)
def test_kinds(path: str, kind: str) -> None:
    """By the name, and by W&B's folders."""
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    ("modified_at", "expected"),
    [
        (999.9, False),
        (1000.495, True),  # the kernel's tick
        (1500.0, True),
        (1000.0, True),  # whole seconds: of the second that the run began in
        (999.0, False),
        (2000.505, True),
        (2000.6, False),
        (2001.0, False),
    ],
)
def test_was_active(ground: Ground, modified_at: float, expected: bool) -> None:
    """From the start to the end, as exact as the times are."""
    assert was_active(activity(ground), modified_at) is expected


def test_not_begun_and_not_ended(ground: Ground) -> None:
    """A run that has not begun has written nothing; one that has not ended may have."""
    assert not was_active(activity(ground, began=None, ended=None), 1500.0)
    assert was_active(activity(ground, ended=None), 9e9)


def test_time_decides(ground: Ground) -> None:
    """What was there before and was not touched is not the run's, nor what came later."""
    put(ground.workdir, "before.pt", 900.5)
    put(ground.workdir, "during.pt")
    put(ground.workdir, "after.pt", 2100.5)
    assert certain(found(ground)) == {"during.pt": True}


@pytest.mark.parametrize(
    ("where", "began", "ended", "expected"),
    [
        (".", 1400.0, 1600.0, False),
        (".", 1400.0, None, False),
        ("..", 1400.0, 1600.0, False),
        ("sub/deeper", 1400.0, 1600.0, False),
        ("../elsewhere", 1400.0, 1600.0, True),
        ("../work-2", 1400.0, 1600.0, True),
        (".", 1100.0, 1499.0, True),
        (".", 1502.0, 1600.0, True),
        (".", None, None, True),
    ],
)
def test_another_run(ground: Ground, where: str, began: float, ended: float, expected: bool) -> None:
    """Makes it uncertain if it was active at that moment, in the same folder, or above it, or below."""
    put(ground.workdir, "a.pt")
    put(ground.run_dir, "artifacts/kept.txt")
    folder = os.path.normpath(f"{ground.workdir}/{where}")
    other = activity(ground, id="other", workdir=folder, began=began, ended=ended)
    assert certain(found(ground, other)) == {"kept.txt": True, "a.pt": expected}


def test_too_many_others(ground: Ground) -> None:
    """Nothing in the workdir is certain then."""
    put(ground.workdir, "a.pt")
    put(ground.run_dir, "artifacts/kept.txt")
    files = walk(ground.workdir, lambda path: kind_of(path) != "other").files
    seen = look(ground, activity(ground), files, {})
    assert [artifact.certain for artifact in judge(ground, seen, None, {})] == [True, False]


def test_what_is_known_stays(ground: Ground) -> None:
    """As long as the file does; a file that was written again is judged again."""
    put(ground.workdir, "a.pt")
    other = activity(ground, id="other")
    known = list(found(ground).values())
    assert certain(found(ground, other, known=known)) == {"a.pt": True}
    put(ground.workdir, "a.pt", 1600.5)
    assert certain(found(ground, other, known=known)) == {"a.pt": False}


@pytest.mark.parametrize("missed", [False, True])
def test_late_discovery(ground: Ground, missed: bool) -> None:
    """A known file that was changed since the run's end stays, not certain; one that has gone does not."""
    for name in ("gone.pt", "same.pt", "again.pt"):
        put(ground.workdir, name)
    known = list(found(ground).values())
    Path(ground.workdir, "gone.pt").unlink()
    put(ground.workdir, "again.pt", 2100.5)
    put(ground.workdir, "unknown.pt", 2100.5)
    names = found(ground, known=known, missed=missed)
    assert certain(names) == {"again.pt": False, "same.pt": True}
    assert names["again.pt"].modified_at == 2100.5


def test_names_are_unique(ground: Ground) -> None:
    """What the command keeps has its name; what is found gives way."""
    put(ground.run_dir, "artifacts/a.pt")
    put(ground.run_dir, "artifacts/wandb/run-1-a/run-a.wandb")
    put(ground.run_dir, "wandb/run-2-b/run-b.wandb")
    put(ground.workdir, "a.pt")
    names = found(ground)
    assert names.keys() == {"a.pt", "workdir/a.pt", "wandb/run-1-a/run-a.wandb", "wandb/run-2-b/run-b.wandb"}
    assert names["a.pt"].path == f"{ground.run_dir}/artifacts/a.pt"
    assert names["workdir/a.pt"].path == f"{ground.workdir}/a.pt"
    assert [artifact.type for artifact in names.values()] == ["checkpoint", "wandb", "wandb", "checkpoint"]


def test_links_of_the_command(ground: Ground, tmp_path: Path) -> None:
    """One into the workdir or the run's own folders is followed; all others are left out."""
    kept = f"{ground.run_dir}/artifacts"
    put(ground.run_dir, "artifacts/epoch-3.pt")
    put(ground.workdir, "out/model.pt")
    put(ground.workdir, "out/old.bin", 900.5)
    ends = {
        "best.pt": f"{kept}/epoch-3.pt",
        "model.pt": f"{ground.workdir}/out/model.pt",
        "relative.bin": "../../../../out/old.bin",
        "chain.pt": "best.pt",
        # Left out:
        "shadow": "/etc/shadow",
        "passwd": "/etc/passwd",
        "beside": str(put(str(tmp_path), "work-2/x.pt")),
        "hidden": str(put(ground.workdir, ".env")),
        "spec": str(put(ground.run_dir, "spec.json")),
        "database": str(put(ground.data, "jobs.db")),
        "other": str(put(ground.data, "runs/other/artifacts/x.pt")),
        "folder": f"{ground.workdir}/out",
        "nowhere": f"{ground.workdir}/nowhere",
        "self": "self",
        "zero": "/dev/zero",
    }
    for name, end in ends.items():
        Path(kept, name).symlink_to(end)
    names = found(ground)
    assert names.keys() == {"epoch-3.pt", "best.pt", "model.pt", "relative.bin", "chain.pt"}
    assert all(artifact.certain for artifact in names.values())
    assert names["relative.bin"].path == f"{ground.workdir}/out/old.bin"
    assert names["chain.pt"].path == f"{kept}/epoch-3.pt"


@pytest.mark.parametrize("folder", ["artifacts", "wandb"])
def test_folder_that_became_a_link(ground: Ground, tmp_path: Path, folder: str) -> None:
    """Is nobody's."""
    put(str(tmp_path), "elsewhere/run-1-a/x.pt")
    Path(ground.run_dir, "artifacts").rmdir()
    Path(ground.run_dir, folder).symlink_to(tmp_path / "elsewhere")
    assert found(ground) == {}


def test_wandb_folder_of_the_run(ground: Ground) -> None:
    """Its files are the run's; the newest folder is told. Links, `latest-run` for one, are not listed."""
    for name in ("run-20240101_000000-a", "offline-run-20250101_000000-b", "run-20230101_000000-c"):
        put(ground.run_dir, f"wandb/{name}/files/config.yaml")
    put(ground.run_dir, "wandb/debug.log")
    Path(ground.run_dir, "wandb", "run-29990101_000000-d").symlink_to(ground.workdir)
    Path(ground.run_dir, "wandb", "latest-run").symlink_to("run-20240101_000000-a")
    assert len(found(ground)) == 4
    named = found(ground, wandb_dir=f"{ground.run_dir}/wandb/run-20240101_000000-a/files")
    assert named == found(ground)
    newest = look(ground, activity(ground), [], {}).wandb_dir
    assert newest == f"{ground.run_dir}/wandb/offline-run-20250101_000000-b"


@pytest.mark.parametrize("said", ["logs/run-1-a", "logs/run-1-a/files", "{workdir}/logs/run-1-a/"])
def test_wandb_folder_that_the_run_named(ground: Ground, said: str) -> None:
    """All that was written there is the run's, whoever else was active; unless that one named it too."""
    put(ground.workdir, "logs/run-1-a/files/config.yaml")
    put(ground.workdir, "logs/run-1-a/old.yaml", 900.5)
    put(ground.workdir, "logs/run-2-b/run-2.wandb")
    said = said.format(workdir=ground.workdir)
    other = activity(ground, id="other")
    names = found(ground, other, wandb_dir=said)
    assert certain(names) == {"logs/run-1-a/files/config.yaml": True}
    assert {artifact.type for artifact in names.values()} == {"wandb"}
    both = found(ground, activity(ground, id="other", wandb_dir="logs/run-1-a"), wandb_dir=said)
    assert certain(both) == {"logs/run-1-a/files/config.yaml": False}


@pytest.mark.parametrize(
    "said", ["/etc", "..", ".", "", "\0", "nowhere/run-1-a", "{outside}/run-1-a", "x" * 5000]
)
def test_what_a_run_may_not_name(ground: Ground, tmp_path: Path, said: str) -> None:
    """It may say anything: what is no W&B folder in its workdir gives nothing."""
    put(str(tmp_path), "outside/run-1-a/config.yaml")
    assert found(ground, wandb_dir=said.format(outside=tmp_path / "outside")) == {}


def test_open(ground: Ground) -> None:
    """The file, at its beginning."""
    put(ground.workdir, "a.pt")
    (artifact,) = found(ground).values()
    with open_artifact(ground, activity(ground), artifact) as file:
        assert file.read() == b"a.pt"


@pytest.mark.parametrize("swapped", ["gone", "link", "fifo", "folder", "parent"])
def test_open_what_was_swapped(ground: Ground, tmp_path: Path, swapped: str) -> None:
    """A run that puts something else in the place of what was recorded gets nothing out."""
    path = put(ground.workdir, "out/a.pt")
    (artifact,) = found(ground).values()
    put(str(tmp_path), "secrets/a.pt")
    path.unlink()
    if swapped == "link":
        path.symlink_to(tmp_path / "secrets" / "a.pt")
    elif swapped == "fifo":
        os.mkfifo(path)
    elif swapped == "folder":
        path.mkdir()
    elif swapped == "parent":
        path.parent.rmdir()
        path.parent.symlink_to(tmp_path / "secrets")
    with pytest.raises(NotFound):
        open_artifact(ground, activity(ground), artifact)


def test_open_what_was_changed(ground: Ground) -> None:
    """After the run's end, it may be another run's: it is not given out, but for what the run kept."""
    path = put(ground.workdir, "out/a.pt")
    kept = put(ground.run_dir, "artifacts/b.pt")
    linked = put(ground.workdir, "c.bin")
    kept.with_name("c.bin").symlink_to(linked)
    artifacts = found(ground)
    for each in (path, kept, linked):
        os.utime(each, (2000.6, 2000.6))
    for name in ("out/a.pt", "c.bin"):
        with pytest.raises(Conflict, match=rf"artifact {name} was changed .* {artifacts[name].path}"):
            open_artifact(ground, activity(ground), artifacts[name])
    open_artifact(ground, activity(ground), artifacts["b.pt"]).close()
    open_artifact(ground, activity(ground, ended=None), artifacts["out/a.pt"]).close()
    assert certain(found(ground)) == {"b.pt": True, "c.bin": False}


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "{run_dir}/spec.json", "{data}/jobs.db", "relative", "\0", ""]
)
def test_forged_record(ground: Ground, path: str) -> None:
    """The record lies where the run can write: it is not believed in where a file may lie."""
    put(ground.run_dir, "spec.json")
    put(ground.data, "jobs.db")
    path = path.format(run_dir=ground.run_dir, data=ground.data)
    forged = Artifact(name="x", path=path, type="other", size=1, modified_at=1.0, certain=True)
    assert still_there(ground, activity(ground), [forged]) == []
    with pytest.raises(NotFound):
        open_artifact(ground, activity(ground), forged)
    known = {path: forged}
    assert judge(ground, look(ground, activity(ground), [], known), [], known) == []


def test_still_there(ground: Ground) -> None:
    """What has gone is left out; what was written again after the run's end is not certain any more."""
    for name in ("gone.pt", "same.pt", "again.pt"):
        put(ground.workdir, name)
    put(ground.run_dir, "artifacts/kept.txt")
    recorded = list(found(ground).values())
    Path(ground.workdir, "gone.pt").unlink()
    put(ground.workdir, "again.pt", 3000.5).write_text("longer than it was")
    os.utime(Path(ground.workdir, "again.pt"), (3000.5, 3000.5))
    put(ground.run_dir, "artifacts/kept.txt", 3000.5)
    now = {artifact.name: artifact for artifact in still_there(ground, activity(ground), recorded)}
    assert certain(now) == {"kept.txt": True, "same.pt": True, "again.pt": False}
    assert (now["again.pt"].size, now["again.pt"].modified_at) == (18, 3000.5)


def test_links_for_people(ground: Ground, tmp_path: Path) -> None:
    """In `artifacts/workdir`, as in the workdir; they are no artifacts of their own, and harm nothing."""
    put(ground.workdir, "out/a.pt")
    put(ground.workdir, "x/b.pt")
    links = Path(ground.run_dir, "artifacts", "workdir")
    links.mkdir()
    (links / "x").symlink_to(tmp_path)
    artifacts = found(ground)
    put_links(ground, artifacts.values())
    put_links(ground, artifacts.values())
    assert (links / "out" / "a.pt").readlink() == Path(ground.workdir, "out", "a.pt")
    assert not (tmp_path / "b.pt").exists()
    assert found(ground) == artifacts
