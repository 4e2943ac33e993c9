"""A run's artifacts over HTTP: what is listed, what is served, and what no run gets out of us."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from jupyter_ra_jobs import artifacts, walks
from jupyter_ra_jobs.states import RunStatus
from tests.server.conftest import UNKNOWN, Api, eventually

KEEP = "echo kept > $RA_ARTIFACTS_DIR/notes.txt"


async def listed(api: Api, run_id: str) -> dict[str, dict[str, Any]]:
    """A run's artifacts, by name."""
    answer = await api.get(f"/runs/{run_id}/artifacts")
    assert answer.status == 200, answer.body
    return {artifact["name"]: artifact for artifact in answer.json}


async def finished(api: Api, command: str, **more: Any) -> str:
    """A run of this command that has ended well; its id."""
    run = await api.ended((await api.create(command, auto_start=True, **more))["id"])
    assert run["status"] == "finished", run
    return str(run["id"])


def put(path: Path, content: bytes = b"x") -> Path:
    """A file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


async def test_what_a_run_left(api: Api) -> None:
    """What it kept, and what was found in its workdir, with the contract's fields."""
    workdir = api.services.layout.workdir
    put(workdir / "old.pt")
    command = f"{KEEP}; mkdir out; echo x > out/model.pt; echo '{{}}' > metrics.jsonl; echo y > report.txt"
    run_id = await finished(api, command)
    found = await listed(api, run_id)
    assert found.keys() == {"notes.txt", "out/model.pt", "metrics.jsonl"}
    kept, model = found["notes.txt"], found["out/model.pt"]
    assert kept.keys() == {"name", "path", "type", "size", "modified_at", "certain"}
    assert (kept["path"], kept["type"], kept["size"], kept["certain"]) == (
        str(api.services.layout.artifacts(run_id) / "notes.txt"),
        "other",
        5,
        True,
    )
    assert (model["path"], model["type"], model["certain"]) == (
        str(workdir / "out/model.pt"),
        "checkpoint",
        True,
    )
    assert model["modified_at"] == (workdir / "out/model.pt").stat().st_mtime
    assert found["metrics.jsonl"]["type"] == "metrics"
    link = api.services.layout.artifacts(run_id) / "workdir" / "out" / "model.pt"
    assert link.readlink() == workdir / "out" / "model.pt"


@pytest.mark.parametrize("status", ["ready", "queued"])
async def test_before_the_launch(api: Api, status: str) -> None:
    """Nothing, and nothing is written down."""
    run_id = await api.create_at(status)
    assert await listed(api, run_id) == {}
    assert not api.services.layout.run_dir(run_id).exists()
    (await api.get(f"/runs/{run_id}/artifacts/x")).error(404)


async def test_unknown(api: Api) -> None:
    """404 for a run, and for an artifact."""
    (await api.get(f"/runs/{UNKNOWN}/artifacts")).error(404)
    (await api.get(f"/runs/{UNKNOWN}/artifacts/x")).error(404)
    run_id = await finished(api, KEEP)
    assert "nothing.txt" in (await api.get(f"/runs/{run_id}/artifacts/nothing.txt")).error(404)


