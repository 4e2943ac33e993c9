"""A log over HTTP: pages, the whole file, and a search through it."""

import json
import os
from typing import Any

import pytest
from traitlets import TraitError

from jupyter_ra_jobs.app import RaJobsApp
from jupyter_ra_jobs.states import RunStatus
from tests.server.conftest import Api

# Two bytes, three and four a character, bytes that are none, and every kind of line end.
TEXT = "".join(f"{n} žluťoučký 🐎 →\r\n{n}%\r" for n in range(1_500))
BYTES = TEXT.encode()


async def with_log(api: Api, content: bytes = BYTES, status: str = "finished") -> str:
    """A run that has this output; its id."""
    run_id = await api.create_at(status)
    api.log(run_id).write_bytes(content)
    return run_id


async def page(api: Api, run_id: str, **query: int) -> dict[str, Any]:
    """A page of a run's log."""
    answer = await api.get(f"/runs/{run_id}/logs", **query)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


async def test_shape(api: Api) -> None:
    """The contract's fields, and numbers that are bytes."""
    run_id = await with_log(api, "aéb\n".encode())
    assert await page(api, run_id) == {
        "content": "aéb\n",
        "offset": 0,
        "total_size": 5,
        "has_more_before": False,
        "has_more_after": False,
        "next_offset": 5,
    }
    assert (await page(api, run_id, offset=1, limit=1))["content"] == "é"
    assert (await page(api, run_id, offset=2, limit=1))["content"] == ""
    assert (await page(api, run_id, offset=99))["offset"] == 5
    assert (await page(api, run_id, offset=-99))["content"] == "aéb\n"
    assert (await page(api, run_id, offset=-(10**30), limit=10**30))["content"] == "aéb\n"
    assert (await page(api, run_id, offset=10**30))["offset"] == 5


async def test_no_log_yet(api: Api) -> None:
    """Empty, not missing."""
    run = await api.create()
    for which in ("logs", "sidecar-logs"):
        assert (await api.get(f"/runs/{run['id']}/{which}")).json == {
            "content": "",
            "offset": 0,
            "total_size": 0,
            "has_more_before": False,
            "has_more_after": False,
            "next_offset": 0,
        }


async def test_defaults(api: Api) -> None:
    """The last 10,000 bytes; never more than 102,400."""
    run_id = await with_log(api, b"x" * 300_000)
    last = await page(api, run_id)
    assert (last["offset"], len(last["content"]), last["has_more_after"]) == (290_000, 10_000, False)
    assert len((await page(api, run_id, offset=0))["content"]) == 10_000
    assert len((await page(api, run_id, offset=0, limit=300_000))["content"]) == 102_400


class TestLimits:
    """What a site sets."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """Small ones."""
        return {"RaJobsApp": {"log_page_bytes": 1024, "log_page_max_bytes": 2048}}

    async def test_limits(self, api: Api) -> None:
        """Is kept to."""
        run_id = await with_log(api, b"x" * 10_000)
        assert (await page(api, run_id))["offset"] == 10_000 - 1024
        assert len((await page(api, run_id, offset=0, limit=5_000))["content"]) == 2048


@pytest.mark.parametrize("limit", [1_000, 9_999, 10_000, 102_400])
async def test_walk_forward(api: Api, limit: int) -> None:
    """By `next_offset`: pages put end to end are the file, to the letter."""
    run_id = await with_log(api)
    content, offset, more = "", 0, True
    while more:
        shown = await page(api, run_id, offset=offset, limit=limit)
        assert shown["offset"] == offset
        assert shown["total_size"] == len(BYTES)
        assert len(shown["content"].encode()) == shown["next_offset"] - offset <= limit + 3
        content, offset, more = content + shown["content"], shown["next_offset"], shown["has_more_after"]
    assert content == TEXT
    assert offset == len(BYTES)


@pytest.mark.parametrize("step", [1_001, 10_000])
async def test_walk_back(api: Api, step: int) -> None:
    """As the existing UI does: in steps of its own, trusting its own numbers."""
    run_id = await with_log(api)
    content, offset = "", (await page(api, run_id))["total_size"]
    while offset > 0:
        start = max(0, offset - step)
        shown = await page(api, run_id, offset=start, limit=offset - start)
        assert start <= shown["offset"] <= start + 3
        assert shown["has_more_before"] == (shown["offset"] > 0)
        content, offset = shown["content"] + content, start
    assert content == TEXT


async def test_half_a_character(api: Api) -> None:
    """While the run may still write its rest it is kept back; afterwards it is shown for what it is."""
    run_id = await with_log(api, b"a\xf0\x9f\x90", "running")
    shown = await page(api, run_id)
    assert (shown["content"], shown["next_offset"], shown["total_size"]) == ("a", 1, 1)
    api.services.store.move(run_id, RunStatus.FINISHED)
    assert (await page(api, run_id))["content"] == "a\ufffd"


async def test_sidecar_log(api: Api) -> None:
    """The same for the sidecar's own story."""
    run = await api.create("true", auto_start=True)
    await api.ended(run["id"])
    assert "the run ended" in (await api.get(f"/runs/{run['id']}/sidecar-logs")).json["content"]


