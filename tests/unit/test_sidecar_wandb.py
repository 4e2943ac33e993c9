"""`WANDB_RUN_DIR: <path>` in the output becomes an event, wherever the output is cut."""

from collections.abc import Iterator

import pytest
from jupyter_ra_jobs_sidecar.wandb import RunDirLines

from tests.conftest import World
from tests.unit.sidecars import Run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One tmux server for all of these, since none harms it."""
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.end()


OUTPUT = (
    "epoch 1\nWANDB_WANDB_RUN_DIR: /one\r\nWANDB_RUN_DIR:/two\n\x1b[34mWANDB_RUN_DIR: /žluť 🐎\x1b[0m\n"
    "WANDB_RUN_DI: /no\nWANDB_RUN_DIR: \nWANDB_RUN_DIR:WANDB_RUN_DIR: /three\rWANDB_RUN_DIR: /last"
).encode()
PATHS = ["/one", "/two", "/žluť 🐎", "WANDB_RUN_DIR: /three", "/three", "/last"]


def heard(*parts: bytes) -> list[str]:
    """What is heard in output that comes in these parts."""
    lines = RunDirLines()
    return [path for part in parts for path in lines.feed(part)] + lines.end()


@pytest.mark.parametrize("size", range(1, 40))
def test_cut_anywhere(size: int) -> None:
    """In pieces of any size, the same is heard."""
    assert heard(*(OUTPUT[at : at + size] for at in range(0, len(OUTPUT), size))) == PATHS
    assert heard(OUTPUT[:size], OUTPUT[size:]) == PATHS


@pytest.mark.parametrize(
    "line",
    [b"\xff\xfe", b"a\0b", b"", b"  ", b"x" * 5000, b"\x1b[0m/x"],
    ids=["bytes", "nul", "no", "space", "long", "escape"],
)
def test_what_is_no_path(line: bytes) -> None:
    """Is passed over, and what comes behind it is heard."""
    output = b"WANDB_RUN_DIR:" + line + b"\nWANDB_RUN_DIR: /x\n"
    assert heard(output) == ["/x"]
    assert heard(*(output[at : at + 7] for at in range(0, len(output), 7))) == ["/x"]


def test_endless_line() -> None:
    """Holds no more than it may."""
    lines = RunDirLines()
    for _ in range(100):
        assert lines.feed(b"WANDB_RUN_DIR:" + b"x" * 1000) == []
        assert len(lines._held) < 6_000


def told(run: Run) -> list[str]:
    """The folders on the spool."""
    return [event["wandb_dir"] for event in run.events() if "wandb_dir" in event]


def test_reported(world: World) -> None:
    """As it is said, from the workdir on; the last that is there counts, and none twice."""
    command = (
        "mkdir -p a/files b; echo WANDB_RUN_DIR: a/files; echo WANDB_RUN_DIR: nowhere; "
        "echo WANDB_RUN_DIR:$PWD/b/; echo WANDB_RUN_DIR: ./b; printf 'WANDB_RUN_DIR: /'"
    )
    run = Run(world, command).start()
    assert run.ended() == ("finished", 0)
    assert told(run) == [f"{world.workdir}/a/files", f"{world.workdir}/b", "/"]
    assert [event["status"] for event in run.events()] == ["running"] * 4 + ["finished"]
    assert [event["seq"] for event in run.events()] == [1, 2, 3, 4, 5]


def test_without_end(world: World) -> None:
    """A command that says it again and again costs a hundred looks, not more."""
    run = Run(world, "for i in $(seq 300); do mkdir -p many/$i; echo WANDB_RUN_DIR: many/$i; done").start()
    assert run.ended() == ("finished", 0)
    assert told(run) == [f"{world.workdir}/many/{n}" for n in range(1, 101)]
