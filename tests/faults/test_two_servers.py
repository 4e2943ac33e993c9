"""Two servers on one workdir: of one user, with other umasks; and of another user, who may not."""

import contextlib
import json
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server, World, wait_for

NOBODY = 65534
# May read all, since Python and the package may lie where only root can; that is more than others can.
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
AS_NOBODY += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
WAITS = "touch made.{0}; echo before; until [ -e go ]; do sleep 0.02; done; echo after; exit {0}"


def port_said(world: World) -> int | None:
    """Which server the sidecars call; None when the one that said so has just ended."""
    file = world.workdir / ".agents" / "server.json"
    with contextlib.suppress(FileNotFoundError):
        return int(json.loads(file.read_text())["port"])
    return None


def test_two_umasks(world: World) -> None:
    """What is ours stays private; each run has the umask of the server that launched it."""
    servers = []
    for umask in (0o000, 0o077):
        was = os.umask(umask)
        try:
            servers.append(Server(world).start())
        finally:
            os.umask(was)
    ids = [server.launch(WAITS.format(n)) for n, server in enumerate(servers)]
    for run_id, server in zip(ids, servers, strict=True):
        server.until(run_id, "running")
    servers[1].kill()
    (world.workdir / "go").touch()
    assert [servers[0].ended(run_id)["exit_code"] for run_id in ids] == [0, 1]
    assert [servers[0].log(run_id) for run_id in ids] == [b"before\nafter\n"] * 2
    modes = [(world.workdir / f"made.{n}").stat().st_mode & 0o777 for n in range(2)]
    assert modes == [0o666, 0o600]
    for path in (world.workdir / ".agents", *(world.workdir / ".agents").rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # it was beside its place, and is in it by now
            status = path.lstat()
            assert status.st_mode & 0o777 == (0o700 if stat.S_ISDIR(status.st_mode) else 0o600), path


def test_who_is_called(world: World) -> None:
    """server.json names the server that came last while it lives; then the one that is left; then none."""
    first, second, third = (Server(world).start() for _ in range(3))
    assert port_said(world) == third.port
    third.stop()
    second.kill()
    first.launch("true")  # wakes its scheduler
    wait_for(lambda: port_said(world) == first.port, "the one that is left says where it is")
    first.stop()
    assert not (world.workdir / ".agents" / "server.json").exists()


@pytest.fixture
def open_world() -> Iterator[World]:
    """A world whose workdir everybody may enter and write to, below a folder that is open too."""
    root = Path(tempfile.mkdtemp(prefix="ra-test-"))
    root.chmod(0o755)
    made = World(root)
    made.workdir.chmod(0o777)
    yield made
    made.end()
    shutil.rmtree(root)


@pytest.mark.skipif(
    os.geteuid() != 0
    or shutil.which("setpriv") is None
    or bool(subprocess.run([*AS_NOBODY, "true"]).returncode),
    reason="only root becomes somebody else",
)
def test_another_user(open_world: World) -> None:
    """Has a server that does not start, and says why; nothing is harmed."""
    server = Server(open_world).start()
    run_id = server.launch(WAITS.format(5))
    server.until(run_id, "running")
    agents = open_world.workdir / ".agents"
    before = {path: path.lstat() for path in agents.rglob("*") if path.name in {"server.json", "spec.json"}}
    theirs = Path(tempfile.mkdtemp(prefix="ra-test-"))
    os.chown(theirs, NOBODY, NOBODY)
    env = {**open_world.env, "HOME": str(theirs)}
    for name in ("CONFIG", "DATA", "RUNTIME"):
        env[f"JUPYTER_{name}_DIR"] = str(theirs / name)
    try:
        refused = Server(open_world)
        refused.spawn(prefix=AS_NOBODY, env=env)
        assert refused.process is not None
        assert refused.process.wait(60) == 1
        assert f"{agents} belongs to somebody else" in refused.output()
        (open_world.workdir / "go").touch()
        assert server.ended(run_id)["exit_code"] == 5
        assert server.log(run_id) == b"before\nafter\n"
        for path, was in before.items():
            now = path.lstat()
            assert (now.st_uid, now.st_mode, now.st_mtime) == (was.st_uid, was.st_mode, was.st_mtime), path
        assert {path.lstat().st_uid for path in agents.rglob("*")} == {os.geteuid()}
    finally:
        shutil.rmtree(theirs)
