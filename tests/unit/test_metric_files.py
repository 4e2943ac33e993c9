"""Reading metrics from real files, as they grow, and from whatever else a run may leave there."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ra_jobs import metric_files
from jupyter_ra_jobs.metric_files import BLOCK, MOST_FILES, SHARED, RunReader, Source, kind_of
from jupyter_ra_jobs.metric_library import Library
from jupyter_ra_jobs.metric_rows import MOST_KEYS, json_rows, loss_keys

ROWS = [{"step": n, "train_loss": 1 / (n + 1), "val": {"acc": n * 0.1}} for n in range(5)]
needs_wandb = pytest.mark.skipif(find_spec("wandb") is None, reason="wandb is not installed")
no_tensorboard = find_spec("tensorboard") is None
needs_tensorboard = pytest.mark.skipif(no_tensorboard, reason="tensorboard is not installed")


@pytest.fixture
def library() -> Iterator[Library]:
    """What reads the libraries' files."""
    made = Library()
    yield made
    made.close()


def sources_in(run_dir: Path) -> list[Source]:
    """All that may hold metrics in a run dir."""
    found = [Path(folder) / name for folder, _, names in os.walk(run_dir.resolve()) for name in names]
    own = run_dir.resolve() / "metrics.jsonl"
    kinds = [(path, kind_of(path.name)) for path in sorted(found) if path != own and not path.is_symlink()]
    return [Source(own, "jsonl"), *(Source(path, kind) for path, kind in kinds if kind)]


class Run:
    """A run dir, and what is read of it."""

    def __init__(self, path: Path, library: Library) -> None:
        self.path = path.resolve()
        self.kept = self.path / "artifacts"
        self.kept.mkdir(parents=True)
        self.reader = RunReader(library)

    def look(self, *, ended: bool = False, sources: list[Source] | None = None) -> metric_files.Summary:
        """One look."""
        return self.reader.look(sources_in(self.path) if sources is None else sources, ended)

    def values(self, **more: Any) -> dict[str, list[tuple[float, float]]]:
        """All points, after a look."""
        summary = self.look(**more)
        return {
            key: [tuple(point) for point in points]
            for key, points in self.reader.points(summary.keys, 4_000).items()
        }


@pytest.fixture
def run(tmp_path: Path, library: Library) -> Run:
    """An empty run dir."""
    return Run(tmp_path / "run", library)


def lines(rows: list[Any]) -> str:
    """JSON a line, as Python writes it."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_nothing(run: Run, tmp_path: Path, library: Library) -> None:
    """No file is no metrics, nor is no folder."""
    assert run.values() == {}
    assert run.look(ended=True).final
    assert RunReader(library).look(sources_in(tmp_path / "none"), ended=False).complete


def test_rows(run: Run) -> None:
    """Numbers are metrics, nested ones joined with slashes; steps, clocks, texts and truths are none."""
    row = {"step": 3, "epoch": 1, "time": 1.7e9, "loss": 2, "a": {"b": {"c": 1.5}, "step": 7}}
    others = {"ok": True, "name": "x", "none": None, "list": [1]}
    (run.kept / "m.jsonl").write_text(lines([row | others]))
    assert run.values() == {"loss": [(3, 2)], "a/b/c": [(3, 1.5)], "a/step": [(3, 7)]}


def test_steps(run: Run) -> None:
    """The first of the names that a row has; without one, the row's number in its file."""
    rows = [{"x": 0}, {"x": 1, "epoch": 5, "global_step": 50}, {"x": 2, "_step": 60, "step": 1}]
    rows += [{"x": 3, "step": math.nan}, {"x": 4, "step": "9"}, {"x": 5, "epoch": 0.5}]
    (run.kept / "m.jsonl").write_text(lines(rows))
    assert [step for step, _ in run.values()["x"]] == [0, 50, 60, 3, 4, 0.5]


def test_not_finite(run: Run) -> None:
    """As Python writes it, as text, or as an integer without end: no point, but the first step is known."""
    rows = [{"x": 1.0, "y": "NaN"}, {"x": math.nan, "y": 1}, {"x": -math.inf, "z": 10**400}, {"x": 3}]
    (run.kept / "m.jsonl").write_text(lines(rows))
    assert run.values() == {"x": [(0, 1), (3, 3)], "y": [(1, 1)]}
    assert run.look().non_finite == {"x": 1, "y": 0, "z": 2}


