"""Files of runs: uploaded, kept, copied to a run, and taken away when nobody names them."""

import asyncio
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from jupyter_ra_jobs import jobs_json
from jupyter_ra_jobs.files import UNNAMED_SECONDS
from jupyter_ra_jobs.layout import name_beside
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store
from tests.conftest import PATIENCE, Server, World, wait_for
from tests.server.conftest import Api, eventually
from tests.unit.disk import no_file_grows_beyond

UNKNOWN = "f" * 64
SHOW = 'cd "$RA_FILES_DIR" && head -c 100 *'


async def put(api: Api, content: bytes = b"content\n") -> str:
    """Upload it; its hash."""
    sha256 = hashlib.sha256(content).hexdigest()
    answer = await api.call("PUT", f"/files/{sha256}", content)
    assert (answer.status, answer.json) == (200, {"sha256": sha256, "size": len(content)})
    return sha256


def kept(api: Api) -> list[str]:
    """What lies where the files are."""
    return sorted(path.name for path in api.services.layout.files.iterdir())


async def log(api: Api, run_id: str) -> str:
    """A run's output, once it has ended."""
    await api.ended(run_id)
    return str((await api.get(f"/runs/{run_id}/logs")).json["content"])


# -- uploading -----------------------------------------------------------------------------------------


async def test_upload(api: Api) -> None:
    """Kept by its hash, for its owner alone; again is no error; a large one and an empty one too."""
    for content in (b"content\n", b"", os.urandom(5_000_000)):
        (await api.get(f"/files/{hashlib.sha256(content).hexdigest()}")).error(404)
        for _ in range(2):
            sha256 = await put(api, content)
        path = api.services.layout.file(sha256)
        assert path.read_bytes() == content
        assert path.stat().st_mode & 0o777 == 0o600
        assert (await api.get(f"/files/{sha256}")).json == {"sha256": sha256, "size": len(content)}
    assert api.services.layout.files.stat().st_mode & 0o777 == 0o700
    assert len(kept(api)) == 3


async def test_wrong_content(api: Api) -> None:
    """400 with the hash that it has; nothing is kept, and what was there stays."""
    sha256 = await put(api)
    message = (await api.call("PUT", f"/files/{sha256}", b"other")).error(400)
    assert hashlib.sha256(b"other").hexdigest() in message
    await eventually(lambda: kept(api) == [sha256])
    assert api.services.layout.file(sha256).read_bytes() == b"content\n"


async def test_put_heals(api: Api, tmp_path: Path) -> None:
    """What was damaged, or made a link, is there again once it was uploaded again."""
    sha256 = await put(api)
    path = api.services.layout.file(sha256)
    path.write_bytes(b"damaged")
    await put(api)
    assert path.read_bytes() == b"content\n"
    path.unlink()
    (tmp_path / "elsewhere").write_bytes(b"content\n")
    path.symlink_to(tmp_path / "elsewhere")
    (await api.get(f"/files/{sha256}")).error(404)
    message = (await api.post("/runs", name="x", command="true", files={"a": sha256})).error(400)
    assert sha256 in message
    await put(api)
    assert stat.S_ISREG(path.lstat().st_mode)


async def test_damaged_is_asked_for_again(api: Api) -> None:
    """By its size before it is used, and by its content from then on."""
    sha256 = await put(api)
    path = api.services.layout.file(sha256)
    run = await api.create(files={"a": sha256})
    path.write_bytes(b"cut")
    (await api.get(f"/files/{sha256}", size=8)).error(404)
    assert (await api.get(f"/files/{sha256}", size=3)).json["size"] == 3
    path.write_bytes(b"contend\n")
    assert (await api.get(f"/files/{sha256}", size=8)).status == 200
    assert "damaged" in (await api.post(f"/runs/{run['id']}/start")).error(400)
    (await api.get(f"/files/{sha256}", size=8)).error(404)
    await put(api)
    assert (await api.post(f"/runs/{run['id']}/start")).status == 200
    assert (await api.ended(run["id"]))["status"] == "finished"