async def test_no_regular_file(api: Api) -> None:
    """A run can put anything where its log was; nothing is shown under the log's name that isn't it."""
    run_id = await with_log(api)
    secret = api.services.layout.workdir / "secret"
    secret.write_text("hunter2")
    api.log(run_id).unlink()
    api.log(run_id).symlink_to(secret)
    for route in ("logs", "logs/download", "logs/search?q=hunter"):
        answer = await api.get(f"/runs/{run_id}/{route}")
        answer.error(404)
        assert b"hunter2" not in answer.body


async def test_download(api: Api) -> None:
    """The file, byte for byte, as an attachment."""
    content = bytes(range(256)) * 1_000
    run_id = await with_log(api, content)
    answer = await api.get(f"/runs/{run_id}/logs/download")
    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert f'filename="{run_id}-run.log"' in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    head = await api.call("HEAD", f"/runs/{run_id}/logs/download")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "256000")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=5-5", 5, 6),
        ("bytes=90-", 90, 100),
        ("bytes=-7", 93, 100),
        ("bytes=50-999", 50, 100),
    ],
)
async def test_range(api: Api, asked: str, start: int, end: int) -> None:
    """206 with the bytes that were asked for."""
    content = bytes(range(100))
    run_id = await with_log(api, content)
    answer = await api.call("GET", f"/runs/{run_id}/logs/download", headers={**api.login, "Range": asked})
    assert (answer.status, answer.body) == (206, content[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/100"
    assert answer.headers["Content-Length"] == str(end - start)


async def test_range_beyond(api: Api) -> None:
    """416 with the size there is."""
    run_id = await with_log(api, b"x" * 100)
    answer = await api.call(
        "GET", f"/runs/{run_id}/logs/download", headers={**api.login, "Range": "bytes=100-"}
    )
    answer.error(416)
    assert answer.headers["Content-Range"] == "bytes */100"


async def test_download_of_nothing(api: Api) -> None:
    """A run that has not written yet has no file."""
    run = await api.create()
    assert run["id"] in (await api.get(f"/runs/{run['id']}/logs/download")).error(404)


async def test_search(api: Api) -> None:
    """Newest lines first, page by page to the beginning."""
    run_id = await with_log(api, b"".join(b"line %d\n" % n for n in range(1_000)))
    path = f"/runs/{run_id}/logs/search"
    answer = (await api.get(path, q="99", limit=3)).json
    assert answer.keys() == {"matches", "next_before", "complete"}
    assert [match["line"] for match in answer["matches"]] == ["line 999", "line 998", "line 997"]
    assert not answer["complete"]
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"q": "99", "limit": 7}
    while not answer["complete"] or not found:
        answer = (await api.get(path, **query)).json
        found += answer["matches"]
        query["before"] = answer["next_before"]
    assert [match["line"] for match in found] == [f"line {n}" for n in range(999, -1, -1) if "99" in str(n)]
    log = api.log(run_id).read_bytes()
    for match in found:
        assert log[match["offset"] :].startswith(match["line"].encode() + b"\n")


async def test_search_options(api: Api) -> None:
    """Literal and in any case by default, as the contract's URL shows it."""
    run_id = await with_log(api, b"Loss: 0.5\nloss: 1.5\n[x]\nLOSS: 0x5\n")

    async def lines(**query: Any) -> list[str]:
        answer = await api.get(f"/runs/{run_id}/logs/search", **query)
        assert answer.status == 200, answer.body
        return [match["line"] for match in answer.json["matches"]]

    assert await lines(q="loss") == ["LOSS: 0x5", "loss: 1.5", "Loss: 0.5"]
    assert await lines(q="loss", ignore_case="false") == ["loss: 1.5"]
    assert await lines(q="0.5") == ["Loss: 0.5"]
    assert await lines(q="0.5", regex="true") == ["LOSS: 0x5", "Loss: 0.5"]
    assert await lines(q="[x]") == ["[x]"]
    assert await lines(q="nowhere") == []


HEAD, GONE, TAIL = "první 🐎\nhal", 100_000, "f a line\nposlední\n"


async def with_gap(api: Api) -> str:
    """A run of whose log the middle was given back to the disk; its id."""
    head = HEAD.encode()
    run_id = await with_log(api, head + bytes(GONE) + TAIL.encode())
    record = {"start": len(head), "end": len(head) + GONE}
    api.log(run_id).with_name("run.log.gap").write_text(json.dumps(record))
    return run_id


async def test_gap(api: Api) -> None:
    """It is no content; pages say where it is, and lead over it."""
    run_id = await with_gap(api)
    start, end = len(HEAD.encode()), len(HEAD.encode()) + GONE
    told = {"gap": {"start": start, "end": end}, "total_size": end + len(TAIL.encode())}
    first = await page(api, run_id, offset=0)
    assert first == {
        **told,
        "content": HEAD,
        "offset": 0,
        "has_more_before": False,
        "has_more_after": True,
        "next_offset": end,
    }
    ways = {"has_more_before": True, "has_more_after": True}
    assert await page(api, run_id, offset=50_000) == {
        **told,
        **ways,
        "content": "",
        "offset": start,
        "next_offset": end,
    }
    last = await page(api, run_id)
    assert (last["content"], last["offset"], last["gap"]) == (TAIL, end, told["gap"])
    assert (await page(api, run_id, offset=0, limit=102_400))["content"] == HEAD + TAIL


async def test_gap_in_a_search(api: Api) -> None:
    """Nothing is found there; the half lines at its edges are lines."""
    run_id = await with_gap(api)
    found = (await api.get(f"/runs/{run_id}/logs/search?q=.&regex=true")).json
    assert [match["line"] for match in found["matches"]] == ["poslední", "f a line", "hal", "první 🐎"]
    assert found["gap"] == {"start": len(HEAD.encode()), "end": len(HEAD.encode()) + GONE}


async def test_gap_in_a_download(api: Api) -> None:
    """The file is as long as it was, with zeros there, and the header says where."""
    run_id = await with_gap(api)
    answer = await api.get(f"/runs/{run_id}/logs/download")
    assert answer.body == HEAD.encode() + bytes(GONE) + TAIL.encode()
    start = len(HEAD.encode())
    assert answer.headers["X-RA-Log-Gap"] == f"bytes {start}-{start + GONE - 1}"
    assert "X-RA-Log-Gap" in answer.headers["Access-Control-Expose-Headers"]
    part = await api.call("GET", f"/runs/{run_id}/logs/download", headers={**api.login, "Range": "bytes=0-4"})
    assert (part.status, part.body) == (206, HEAD.encode()[:5])
    assert part.headers["X-RA-Log-Gap"] == answer.headers["X-RA-Log-Gap"]
    whole = await with_log(api)
    assert "X-RA-Log-Gap" not in (await api.get(f"/runs/{whole}/logs/download")).headers


async def test_gap_that_grows_amid_a_download(api: Api) -> None:
    """No zeros are sent that the header did not tell of; the next answer's header does."""
    start, end, size = 64 << 20, 80 << 20, 96 << 20
    run_id = await with_log(api, b"")
    log, path = api.log(run_id), f"/runs/{run_id}/logs/download"
    os.truncate(log, size)
    record = json.dumps({"start": start, "end": end})
    announced, came = await api.amid(path, lambda: log.with_name("run.log.gap").write_text(record))
    assert (announced, came) == (size, start)
    part = await api.call("GET", path, headers={**api.login, "Range": f"bytes={start - 5}-{start + 5}"})
    assert (part.status, part.body) == (206, bytes(11))
    assert part.headers["X-RA-Log-Gap"] == f"bytes {start}-{end - 1}"
    assert await api.amid(path, lambda: os.truncate(log, 2 * size)) == (size, size)  # a log may grow


class TestSmallPages:
    """A site whose pages are as small as they may be."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """The most, lower than what a page usually has."""
        return {"RaJobsApp": {"log_page_max_bytes": 1024}}

    async def test_end(self, api: Api) -> None:
        """Who asks for nothing else is given the end, as much of it as a page holds."""
        run_id = await with_log(api, b"x" * 20_000 + b"end")
        shown = await page(api, run_id)
        assert (shown["content"], shown["next_offset"]) == ("x" * 1021 + "end", 20_003)

    @pytest.mark.parametrize("name", ["log_page_bytes", "log_page_max_bytes"])
    def test_smaller(self, name: str) -> None:
        """A page has room for more than a character."""
        with pytest.raises(TraitError, match="1024"):
            RaJobsApp(**{name: 1023})


class TestMaxLogBytes:
    """A run that writes more than it may keep."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """A small limit."""
        return {"RaJobsApp": {"max_log_bytes": 1_000_000}}

    async def test_long_log(self, api: Api) -> None:
        """Both ends are read as they were written, and the disk has room."""
        run = await api.create("seq 1000000", auto_start=True)
        assert (await api.ended(run["id"]))["status"] == "finished"
        output = "".join(f"{n}\n" for n in range(1, 1_000_001))
        assert api.log(run["id"]).stat().st_blocks * 512 < 3_000_000
        last = await page(api, run["id"])
        assert last["total_size"] == len(output)
        assert last["content"] == output[-10_000:]
        content, offset, more = "", 0, True
        while more:
            shown = await page(api, run["id"], offset=offset, limit=102_400)
            content, offset, more = content + shown["content"], shown["next_offset"], shown["has_more_after"]
        gap = last["gap"]
        assert content == output[: gap["start"]] + output[gap["end"] :]
        assert gap["end"] - gap["start"] > len(output) - 1_000_000


async def test_search_without_a_log(api: Api) -> None:
    """Nothing is found, and that is all."""
    run = await api.create()
    answer = await api.get(f"/runs/{run['id']}/logs/search?q=x")
    assert json.loads(answer.body) == {"matches": [], "next_before": None, "complete": True}