@pytest.mark.parametrize(
    "text",
    [
        "step,loss,name\n1,0.5,a\n2,0.25,b\n",
        "\ufeffstep,loss,name\r\n1,0.5,a\r\n2,0.25,b\r\n",
        "step;loss;name\n1;0,5;a\n2;0,25;b\n",
        "step\tloss\tname\n1\t0.5\ta\n2\t0.25\tb\n",
        'step,"loss",name\n\n1,0.5\n2,0.25,b,more,and,more\n,,\n3\n"4,0.1,x\n',
    ],
    ids=["plain", "bom", "semicolons", "tabs", "ragged"],
)
def test_csv(run: Run, text: str) -> None:
    """Its first line names the columns."""
    (run.kept / "m.csv").write_bytes(text.encode())
    assert run.values() == {"loss": [(1, 0.5), (2, 0.25)]}


def test_csv_without_names(run: Run) -> None:
    """Numbers without names mean nothing."""
    (run.kept / "m.csv").write_text("1,2\n3,4\n")
    assert run.values() == {}


def test_half_a_line_waits(run: Run) -> None:
    """Until its rest is there, or the run has ended."""
    path = run.kept / "m.jsonl"
    path.write_text(lines(ROWS)[:-4])
    assert len(run.values()["train_loss"]) == 4
    with path.open("a") as file:
        file.write(lines(ROWS)[-4:] + '{"step": 9, "train_loss": 0}')
    assert len(run.values()["train_loss"]) == 5
    assert run.values(ended=True)["train_loss"][-1] == (9, 0)


ROW = st.fixed_dictionaries({}, optional={"loss": st.floats(), "epoch": st.integers(0, 9), "text": st.text()})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(ROW, max_size=130), st.lists(st.integers(0, 10_000), max_size=6), st.booleans())
def test_pieces_are_the_whole(
    tmp_path: Path, library: Library, rows: list[dict[str, Any]], cuts: list[int], is_csv: bool
) -> None:
    """Read as it is written, in whatever pieces, it is the same as read at once."""
    text = (
        lines(rows)
        if not is_csv
        else "loss,epoch,text\n"
        + "".join(f"{row.get('loss', '')},{row.get('epoch', '')},{row.get('text', '')}\n" for row in rows)
    )
    data = text.encode()
    run = Run(tmp_path / os.urandom(4).hex(), library)
    path = run.kept / f"m.{'csv' if is_csv else 'jsonl'}"
    for end in sorted({*(cut % (len(data) + 1) for cut in cuts), len(data)}):
        path.write_bytes(b"") if not path.exists() else None
        with path.open("ab") as file:
            file.write(data[path.stat().st_size : end])
        run.look()
    at_once = RunReader(library)
    sources = sources_in(run.path)
    assert at_once.look(sources, ended=False) == run.look()
    assert at_once.points(["loss"], 100) == run.reader.points(["loss"], 100)


def test_cut_and_replaced(run: Run) -> None:
    """A file that is another one now is read afresh, also one that was written anew in its place."""
    path = run.kept / "m.jsonl"
    path.write_text(lines(ROWS))
    run.look()
    path.write_text(lines([{"step": 7, "train_loss": 7}]))
    assert run.values() == {"train_loss": [(7, 7)]}
    path.write_text(lines([{"step": n, "train_loss": 8} for n in range(99)]))
    assert len(run.values()["train_loss"]) == 99
    other = run.kept / "other"
    other.write_text(lines([{"step": 1, "train_loss": 9}] * 200))
    other.replace(path)
    assert run.values()["train_loss"][0] == (1, 9)
    path.unlink()
    assert run.values() == {}


def test_first_source_wins(run: Run) -> None:
    """What callers sent comes first; the same key is never of two files."""
    (run.path / "metrics.jsonl").write_text(lines([{"step": 1, "loss": 1}]))
    (run.kept / "a.jsonl").write_text(lines([{"step": 2, "loss": 2, "acc": 2}]))
    (run.kept / "b.csv").write_text("step,acc,lr\n3,3,3\n")
    assert run.values() == {"loss": [(1, 1)], "acc": [(2, 2)], "lr": [(3, 3)]}