class TestLimit:
    """A site that takes small files only."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """As it says it."""
        return {"RaJobsApp": {"max_file_bytes": 1000}}

    async def test_too_large(self, api: Api) -> None:
        """413 that names the setting, to who asks before and to who does not; nothing is kept."""
        await put(api, b"x" * 1000)
        content = b"x" * 1001
        sha256 = hashlib.sha256(content).hexdigest()
        for answer in (
            await api.get(f"/files/{sha256}", size=1001),
            await api.call("PUT", f"/files/{sha256}", content),
        ):
            assert "max_file_bytes" in answer.error(413)
        assert (await api.get(f"/files/{sha256}", size=1000)).status == 404
        assert len(kept(api)) == 1

    async def test_told_before_it_is_sent(self, api: Api) -> None:
        """Of a long one not a byte is waited for."""
        head = await answered(api, f"PUT {api.prefix}/files/{UNKNOWN}", "Content-Length: 100000000")
        assert head.startswith("HTTP/1.1 413 ")
        assert kept(api) == []


async def opened(
    api: Api, request: str, *headers: str, login: bool = True
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request whose body is still to come."""
    port = api.client.get_http_port()  # type: ignore[attr-defined]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{request} HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers]
    lines += [f"{name}: {value}" for name, value in api.login.items() if login]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    return reader, writer


async def answered(api: Api, request: str, *headers: str, login: bool = True) -> str:
    """What such a request is answered before its body has come."""
    reader, writer = await opened(api, request, *headers, login=login)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    writer.close()
    return head.decode()


async def test_without_length(api: Api) -> None:
    """400: how long it is must be known."""
    headers = ("Transfer-Encoding: chunked", "Connection: close")
    reader, writer = await opened(api, f"PUT {api.prefix}/files/{UNKNOWN}", *headers)
    writer.write(b"1\r\nx\r\n0\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Content-Length" in answer
    assert kept(api) == []


async def test_stranger_sends_nothing(api: Api) -> None:
    """Who is not logged in is refused before the body, and nothing is on the disk."""
    request = f"PUT {api.prefix}/files/{UNKNOWN}"
    head = await answered(api, request, "Content-Length: 100000000", login=False)
    assert head.startswith("HTTP/1.1 403 ")
    assert kept(api) == []


async def test_streamed_and_broken_off(api: Api) -> None:
    """It goes to the disk as it comes; whoever goes away leaves nothing there."""
    reader, writer = await opened(api, f"PUT {api.prefix}/files/{UNKNOWN}", "Content-Length: 20000000")
    for _ in range(10):
        writer.write(b"x" * 1_000_000)
        await writer.drain()

    def taken() -> int:
        return sum(path.stat().st_size for path in api.services.layout.files.glob(f"{UNKNOWN}.*"))

    await eventually(lambda: taken() > 5_000_000, "it is on the disk")
    assert not api.services.layout.file(UNKNOWN).exists()
    writer.close()
    await eventually(lambda: kept(api) == [], "it is taken away")
    assert await reader.read() == b""


async def test_full_disk(api: Api) -> None:
    """507, and nothing is left; with room the same works. The same of the copies for a run."""
    content = os.urandom(3_000_000)
    sha256 = hashlib.sha256(content).hexdigest()
    with no_file_grows_beyond(1_500_000):
        message = (await api.call("PUT", f"/files/{sha256}", content)).error(507)
    assert "cannot write" in message
    await eventually(lambda: kept(api) == [])
    await put(api, content)
    run = await api.create(files={"data": sha256})
    with no_file_grows_beyond(1_500_000):
        assert "cannot write" in (await api.post(f"/runs/{run['id']}/start")).error(507)
    assert await api.run(run["id"]) == run
    assert not api.services.layout.run_dir(run["id"]).exists()
    assert (await api.post(f"/runs/{run['id']}/start")).status == 200
    assert (await api.ended(run["id"]))["status"] == "finished"


# -- what runs have ------------------------------------------------------------------------------------


async def test_copies(api: Api) -> None:
    """A run has them under its names, may change them, and the next one finds them as they were."""
    sha256 = await put(api)
    files = {"a.txt": sha256, "with space ž.txt": sha256}
    for _ in range(2):
        run = await api.create(f"{SHOW}; echo more >> a.txt; rm w*", files=files, auto_start=True)
        assert run["files"] == files
        assert (await log(api, run["id"])).count("content\n") == 2
        assert (await api.ended(run["id"]))["files"] == files
        place = Path(run["run_dir"]) / "files"
        assert (place / "a.txt").read_bytes() == b"content\nmore\n"
        assert place.stat().st_mode & 0o777 == 0o700
        assert (place / "a.txt").stat().st_mode & 0o777 == 0o600
    assert api.services.layout.file(sha256).read_bytes() == b"content\n"
    assert "files" not in await api.create()


async def test_repeated(api: Api) -> None:
    """A rerun, each retry, the cells of a sweep and their retries, and what is added to one have them too."""
    sha256 = await put(api)
    options = {"files": {"a": sha256}}
    failed = await api.create(f"{SHOW}; exit 1", max_retries=1, auto_start=True, **options)
    await api.ended(failed["id"])
    rerun = (await api.post(f"/runs/{failed['id']}/rerun", auto_start=True)).json
    assert await log(api, rerun["id"]) == "content\n"
    sweep = (
        await api.post(
            "/sweeps",
            name="s",
            base_command=f"{SHOW}; exit {{x}} #",
            parameters={"x": [0, 1]},
            status="draft",
            **options,
        )
    ).json
    assert sweep["run_options"] == {"files": {"a": sha256}}
    assert (await api.put(f"/sweeps/{sweep['id']}", status="running")).status == 200
    cells = (await api.get(f"/sweeps/{sweep['id']}")).json["run_ids"]
    for run_id in cells:
        await api.ended(run_id)
    again = (await api.post(f"/sweeps/{sweep['id']}/retry")).json["run_ids"][-1]
    added = (await api.post(f"/sweeps/{sweep['id']}/runs", name="x", command=SHOW, **options)).json
    assert (await api.post(f"/runs/{added['id']}/start")).status == 200
    for run in (await api.get("/runs")).json:
        assert await log(api, run["id"]) == "content\n", run
        assert run["files"] == {"a": sha256}
    assert {*cells, again} < {run["id"] for run in (await api.get("/runs")).json}


async def test_not_uploaded(api: Api) -> None:
    """400 that says which, of a run, a sweep and a run of a sweep; nothing is made."""
    wild = (await api.post("/sweeps/wild", name="s", goal="g")).json["id"]
    files = {"there": await put(api), "missing.txt": UNKNOWN}
    for path, more in (
        ("/runs", {"command": "true"}),
        ("/runs", {"command": "true", "auto_start": True}),
        ("/sweeps", {"base_command": "true", "parameters": {"x": [1]}}),
        ("/sweeps", {"base_command": "true", "parameters": {"x": [1]}, "status": "draft"}),
        (f"/sweeps/{wild}/runs", {"command": "true"}),
    ):
        message = (await api.post(path, name="x", files=files, **more)).error(400)
        assert message.startswith("files.missing.txt: there is no file")
        assert UNKNOWN in message
    assert (await api.get("/runs")).json == []
    assert [sweep["id"] for sweep in (await api.get("/sweeps")).json] == [wild]


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "/etc/passwd", "../x", "a\nb", "a\0b", "x" * 256, "ž" * 128]
)
async def test_no_name(api: Api, name: str) -> None:
    """What could lead elsewhere, or be no file's name, is refused with what would be right."""
    message = (await api.post("/runs", name="x", command="true", files={name: await put(api)})).error(400)
    assert "no plain file name" in message