async def test_while_it_runs(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is made at the moment of asking, from a walk that is young."""
    await api.services.observer.close()  # who asks while it looks shares its look, which began before
    monkeypatch.setattr(walks, "YOUNG", 0.0)
    monkeypatch.setattr(artifacts, "YOUNG", 0.0)
    workdir = api.services.layout.workdir
    run = await api.create("cat", auto_start=True)
    await api.until(run["id"], "running")
    assert await listed(api, run["id"]) == {}
    put(workdir / "a.pt")
    api.keep(run["id"], "b.txt")
    assert (await listed(api, run["id"])).keys() == {"a.pt", "b.txt"}
    put(workdir / "c.pt")
    assert (await api.get(f"/runs/{run['id']}/artifacts/c.pt")).body == b"x"
    (workdir / "a.pt").unlink()
    assert (await listed(api, run["id"])).keys() == {"b.txt", "c.pt"}


async def test_ended_runs_are_listed_from_the_record(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder is looked through again; what has gone is left out, what has come since is not the run's."""
    run_id = await finished(api, f"{KEEP}; echo x > a.pt; echo x > b.pt")
    assert len(await listed(api, run_id)) == 3
    monkeypatch.delattr(walks, "walk")
    workdir = api.services.layout.workdir
    (workdir / "a.pt").unlink()
    put(workdir / "c.pt")
    late = api.keep(run_id, "late.txt")
    os.utime(late, (time.time() + 1, time.time() + 1))  # a file's time may be a tick off
    assert (await listed(api, run_id)).keys() == {"notes.txt", "b.pt"}
    (await api.get(f"/runs/{run_id}/artifacts/a.pt")).error(404)
    (await api.get(f"/runs/{run_id}/artifacts/late.txt")).error(404)


async def test_final_discovery(api: Api) -> None:
    """The walk for it begins after the end: nothing of the last second is missed."""
    run = await api.create("read go; echo x > last.pt", auto_start=True)
    await api.until(run["id"], "running")
    assert await listed(api, run["id"]) == {}
    pane = (await api.run(run["id"]))["tmux_window"]
    process = await asyncio.create_subprocess_exec(
        "tmux", "send-keys", "-t", f"=research-agent:={pane}", "Enter"
    )
    await process.wait()
    await api.ended(run["id"])
    record = await api.services.artifacts.discover(run["id"])
    assert (record.final, [artifact.name for artifact in record.artifacts]) == (True, ["last.pt"])


async def test_two_runs_at_once(api: Api) -> None:
    """Both may have written what was written while both were active; not what came before or after."""
    workdir = api.services.layout.workdir

    async def touch(name: str) -> None:
        """Write as a run does, at a moment that is apart from what came before and what comes after."""
        for act in (lambda: None, lambda: put(workdir / name)):
            act()
            now = time.time()
            await eventually(lambda now=now: time.time() > now + 0.1, "the moment is over")

    first = await api.create(KEEP + "; cat", auto_start=True)
    await api.until(first["id"], "running")
    await touch("alone.pt")
    second = await api.create(KEEP + "; cat", auto_start=True)
    await api.until(second["id"], "running")
    elsewhere = put(workdir.parent / "elsewhere" / "x").parent
    third = await api.create("cat", auto_start=True, workdir=str(elsewhere))
    await api.until(third["id"], "running")
    await touch("both.pt")
    await api.post(f"/runs/{first['id']}/stop")
    await api.ended(first["id"])
    await touch("after.pt")
    put(elsewhere / "third.pt")
    for run in (second, third):
        await api.post(f"/runs/{run['id']}/stop")
        await api.ended(run["id"])

    def certain(found: dict[str, dict[str, Any]]) -> dict[str, bool]:
        return {name: artifact["certain"] for name, artifact in found.items()}

    assert certain(await listed(api, first["id"])) == {"notes.txt": True, "alone.pt": True, "both.pt": False}
    assert certain(await listed(api, second["id"])) == {"notes.txt": True, "both.pt": False, "after.pt": True}
    assert certain(await listed(api, third["id"])) == {"third.pt": True}


async def test_download(api: Api) -> None:
    """Byte for byte, as an attachment, by a name with slashes and anything else in it."""
    content = bytes(range(256)) * 1_000
    names = ["plain.bin", "deep/er/žluť 🐎.bin", 'quote" ; x=\r\n.html', "100%2F+&?.svg", "-rf"]
    run_id = await api.create_at("finished")
    for name in names:
        api.keep(run_id, name, content)
    assert (await listed(api, run_id)).keys() == set(names)
    for name in names:
        for escaped in (quote(name), quote(name, safe="")):
            answer = await api.get(f"/runs/{run_id}/artifacts/{escaped}")
            assert (answer.status, answer.body) == (200, content), name
            assert answer.headers["Content-Type"] == "application/octet-stream"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            shown = answer.headers["Content-Disposition"]
            plain, _, encoded = shown.removeprefix('attachment; filename="').partition(
                "\"; filename*=utf-8''"
            )
            assert unquote(encoded) == name.rpartition("/")[2]
            assert len(plain) == len(unquote(encoded))
            assert plain.isascii()
            assert not set('"\r\n/\\') & set(plain + encoded)
    path = f"/runs/{run_id}/artifacts/plain.bin"
    head = await api.call("HEAD", path)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "256000")
    part = await api.call("GET", path, headers={**api.login, "Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, content[10:20])
    assert part.headers["Content-Range"] == "bytes 10-19/256000"
    beyond = await api.call("GET", path, headers={**api.login, "Range": "bytes=256000-"})
    beyond.error(416)


async def test_changed_amid_a_download(api: Api) -> None:
    """No mixture of two versions comes whole."""
    size = 96 << 20
    run_id = await api.create_at("finished")
    file = api.keep(run_id, "model.pt", b"")
    os.truncate(file, size)
    path = f"/runs/{run_id}/artifacts/model.pt"

    def rewrite() -> None:
        with file.open("r+b") as again:
            again.write(b"new")

    announced, came = await api.amid(path, rewrite)
    assert announced == size
    assert came < size
    assert await api.amid(path, lambda: None) == (size, size)


async def test_folder(api: Api) -> None:
    """Is no artifact; the answer says what is."""
    run_id = await api.create_at("finished")
    api.keep(run_id, "wandb/run-20240101_000000-a/run-a.wandb")
    assert [artifact["type"] for artifact in (await listed(api, run_id)).values()] == ["wandb"]
    for folder in ("wandb", "wandb/run-20240101_000000-a/"):
        assert "is a folder" in (await api.get(f"/runs/{run_id}/artifacts/{folder}")).error(404)


@pytest.mark.parametrize(
    "name",
    [
        *("../spec.json", "..%2Fspec.json", "%2e%2e/spec.json", "%252e%252e%252fspec.json", "..\\spec.json"),
        *(
            "notes.txt/../../spec.json",
            "workdir/../../spec.json",
            "..%2F..%2F..%2Fjobs.db",
            "....//spec.json",
        ),
        *(
            "%2Fetc%2Fpasswd",
            "/etc/passwd",
            "//etc/passwd",
            "workdir",
            ".",
            "..",
            "%00",
            "notes.txt%00",
            "%FF",
        ),
        *("x" * 300, "x/" * 5_000, "x" * 50_000),
    ],
    ids=lambda name: name[:30],
)
async def test_paths_that_are_no_names(api: Api, name: str) -> None:
    """A name is looked up, never put together to a path."""
    run_id = await finished(api, KEEP)
    answer = await api.get(f"/runs/{run_id}/artifacts/{name}")
    assert answer.status in {400, 404}
    assert b"root:" not in answer.body
    assert b"token" not in answer.body


async def test_hostile_links(api: Api) -> None:
    """A link that a run makes gives no more than its own folders hold, when it is listed and later."""
    layout = api.services.layout
    secret = put(layout.workdir.parent / "secret.txt", b"hunter2")
    other = await finished(api, KEEP)
    command = (
        f"{KEEP}; cd $RA_ARTIFACTS_DIR; ln -s {secret} a; ln -s /etc/passwd b; ln -s ../spec.json c; "
        f"ln -s ../../../jobs.db d; ln -s ../../{other}/spec.json e; ln -s {secret.parent} f; "
        "ln -s /dev/zero g"
    )
    run_id = await finished(api, command)
    assert (await listed(api, run_id)).keys() == {"notes.txt"}
    for name in ("a", "b", "c", "d", "e", "f/secret.txt", "g"):
        (await api.get(f"/runs/{run_id}/artifacts/{name}")).error(404)
    kept = layout.artifacts(run_id) / "notes.txt"
    kept.unlink()
    kept.symlink_to(secret)
    assert await listed(api, run_id) == {}
    (await api.get(f"/runs/{run_id}/artifacts/notes.txt")).error(404)


async def test_workdir_that_became_a_link(api: Api) -> None:
    """The workdir is the folder that it was at the launch, whatever the run puts in its place."""
    elsewhere = put(api.services.layout.workdir.parent / "elsewhere" / "secret.txt", b"hunter2").parent
    folder = api.services.layout.workdir / "folder"
    folder.mkdir()
    command = (
        f"cd ..; rmdir folder; ln -s {elsewhere} folder; ln -s {elsewhere}/secret.txt $RA_ARTIFACTS_DIR/x"
    )
    run_id = await finished(api, f"{command}; echo 1 > folder/a.csv", workdir=str(folder))
    assert await listed(api, run_id) == {}


async def test_workdir_behind_a_link(api: Api) -> None:
    """A workdir that was a link at the launch is what that led to."""
    real = put(api.services.layout.workdir.parent / "real" / "x").parent
    link = api.services.layout.workdir / "link"
    link.symlink_to(real)
    run_id = await finished(api, "echo 1 > a.csv", workdir=str(link))
    assert [artifact["path"] for artifact in (await listed(api, run_id)).values()] == [str(real / "a.csv")]


@pytest.mark.parametrize(
    "record", [b"", b"{", b"[" * 100_000, b'{"final": true, "artifacts": [{"name": 1}]}']
)
async def test_broken_record(api: Api, record: bytes) -> None:
    """Is none: it is made again."""
    run_id = await finished(api, KEEP)
    for _ in range(2):
        assert (await listed(api, run_id)).keys() == {"notes.txt"}
        api.services.layout.found(run_id).write_bytes(record)


async def test_forged_record(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says no more than one of ours would: its words go into a header, its length into an answer."""
    monkeypatch.setattr(artifacts, "MOST", 3)
    run_id = await finished(api, KEEP)
    kept = (await listed(api, run_id))["notes.txt"]
    forged = {"final": True, "left_out": ["a\r\nb: c", "time"], "artifacts": [kept] * 5}
    api.services.layout.found(run_id).write_text(json.dumps(forged))
    answer = await api.get(f"/runs/{run_id}/artifacts")
    assert (answer.status, answer.headers["X-RA-Scan-Incomplete"]) == (200, "time")
    assert len(answer.json) == 3


async def test_bounds_are_said(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a header, which pages of other origins may read; also when the list comes from the record."""
    monkeypatch.setattr(walks, "MOST_ENTRIES", 10)
    monkeypatch.setattr(artifacts, "MOST", 3)
    workdir = api.services.layout.workdir
    run_id = await finished(api, f"{KEEP}; for i in $(seq 20); do echo x > $i.pt; done")
    for _ in range(2):
        answer = await api.get(f"/runs/{run_id}/artifacts")
        assert len(answer.json) == 3
        assert answer.headers["X-RA-Scan-Incomplete"] == "artifacts, entries"
        assert "X-RA-Scan-Incomplete" in answer.headers["Access-Control-Expose-Headers"]
    assert len(list(workdir.glob("*.pt"))) == 20
    monkeypatch.undo()
    whole = await api.get(f"/runs/{await finished(api, KEEP)}/artifacts")
    assert "X-RA-Scan-Incomplete" not in whole.headers


async def test_kept_without_room_on_the_record(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command kept is there for who asks by its name; nothing else is, for want of a record."""
    monkeypatch.setattr(artifacts, "MOST", 2)
    secret = put(api.services.layout.workdir.parent / "secret.txt", b"hunter2")
    command = (
        "cd $RA_ARTIFACTS_DIR; touch a b; mkdir deep c; ln -s deep d; ln -s ../spec.json e; mkfifo f; "
        f"ln -s {secret} g; echo 5 > deep/result; echo 6 > result; echo 7 > $OLDPWD/workdir.pt"
    )
    run_id = await finished(api, command)
    assert (await listed(api, run_id)).keys() == {"a", "b"}
    for name, content in {"result": b"6\n", "deep/result": b"5\n"}.items():
        answer = await api.get(f"/runs/{run_id}/artifacts/{name}")
        assert (answer.status, answer.body) == (200, content)
    away = (
        "c",
        "d/result",
        "e",
        "f",
        "g",
        "workdir.pt",
        "deep",
        "deep/",
        "/result",
        "..%2Fspec.json",
        "x/result",
    )
    inside = ("deep/..%2Fresult", "deep/..%2F..%2Fspec.json", "..%2Fartifacts/result", "%00", "")
    for name in away + inside:
        (await api.get(f"/runs/{run_id}/artifacts/{name}")).error(404)
    api.keep(run_id, "late.txt")
    (await api.get(f"/runs/{run_id}/artifacts/late.txt")).error(404)


async def test_newest_have_room(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a run makes more than there is room for, its newest are kept."""
    await api.services.observer.close()
    monkeypatch.setattr(artifacts, "MOST", 3)
    run = await api.create("cat", auto_start=True)
    await api.until(run["id"], "running")
    began = time.time()
    monkeypatch.setattr(artifacts, "YOUNG", 0.0)
    for n in range(6):
        path = put(api.services.layout.workdir / f"{n}.pt")
        os.utime(path, (began + n, began + n))
        expected = [f"{each}.pt" for each in range(n, max(-1, n - 3), -1)]
        assert list(await listed(api, run["id"])) == expected


async def test_wandb_dir(api: Api) -> None:
    """W&B is told the run dir, and found there."""
    command = (
        'mkdir -p "$WANDB_DIR/wandb/run-20240101_000000-a/files"; echo $WANDB_DIR;'
        'echo x > "$WANDB_DIR/wandb/run-20240101_000000-a/run-a.wandb"'
    )
    run_id = await finished(api, command)
    name = "wandb/run-20240101_000000-a"
    assert (await listed(api, run_id)).keys() == {f"{name}/run-a.wandb"}
    run_dir = api.services.layout.run_dir(run_id)
    assert (await api.run(run_id))["wandb_dir"] == str(run_dir / name)
    assert api.log(run_id).read_text() == f"{run_dir}\n"
    (source,) = await api.services.artifacts.sources(run_id)
    assert source.path == str(run_dir / name / "run-a.wandb")


async def test_wandb_dir_of_the_user(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever set WANDB_DIR, for the server or for the run, meant it."""
    monkeypatch.setenv("WANDB_DIR", "/of/the/server")
    assert api.log(await finished(api, "echo $WANDB_DIR")).read_text() == "/of/the/server\n"
    of_run = await finished(api, "echo $WANDB_DIR", env={"WANDB_DIR": "/of/the/run"})
    assert api.log(of_run).read_text() == "/of/the/run\n"


async def test_wandb_dir_in_the_workdir(api: Api) -> None:
    """What the run says counts: for the run's own field, and for whose the files are."""
    folder = "wandb/run-20240101_000000-a"
    command = (
        f"mkdir -p {folder}/files; echo x > {folder}/files/config.yaml; echo WANDB_RUN_DIR: {folder}/files"
    )
    run_id = await finished(api, command)
    assert (await api.run(run_id))["wandb_dir"] == f"{api.services.layout.workdir}/{folder}/files"
    (artifact,) = (await listed(api, run_id)).values()
    assert (artifact["name"], artifact["type"], artifact["certain"]) == (
        f"{folder}/files/config.yaml",
        "wandb",
        True,
    )


async def test_sources(api: Api) -> None:
    """What a metrics reader wants: the run's own files first."""
    files = "$RA_ARTIFACTS_DIR/z.csv a.jsonl events.out.tfevents.1 m.pt"
    run_id = await finished(api, f"{KEEP}; for each in {files}; do echo 1 > $each; done")
    found = await api.services.artifacts.sources(run_id)
    assert found[0].name == "z.csv"
    assert {source.name for source in found} == {"z.csv", "a.jsonl", "events.out.tfevents.1"}


async def test_server_was_away(api: Api) -> None:
    """A run that ended unseen is looked at when it is asked for, by the times on its files."""
    run_id = await api.create_at("running")
    put(api.services.layout.workdir / "a.pt")
    assert api.services.store.move(run_id, RunStatus.FINISHED)
    assert (await listed(api, run_id)).keys() == {"a.pt"}
    assert api.services.layout.found(run_id).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("late", [False, True])
async def test_changed_after_the_end(api: Api, late: bool) -> None:
    """A file that another run may have written since stays in the list, not certain, and is not served."""
    path = put(api.services.layout.workdir / "a.pt")
    run_id = await api.create_at("running")
    put(path, b"mine")
    api.keep(run_id, "b.pt")
    assert (await listed(api, run_id))["a.pt"]["certain"]
    api.services.store.move(run_id, RunStatus.FINISHED)
    if not late:
        await api.services.artifacts.discover(run_id)
    put(path, b"another's")
    os.utime(path, (time.time() + 1, time.time() + 1))
    found = await listed(api, run_id)
    assert {name: each["certain"] for name, each in found.items()} == {"a.pt": False, "b.pt": True}
    assert found["a.pt"]["size"] == len(b"another's")
    assert (await api.get(f"/runs/{run_id}/artifacts/a.pt")).error(409) == (
        "artifact a.pt was changed after the run's end, perhaps by another run; it lies at " + str(path)
    )
    assert (await api.call("HEAD", f"/runs/{run_id}/artifacts/a.pt")).status == 409
    assert (await api.get(f"/runs/{run_id}/artifacts/b.pt")).status == 200


async def test_wandb_dir_is_listed_once(api: Api) -> None:
    """Also when the run names its folder in the run dir."""
    folder = "$WANDB_DIR/wandb/run-20240101_000000-a"
    run_id = await finished(
        api, f"mkdir -p {folder}/files; echo x > {folder}/run-a.wandb; echo WANDB_RUN_DIR: {folder}/files"
    )
    assert (await api.run(run_id))["wandb_dir"]
    assert (await listed(api, run_id)).keys() == {"wandb/run-20240101_000000-a/run-a.wandb"}


async def test_asked_by_many(api: Api) -> None:
    """All at once they cost one discovery, and get the same."""
    run_id = await finished(api, f"{KEEP}; echo x > a.pt")
    records = await asyncio.gather(*(api.services.artifacts.discover(run_id) for _ in range(50)))
    assert {id(record) for record in records} == {id(records[0])}