def test_doubt(run: Run) -> None:
    """What another run may have written gives nothing, whatever else there is; that is said, once each."""
    mine = run.kept / "mine.jsonl"
    others = [run.kept / str(n) / f"{n // 2}.jsonl" for n in range(10)]
    for each in others:
        each.parent.mkdir()
        each.write_text(lines([{"loss": 2}]))
    sources = [*(Source(each, "jsonl", doubt=SHARED) for each in others), Source(mine, "jsonl")]
    assert run.values(sources=sources) == {}
    mine.write_text(lines([{"acc": 1}]))
    assert run.values(sources=sources) == {"acc": [(0, 1)]}
    shared = "is passed over: another run could have written it; write to $RA_ARTIFACTS_DIR"
    assert run.reader.notes == [*(f"{n}.jsonl {shared}" for n in range(3)), "2 more files are passed over"]


def test_changed_while_it_is_read(run: Run) -> None:
    """What was certain when it was listed is not, when the next run writes before it is read."""
    own, other = run.path / "metrics.jsonl", run.path / "results.csv"
    own.write_text(lines([{"acc": 1}]))
    other.write_text("step,loss\n1,0.5\n")
    os.utime(other, (1_000, 1_000))
    sources = [Source(own, "jsonl"), Source(other, "csv", until=1_000.02)]
    assert run.values(sources=sources, ended=True) == {"acc": [(0, 1)], "loss": [(1, 0.5)]}
    assert (run.reader.own_keys, run.reader.has_changed) == ({"acc"}, False)
    other.write_text("step,loss\n1,0.7\n")
    for _ in range(2):
        assert run.values(sources=sources, ended=True) == {"acc": [(0, 1)]}
        assert (run.reader.notes, run.reader.has_changed) == (
            ["results.csv has changed since the run ended"],
            True,
        )


def test_end_is_no_other_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was read while the run was active is read on after its end, not once more."""
    other = run.path / "results.csv"
    other.write_text("step,loss\n1,0.5\n2,0.4")
    assert run.values(sources=[Source(other, "csv")]) == {"loss": [(1, 0.5)]}
    monkeypatch.setattr(metric_files, "BLOCK", 16)
    monkeypatch.setattr(metric_files, "MOST_BYTES", 6)  # less than the whole
    ended = [Source(other, "csv", until=time.time() + 1)]
    assert run.values(sources=ended, ended=True) == {"loss": [(1, 0.5), (2, 0.4)]}
    assert run.reader.summary.final


def test_no_metrics_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file of texts only the first lines are ever read, and so of a data set with few numbers."""
    text = json.dumps({"text": "x" * 10_000}) + "\n"
    (run.kept / "texts.jsonl").write_text(text * 300)
    (run.kept / "data.jsonl").write_text(text.replace("{", '{"id": 1, ') * 300)
    (run.kept / "garbage.jsonl").write_bytes(os.urandom(3 << 20))
    (run.kept / "garbage.csv").write_bytes(os.urandom(3 << 20))
    (run.kept / "zeros.jsonl").write_bytes(bytes(3 << 20))
    (run.path / "metrics.jsonl").write_text(lines([{"text": "x"}] * 300 + [{"loss": 1}]))  # callers sent it
    summary = run.look()
    assert summary.complete
    assert summary.keys.keys() == {"loss"}
    monkeypatch.setattr(metric_files.os, "pread", None)
    run.look()


def test_long_line(run: Run) -> None:
    """A line of more than a megabyte is no row; those after it are."""
    path = run.kept / "m.jsonl"
    path.write_text(lines([{"x": 1}, {"x": 2, "text": "y" * 3 * BLOCK}, {"x": 3}]))
    assert [value for _, value in run.values()["x"]] == [1, 3]


def test_a_look_is_bounded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond is read by the next looks, and the summary says so."""
    monkeypatch.setattr(metric_files, "MOST_BYTES", 2 * BLOCK)
    monkeypatch.setattr(metric_files, "_PIECE", 2 * BLOCK)
    text = lines([{"loss": n} for n in range(200_000)])
    for name in ("a.jsonl", "b.jsonl"):
        (run.kept / name).write_text(text)
    looks = 1
    while not (summary := run.look()).complete:
        looks += 1
        assert not summary.final
    assert looks == pytest.approx(2 * len(text) / (2 * BLOCK), abs=2)
    assert summary.keys["loss"].count == 200_000


def test_hostile(run: Run, tmp_path: Path) -> None:
    """Nothing but regular files in the run's own folders is read, and nothing is waited for."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jsonl").write_text(lines(ROWS))
    os.mkfifo(run.kept / "fifo.jsonl")
    (run.kept / "link.jsonl").symlink_to(outside / "secret.jsonl")
    (run.kept / "folder").symlink_to(outside)
    (run.kept / "folder.jsonl").mkdir()
    (run.kept / "null.jsonl").symlink_to("/dev/zero")
    (run.path / "metrics.jsonl").symlink_to(outside / "secret.jsonl")
    (run.path / "wandb").symlink_to(outside)
    assert run.values() == {}
    # Even when it was a file or folder a moment ago.
    names = ["fifo.jsonl", "link.jsonl", "folder/secret.jsonl", "folder.jsonl", "null.jsonl", "none.jsonl"]
    assert run.values(sources=[Source(run.kept / name, "jsonl") for name in names]) == {}


