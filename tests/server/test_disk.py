"""What the server leaves on the disk, and what it says when the disk takes nothing."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import World
from tests.server.conftest import Api
from tests.unit.disk import no_file_grows_beyond

MUCH = {"X": "x" * 200_000}


def files(folder: Path) -> list[str]:
    """Everything below."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


async def test_full_disk(api: Api, world: World) -> None:
    """507; nothing was made, and nothing lies about. With room again, the same calls work."""
    run = await api.create(env=MUCH)
    was, rev = files(world.workdir), api.services.store.rev()
    calls = [
        ("POST", "/runs", {"name": "x", "command": "true", "env": MUCH}),
        ("POST", "/runs", {"name": "x", "command": "true", "env": MUCH, "auto_start": True}),
        ("PUT", f"/runs/{run['id']}", {"notes": "x" * 100_000}),
        ("POST", f"/runs/{run['id']}/rerun", {"command": "x" * 100_000}),
        ("POST", f"/runs/{run['id']}/start", None),
    ]
    for method, path, body in calls:
        with no_file_grows_beyond(50_000):
            message = (await api.call(method, path, body)).error(507)
        assert "takes nothing" in message or "cannot write" in message
        assert api.services.store.rev() == rev
        assert (await api.get("/runs")).json == [run]
    assert [name for name in files(world.workdir) if "spec.json" in name] == []
    assert {name for name in was if not name.startswith(".agents/jobs.db")} == {
        name for name in files(world.workdir) if not name.startswith(".agents/jobs.db")
    }
    for method, path, body in calls:
        assert (await api.call(method, path, body)).status == 200
    await api.ended(run["id"])


async def test_store_full(api: Api, world: World) -> None:
    """The spec had room, the store has none: 507, and neither the spec nor its folder stays."""
    run = await api.create()
    for n in range(20):  # room for a spec, and for nothing beyond what the store has taken
        await api.create(env={"X": "x" * 20_000}, name=str(n))
    size = (world.workdir / ".agents" / "jobs.db-wal").stat().st_size
    with no_file_grows_beyond(size):
        for method, path, body in (
            ("POST", f"/runs/{run['id']}/start", None),
            ("POST", "/runs", {"name": "x", "command": "true", "auto_start": True}),
        ):
            assert "takes nothing" in (await api.call(method, path, body)).error(507)
            assert list((world.workdir / ".agents" / "runs").iterdir()) == []
    assert (await api.call("POST", f"/runs/{run['id']}/start", None)).status == 200
    await api.ended(run["id"])


async def test_start_in_a_used_folder(api: Api, world: World) -> None:
    """What somebody put into the folder of a run stays, though its start is refused."""
    run = await api.create(env=MUCH)
    kept = Path(run["run_dir"]) / "artifacts" / "kept"
    kept.parent.mkdir(parents=True)
    kept.touch()
    with no_file_grows_beyond(50_000):
        (await api.call("POST", f"/runs/{run['id']}/start", None)).error(507)
    assert files(Path(run["run_dir"])) == ["artifacts", "artifacts/kept"]


class TestOpenUmask:
    """Started by somebody whose files are everybody's."""

    @pytest.fixture(autouse=True)
    def umask(self, world: World) -> Iterator[None]:
        """Of this process, and so of all that it starts."""
        was = os.umask(0)
        yield
        os.umask(was)

    async def test_private(self, api: Api, world: World) -> None:
        """What is ours is its owner's alone; what the command makes is as its user's umask has it."""
        run = await api.create("umask; touch made; touch $RA_ARTIFACTS_DIR/kept", auto_start=True)
        assert (await api.ended(run["id"]))["status"] == "finished"
        made = [world.workdir / ".agents", *(world.workdir / ".agents").rglob("*")]
        folders = {path.name: path.stat().st_mode & 0o777 for path in made if path.is_dir()}
        ours = {path.name: path.stat().st_mode & 0o777 for path in made if path.is_file()}
        assert ours.pop("kept") == 0o666
        assert folders == dict.fromkeys([".agents", "files", "runs", run["id"], "artifacts"], 0o700)
        assert {
            "jobs.db",
            "server.json",
            "spec.json",
            "run.log",
            "sidecar.log",
            "events.jsonl",
        } <= ours.keys()
        assert set(ours.values()) == {0o600}
        assert (world.workdir / "made").stat().st_mode & 0o777 == 0o666
        assert (await api.get(f"/runs/{run['id']}/logs")).json["content"] == "0000\n"