@pytest.mark.parametrize(
    "files",
    [
        ["a"],
        {"a": 1},
        {"a": "no hash"},
        {"a": UNKNOWN.upper()},
        {"a": f"../{UNKNOWN}"},
        {str(number): UNKNOWN for number in range(65)},
    ],
    ids=str,
)
async def test_no_files(api: Api, files: Any) -> None:
    """Neither are these."""
    assert "files" in (await api.post("/runs", name="x", command="true", files=files)).error(400)


@pytest.mark.parametrize("harm", ["gone", "damaged", "a link", "a folder"])
async def test_gone(api: Api, tmp_path: Path, harm: str) -> None:
    """A start is refused; what waits in the queue fails, with why, and holds up nobody."""
    sha256 = await put(api)
    ready = await api.create(files={"a": sha256})
    first = await api.create("sleep 0.1")
    queued = await api.create(files={"a": sha256}, after=[first["id"]], auto_start=True)
    path = api.services.layout.file(sha256)
    path.unlink()
    if harm == "damaged":
        path.write_bytes(b"other")
    elif harm == "a link":
        (tmp_path / "elsewhere").write_bytes(b"content\n")
        path.symlink_to(tmp_path / "elsewhere")
    elif harm == "a folder":
        path.mkdir()
    assert sha256 in (await api.post(f"/runs/{ready['id']}/start")).error(400)
    assert await api.run(ready["id"]) == ready
    assert (await api.post(f"/runs/{first['id']}/start")).status == 200
    failed = await api.ended(queued["id"])
    assert failed["status"] == "failed"
    assert sha256 in failed["error"]
    assert await log(api, (await api.create("echo on", auto_start=True))["id"]) == "on\n"