def test_nested_without_end(run: Run) -> None:
    """Neither depth nor the number of keys costs more than the file's size."""
    deep = '{"a":' * 5_000 + "1" + "}" * 5_000
    deeper = '{"a":' * 400_000
    wide = json.dumps({f"k{n}": n for n in range(MOST_KEYS + 500)})
    strange = '{"\\ud800": 1, "k0": NaN}'
    long = json.dumps({"k" * 1_000: 1})
    (run.kept / "m.jsonl").write_text("\n".join([wide, deep, deeper[: BLOCK - 10], strange, long, ""]))
    summary = run.look()
    assert len(summary.keys) == MOST_KEYS
    assert summary.keys["k0"].count == 1
    assert run.reader.notes == [f"only the first {MOST_KEYS:,} metrics are read"]


def test_many_files(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many files are read, and none further once there are so many metrics."""
    for n in range(MOST_FILES + 50):
        (run.kept / f"{n:04d}.jsonl").write_text(lines([{f"k{n}": 1}]))
    assert len(run.look().keys) == MOST_FILES - 1  # the run's own is one
    monkeypatch.setattr(metric_files, "MOST_KEYS", 5)
    assert len(run.look().keys) == 5
    assert run.reader.notes == ["only the first 5 metrics are read"]


def test_loss_keys() -> None:
    """By the names of the frameworks, however they write them."""

    def both(*names: str) -> tuple[str | None, str | None]:
        return loss_keys(dict.fromkeys(names, 5))

    assert both("train_loss", "val_loss", "loss") == ("train_loss", "val_loss")
    assert both("trainLoss", "valLoss") == ("trainLoss", "valLoss")
    assert both("train/loss", "eval/loss", "test/loss") == ("train/loss", "eval/loss")
    assert both("Loss/train", "Loss/test") == ("Loss/train", "Loss/test")
    assert both("train/epoch_loss", "validation/epoch_loss") == ("train/epoch_loss", "validation/epoch_loss")
    assert both("test_loss", "val_accuracy") == (None, "test_loss")
    assert both("glossary") == (None, None)
    assert loss_keys({"loss": 100, "train_loss": 1}) == ("loss", None)


# -- libraries -----------------------------------------------------------------------------------------

WANDB = """
import math, wandb
run = wandb.init(mode="offline", project="p")
for n in range(300):
    run.log({"loss": 1 / (n + 1), "nested": {"acc": n}, "flag": True, "text": "x",
             "bad": math.nan if n == 7 else 1.0})
run.log({"late": 7, "table": wandb.Histogram([1, 2, 3])}, step=500)
run.finish()
"""


@needs_wandb
def test_wandb(run: Run, tmp_path: Path) -> None:
    """A real offline run: whole, and in pieces that end anywhere, as while it is written."""
    env = {**os.environ, "WANDB_DIR": str(run.path), "HOME": str(tmp_path), "WANDB_SILENT": "true"}
    subprocess.run([sys.executable, "-c", WANDB], env=env, cwd=tmp_path, check=True, capture_output=True)
    (path,) = run.path.glob("wandb/offline-run-*/*.wandb")
    summary = run.look()
    assert summary.complete
    assert run.reader.notes == []
    assert summary.keys["loss"].count == 300
    assert (summary.keys["nested/acc"].max, summary.keys["nested/acc"].max_step) == (299, 299)
    assert summary.non_finite == {"bad": 7}
    assert summary.keys["late"].last_step == 500
    assert not {"flag", "text", "_runtime", "_timestamp"} & summary.keys.keys()
    data = path.read_bytes()
    for ends in ([3, 32_770, len(data)], [len(data) // 3, len(data)]):
        path.unlink()
        for end in ends:
            with path.open("ab") as file:
                file.write(data[path.stat().st_size : end])
            part = run.look()
            assert run.reader.notes == []
        assert part == summary
    path.unlink()
    run.look()
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(damaged))
    assert 0 < run.look().keys["loss"].count < 300
    assert "damaged at offset" in run.reader.notes[0]


def write_events(folder: Path, tag: str, values: dict[int, float], *, tensor: bool = False) -> Path:
    """A real event file, with more in it than scalars."""
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboard.util.tensor_util import make_tensor_proto

    before = set(folder.glob("*"))
    writer = EventFileWriter(str(folder))
    for step, value in values.items():
        shown = {"tensor": make_tensor_proto(value)} if tensor else {"simple_value": value}
        some = [summary_pb2.Summary.Value(tag=tag, **shown)]
        some += [summary_pb2.Summary.Value(tag="text", tensor=make_tensor_proto("words"))]
        some += [summary_pb2.Summary.Value(tag="vector", tensor=make_tensor_proto([1.0, 2.0]))]
        summary = summary_pb2.Summary(value=some)
        writer.add_event(event_pb2.Event(step=step, wall_time=time.time(), summary=summary))
    writer.close()
    (path,) = set(folder.glob("*")) - before
    return path


@needs_tensorboard
def test_tensorboard(run: Run) -> None:
    """Real event files: scalars old and new, in pieces, and further files of the same folder."""
    folder = run.kept / "tb"
    path = write_events(folder, "loss", {n: 1 / (n + 1) for n in range(300)})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2 + 1])
    part = run.look().keys["loss"].count
    assert 0 < part < 300
    with path.open("ab") as file:
        file.write(data[len(data) // 2 + 1 :])
    summary = run.look()
    assert (summary.keys["loss"].count, summary.keys["loss"].last_step) == (300, 299)
    assert summary.keys.keys() == {"loss"}
    write_events(folder, "loss", {300: 0.5, 301: math.nan}, tensor=True).rename(folder / "z.tfevents.9")
    summary = run.look()
    assert (summary.keys["loss"].count, summary.keys["loss"].last) == (301, 0.5)
    assert summary.non_finite == {"loss": 301}


@needs_tensorboard
def test_tensorboard_folders(run: Run) -> None:
    """The same tag in two folders is two metrics."""
    write_events(run.kept / "logs" / "train", "epoch_loss", {0: 1.0})
    write_events(run.kept / "logs" / "validation", "epoch_loss", {0: 2.0}, tensor=True)
    assert run.values() == {"train/epoch_loss": [(0, 1)], "validation/epoch_loss": [(0, 2)]}


@pytest.mark.parametrize("name", ["x.wandb", "events.out.tfevents.1"])
def test_no_such_record(run: Run, name: str) -> None:
    """Garbage is passed over with a note, once and for all; so is a file whose library is missing."""
    (run.kept / name).write_bytes(os.urandom(100_000))
    (run.kept / "m.jsonl").write_text(lines(ROWS))
    assert "train_loss" in run.values()
    (note,) = run.reader.notes
    assert "can't be read on" in note or "pip install" in note
    assert run.look(ended=True).final


def test_missing_library(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note says what to install; it is read once that is done."""
    monkeypatch.setattr(Library, "has", lambda *_: False)
    (run.kept / "x.wandb").write_bytes(b"")
    assert run.look(ended=True).final
    assert run.reader.notes == ["WandB files are not read: pip install 'jupyter_ra_jobs[wandb]'"]


def test_closed(run: Run, library: Library) -> None:
    """When the server ends, nobody waits for a reader."""
    library.close()
    with (run.path / "f").open("w+b", buffering=0) as file:
        assert "ended with exit code -9" in str(library.read(file, "wandb", 0, 100).bad)


def test_decoded_in_pieces(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """To decode holds the interpreter's lock, so it is never much at once; no row is lost between pieces."""
    sizes = []

    def spied(lines: bytes) -> list[Any]:
        sizes.append(len(lines))
        return json_rows(lines)

    monkeypatch.setattr(metric_files, "json_rows", spied)
    rows = [
        {"loss": n, "text": "x" * 100_000} if n % 50_000 == 49_999 else {"loss": n} for n in range(200_000)
    ]
    (run.kept / "a.jsonl").write_text(lines(rows))
    assert run.look().keys["loss"].count == 200_000
    assert max(sizes) < 200_000