async def test_export(api: Api, world: World) -> None:
    """The whole history names them, and what is imported from it does."""
    sha256 = await put(api)
    run = await api.create(files={"a": sha256})
    said = jobs_json.export(api.services.store)
    assert said["runs"][run["id"]]["files"] == {"a": sha256}
    other = type(api.services.layout)(world.root / "other")
    other.create()
    other.jobs_json.write_text(json.dumps(said))
    store = Store(other.database, other.runs)
    try:
        assert jobs_json.import_once(store, other)
        assert store.run(run["id"]).files == {"a": sha256}
        assert store.named_files([sha256, UNKNOWN]) == {sha256}
    finally:
        store.close()


# -- cleaning ------------------------------------------------------------------------------------------


def age(path: Path) -> Path:
    """Make it older than what is kept for nobody."""
    long_ago = path.lstat().st_mtime - UNNAMED_SECONDS - 1
    os.utime(path, (long_ago, long_ago))
    return path


async def test_tidy(api: Api) -> None:
    """Old files that nobody names go, and what killed servers left; others stay."""
    files = api.services.files
    named, drafted, young, asked, old = [await put(api, bytes([number])) for number in range(5)]
    await api.create(files={"a": named})
    draft = {"base_command": "true", "parameters": {"x": [1]}, "status": "draft"}
    await api.post("/sweeps", name="s", files={"a": drafted}, **draft)
    folder = api.services.layout.files
    for sha256 in (named, drafted, asked, old):
        age(folder / sha256)
    (folder / f"{old}.999999999.1.abcd").write_bytes(b"half")
    (folder / f"{UNKNOWN}.gone").write_bytes(b"")
    under_way = name_beside(folder / UNKNOWN)
    under_way.write_bytes(b"half, and its server lives")
    assert (await api.get(f"/files/{asked}")).status == 200
    await files.tidy()
    assert kept(api) == sorted([named, drafted, young, asked, under_way.name])
    await files.tidy()
    assert len(kept(api)) == 5


async def test_uploaded_again_meanwhile(api: Api) -> None:
    """One that was old when it was looked at, and is not when it would be taken away, stays."""
    sha256 = await put(api)
    age(api.services.layout.file(sha256))
    old = api.services.files._old()
    await put(api)
    assert (old, api.services.files._set_aside(old)) == ([sha256], [])
    assert kept(api) == [sha256]


def upload(server: Server, content: bytes) -> str:
    """Upload it to a server; its hash."""
    sha256 = hashlib.sha256(content).hexdigest()
    assert server.request("PUT", f"/files/{sha256}", content).status == 200
    return sha256


def test_killed_between_upload_and_create(server: Server, world: World) -> None:
    """The file is there for the next server, which takes it away only when it is old and not named."""
    sha256, forgotten, named = (upload(server, word) for word in (b"content\n", b"forgotten", b"named"))
    server.create("true", files={"a": named})
    server.kill()
    folder = world.workdir / ".agents" / "files"
    age(folder / forgotten)
    age(folder / named)
    half = folder / f"{UNKNOWN}.{server.process.pid if server.process else 0}.1.abcdabcd"
    half.write_bytes(b"half")
    server.start()
    run_id = server.launch(SHOW, files={"a": sha256})
    assert server.ended(run_id)["status"] == "finished"
    assert server.log(run_id) == b"content\n"
    wait_for(lambda: {path.name for path in folder.iterdir()} == {sha256, named}, "the others are gone")


def test_killed_before_the_sidecar_spoke(server: Server, world: World) -> None:
    """Copies that are in their place stay when the run is launched again: it may be at work with them."""
    run = server.create(SHOW, files={"a": upload(server, b"content\n")})
    server.kill()
    place = server.run_dir(run["id"]) / "files"
    place.mkdir(parents=True)
    (place / "a").write_bytes(b"changed by the run\n")
    store = Store(world.workdir / ".agents" / "jobs.db", world.workdir / ".agents" / "runs")
    assert store.move(run["id"], RunStatus.LAUNCHING)
    store.close()
    server.start()
    assert server.ended(run["id"])["status"] == "finished"
    assert server.log(run["id"]) == b"changed by the run\n"


def test_killed_before_the_copies_are_in_place(server: Server, world: World) -> None:
    """Half-made copies are no run's files: the next launch makes them anew, and takes those away."""
    run = server.create(SHOW, files={"a": upload(server, b"content\n")})
    server.kill()
    half = server.run_dir(run["id"]) / "files.999999999.1.abcd"
    half.mkdir(parents=True)
    (half / "a").write_bytes(b"cont")
    server.start()
    assert server.post(f"/runs/{run['id']}/start").status == 200
    assert server.ended(run["id"])["status"] == "finished"
    assert server.log(run["id"]) == b"content\n"
    assert not half.exists()
