"""Every call of both clients, on a real server; and that they say what the contract says."""

import gc
import inspect
import json
import multiprocessing
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy
import pytest

from jupyter_ra_jobs.client import AsyncClient, Client
from jupyter_ra_jobs.client.calls import Calls
from jupyter_ra_jobs.errors import (
    BadInput,
    Conflict,
    Forbidden,
    NotFound,
    StorageFull,
    TimedOut,
    TooLarge,
    Unavailable,
)
from jupyter_ra_jobs.models import (
    NewAlert,
    NewRun,
    NewSweep,
    NewWildSweep,
    RerunOptions,
    RunEdit,
    Sweep,
    SweepEdit,
)
from tests.conftest import TOKEN, Server, World, wait_for
from tests.python.conftest import KINDS, ROOT, Both, address_of

UNKNOWN = "0" * 12
DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
# Which call asks for what; `download` without a name is the log.
OPERATIONS = {
    "health": ["GET /"],
    "runs": ["GET /runs"],
    "run": ["GET /runs/{run_id}"],
    "put_file": ["GET /files/{sha256}", "PUT /files/{sha256}"],
    "create_run": ["POST /runs"],
    "edit_run": ["PUT /runs/{run_id}"],
    "queue_run": ["POST /runs/{run_id}/queue"],
    "start_run": ["POST /runs/{run_id}/start"],
    "stop_run": ["POST /runs/{run_id}/stop"],
    "rerun": ["POST /runs/{run_id}/rerun"],
    "archive_run": ["POST /runs/{run_id}/archive"],
    "unarchive_run": ["POST /runs/{run_id}/unarchive"],
    "log_page": ["GET /runs/{run_id}/logs"],
    "search_log": ["GET /runs/{run_id}/logs/search"],
    "follow": ["GET /runs/{run_id}/logs/stream"],
    "metrics": ["GET /runs/{run_id}/metrics"],
    "log_metrics": ["POST /runs/{run_id}/metrics"],
    "artifacts": ["GET /runs/{run_id}/artifacts"],
    "download": ["GET /runs/{run_id}/logs/download", "GET /runs/{run_id}/artifacts/{name}"],
    "sweeps": ["GET /sweeps"],
    "sweep": ["GET /sweeps/{sweep_id}"],
    "create_sweep": ["POST /sweeps"],
    "create_wild_sweep": ["POST /sweeps/wild"],
    "edit_sweep": ["PUT /sweeps/{sweep_id}"],
    "add_run": ["POST /sweeps/{sweep_id}/runs"],
    "start_sweep": ["POST /sweeps/{sweep_id}/start"],
    "stop_sweep": ["POST /sweeps/{sweep_id}/stop"],
    "retry_sweep": ["POST /sweeps/{sweep_id}/retry"],
    "sweep_table": ["GET /sweeps/{sweep_id}/table"],
    "alerts": ["GET /alerts"],
    "raise_alert": ["POST /runs/{run_id}/alerts"],
    "respond": ["POST /alerts/{alert_id}/respond"],
    "cluster": ["GET /cluster"],
}
COMPOSED = {"tail", "tail_offset", "retry_of", "follow_bytes", "log_bytes", "watch_run", "watch_sweep"}
# Of no use in a cell: for browsers, for sidecars, for who looks after the server.
WITHOUT_A_CALL = {
    "GET /sessions",
    "GET /events",
    "GET /app",
    "GET /app.webmanifest",
    "GET /panel.js",
    "GET /static/{bundle}",
    "GET /openapi.json",
    "POST /runs/{run_id}/status",
    "POST /runs/{run_id}/terminal",
    "POST /runs/{run_id}/add-to-sweep",
    "GET /runs/{run_id}/sidecar-logs",
    "GET /runs/{run_id}/sidecar-logs/stream",
    "POST /cluster",
    "POST /cluster/detect",
}
# What a call says otherwise than the query: (the call's default, the query's).
OTHER_DEFAULTS = {
    ("follow", "offset"): (0, None),  # all of it, not the end alone
    ("metrics", "keys"): ((), []),
    ("metrics", "points"): (None, 1000),  # the server's
}
NOT_OFFERED = {("sweep_table", "format"), ("put_file", "size")}


def calls(kind: type) -> set[str]:
    """The public methods that are a call; `glance` takes any, `relay` whatever others ask."""
    found = {name for name, _ in inspect.getmembers(kind, callable) if not name.startswith("_")}
    return found - {"close", "glance", "relay"}


def test_every_operation_has_a_call() -> None:
    """Or is named above as one that does without."""
    operations = {f"{method.upper()} {path}" for path, methods in DOCUMENT.items() for method in methods}
    called = [each for asked in OPERATIONS.values() for each in asked]
    assert sorted([*called, *WITHOUT_A_CALL]) == sorted(operations)


def test_both_clients_have_all_calls() -> None:
    """By the same names, with the same arguments and words."""
    assert calls(Calls) == calls(Client) == calls(AsyncClient) == OPERATIONS.keys() | COMPOSED
    for name in calls(Calls):
        written = getattr(Calls, name)
        for kind in (Client, AsyncClient):
            made = getattr(kind, name)
            assert inspect.signature(made) == inspect.signature(written)
            assert made.__doc__ == written.__doc__
            assert made.__doc__


@pytest.mark.parametrize("name", OPERATIONS)
def test_arguments_are_the_query(name: str) -> None:
    """Names and defaults are those of the contract."""
    arguments = inspect.signature(getattr(Calls, name)).parameters
    for operation in OPERATIONS[name]:
        method, _, path = operation.partition(" ")
        for parameter in DOCUMENT[path][method.lower()].get("parameters", []):
            asked = parameter["name"]
            if parameter["in"] == "query" and (name, asked) not in NOT_OFFERED:
                default = arguments[asked].default
                expected = parameter["schema"].get("default")
                if parameter.get("required"):
                    assert default is inspect.Parameter.empty
                else:
                    assert (default, expected) == OTHER_DEFAULTS.get((name, asked), (expected, expected))


# -- each call ---------------------------------------------------------------------------------------


def test_life_of_a_run(both: Both) -> None:
    """From its creation to its end, and what can be said of it."""
    made = both.create_run(NewRun(name="life", command="echo one; read line"))
    assert made.status == "ready"
    edited = both.edit_run(made.id, RunEdit(notes="seen", tags=["a"]))
    assert (edited.notes, edited.tags) == ("seen", ["a"])
    assert both.queue_run(made.id).status == "queued"
    assert both.start_run(made.id).status in {"queued", "launching", "running"}
    statuses = []
    for now in both.watch_run(made.id):
        statuses.append(str(now.status))
        if now.status == "running" and now.stop_requested_at is None:
            assert both.stop_run(made.id).stop_requested_at
    assert statuses[-1] == "stopped"
    assert both.run(made.id).status == "stopped"
    again = both.rerun(made.id, RerunOptions(command="echo again", auto_start=True))
    assert (both.ended(again.id).exit_code, both.tail(again.id)) == (0, "again\n")
    assert both.archive_run(made.id).is_archived
    assert both.runs(q="life", limit=1)[0].parent_run_id == made.id
    assert not both.unarchive_run(made.id).is_archived
    assert both.health().status == "ok" or both.health().version


def test_lists(both: Both) -> None:
    """Filtered, and as long as asked for, however many a page holds."""
    sweep = both.create_sweep(NewSweep(name="many", base_command="true", parameters={"n": list(range(1100))}))
    found = both.runs(sweep_id=sweep.id, limit=5000)
    assert [run.id for run in found] == list(reversed(sweep.run_ids))
    assert [run.id for run in both.runs(sweep_id=sweep.id, limit=1050)] == [run.id for run in found[:1050]]
    assert both.runs(sweep_id=sweep.id, before=found[1].id, limit=1) == [found[2]]
    assert both.runs(sweep_id=sweep.id, status="running") == []
    assert len(both.runs(sweep_id=sweep.id, status=["running", "ready"])) == 50
    both.archive_run(found[0].id)
    assert both.runs(sweep_id=sweep.id, limit=1) == [found[1]]
    assert both.runs(sweep_id=sweep.id, limit=1, archived=True)[0].id == found[0].id
    assert both.runs(q="no such name") == []
    with pytest.raises(BadInput, match="limit"):
        both.runs(limit=0)
    with pytest.raises(BadInput, match="status: 'ended' must be of ready, queued"):
        both.runs(status="ended")
    with pytest.raises(BadInput, match="before: "):
        both.runs(before=UNKNOWN)


def test_life_of_a_sweep(both: Both) -> None:
    """From its draft to its table."""
    new = NewSweep(name="s", base_command="echo", parameters={"a": [1, 2]}, status="draft", method="grid")
    sweep = both.create_sweep(new)
    with pytest.raises(Conflict, match="is draft, so there is no end to wait for"):
        list(both.watch_sweep(sweep.id))
    assert both.edit_sweep(sweep.id, SweepEdit(goal="to see", status="pending")).goal == "to see"
    assert both.start_sweep(sweep.id, parallel=2).sweep_id == sweep.id
    *_, last = both.watch_sweep(sweep.id)
    assert (last.status, last.progress.completed) == ("completed", 2)
    assert last.id in [each.id for each in both.sweeps()]
    both.log_metrics(last.run_ids[1], [{"step": 1, "loss": 0.5}])
    rows = wait_for(
        lambda: [row for row in both.sweep_table(sweep.id, sort="a", order="desc") if row.metrics]
    )
    assert (rows[0].parameters, rows[0].metrics) == ({"a": 2}, {"loss": 0.5})
    assert len(both.sweep_table(sweep.id, metrics="min", status="finished", limit=1)) == 1
    wild = both.create_wild_sweep(NewWildSweep(name="wild", goal="anything"))
    run = both.add_run(wild.id, NewRun(name="in it", command="false"))
    both.start_sweep(wild.id)
    *_, last = both.watch_sweep(wild.id)
    assert (last.run_ids, last.status) == ([run.id], "failed")
    assert isinstance(both.retry_sweep(wild.id), Sweep)
    wait_for(lambda: len(both.sweep(wild.id).run_ids) == 2)
    assert isinstance(both.stop_sweep(wild.id), Sweep)
    both.ended(both.sweep(wild.id).run_ids[-1])


def test_metrics(both: Both) -> None:
    """As they are given: NumPy's numbers, and those that JSON has not."""
    run = both.launch("true")
    both.ended(run.id)
    rows = [
        {"step": numpy.int64(1), "loss": numpy.float32(0.5), "other": 1},
        {"step": 2, "loss": float("nan"), "other": float("inf")},
        {"step": 3, "loss": numpy.float64(0.25), "other": True},
    ]
    both.log_metrics(run.id, rows)
    found = both.metrics(run.id)
    assert found.metrics["loss"] == 0.25
    assert [(point.step, point.value) for point in found.metric_series["loss"]] == [(1, 0.5), (3, 0.25)]
    assert both.metrics(run.id, keys=["loss", "other"]).metric_series.keys() == {"loss", "other"}
    assert both.metrics(run.id, keys=["other"]).metric_series.keys() == {"other"}
    assert len(both.metrics(run.id, keys=["loss"], points=2).metric_series["loss"]) == 2
    with pytest.raises(BadInput):
        both.log_metrics(run.id, [{"loss": "text", "a": object()}])


def test_alerts(both: Both) -> None:
    """Raised, listed, answered; and what runs on what."""
    run = both.launch("true")
    raised = both.raise_alert(run.id, NewAlert(message="look", choices=["yes", "no"]))
    (alert,) = both.alerts(run_id=run.id, status="pending")
    assert alert.id == raised.alert_id
    with pytest.raises(BadInput, match="choice"):
        both.respond(alert.id, "maybe")
    assert both.respond(alert.id, "yes").message
    assert both.alerts(run_id=run.id, limit=1)[0].response == "yes"
    assert both.cluster().cluster.type
    both.ended(run.id)


def test_files(both: Both, tmp_path: Path) -> None:
    """Artifacts and logs, in parts of any size; an empty one too."""
    size = 4 * 1024 * 1024 + 5
    run = both.launch(
        'cd "$RA_ARTIFACTS_DIR"; mkdir "a b"; : > empty; echo log; '
        f'head -c {size} /dev/urandom > "a b/c?#%.pt"'
    )
    both.ended(run.id)
    names = {artifact.name: artifact for artifact in both.artifacts(run.id)}
    name = next(name for name in names if name.endswith("a b/c?#%.pt"))
    empty = next(name for name in names if name.endswith("empty"))
    parts: list[bytes] = []
    assert both.download(run.id, name, parts.append) == size
    assert [len(part) for part in parts] == [size - 5, 5]
    assert b"".join(parts) == Path(names[name].path).read_bytes()
    assert both.download(run.id, empty, parts.append) == 0
    log: list[bytes] = []
    assert both.download(run.id, None, log.append) == 4
    assert log == [b"log\n"]
    for wrong in (
        "../spec.json",
        "../logs/download",
        "a/./b",
        "..",
        "none",
        "\udcff",
        "a//b",
        "%2e%2e/spec.json",
    ):
        with pytest.raises(NotFound, match="artifact"):
            both.download(run.id, wrong, parts.append)
    for wrong in ("", b"x"):
        with pytest.raises(BadInput, match="an artifact's name is a string"):
            both.download(run.id, wrong, parts.append)  # type: ignore[arg-type]

    def change(part: bytes) -> None:
        Path(names[name].path).write_bytes(bytes(size))

    with pytest.raises(Conflict, match="was changed while it was downloaded"):
        both.download(run.id, name, change)

    def cut(part: bytes) -> None:
        Path(names[name].path).write_bytes(b"short")

    with pytest.raises(Conflict, match="was changed while it was downloaded"):
        both.download(run.id, name, cut)


def test_download_of_what_is_being_written(both: Both) -> None:
    """It is said that it changes all the time, and the connection is not blamed."""
    program = (
        "import os, time; file = open(os.environ['RA_ARTIFACTS_DIR'] + '/grows.pt', 'ab', 0); "
        "file.write(bytes(3 << 20)); "
        "print('on', flush=True)\nwhile file.write(b'x'): time.sleep(0.0001)"
    )
    run = both.launch(f'exec python3 -c "{program}"')
    next(both.follow(run.id))
    (artifact,) = wait_for(lambda: both.artifacts(run.id))

    def is_refused() -> bool:
        try:
            both.download(run.id, artifact.name, lambda part: None)
        except Conflict as problem:
            return "was changed while it was downloaded" in str(problem)
        return False  # it had a pause

    wait_for(is_refused)
    both.stop_run(run.id)
    both.ended(run.id)


def test_logs(both: Both) -> None:
    """Pages, tails and searches: what `tail -n` would give, whatever is in the log."""
    run = both.launch(r"seq 30000; printf 'a\rb\x0c\u2028c\n\n'; printf '\377end'")
    both.ended(run.id)
    text = "".join(f"{number}\n" for number in range(1, 30001)) + "a\rb\x0c\u2028c\n\n\ufffdend"
    for lines in (0, 1, 2, 3, 4, 20_000, 29_999, 30_003, 40_000):
        expected = re.findall(r"[^\n]*\n|[^\n]+\Z", text)[-lines:] if lines else []
        assert both.tail(run.id, lines) == "".join(expected)
    assert both.log_page(run.id, offset=2, limit=4).content == "2\n3\n"
    found = both.search_log(run.id, "^29{3}$", regex=True)
    assert [match.line for match in found.matches] == ["2999"]
    assert both.search_log(run.id, "END", ignore_case=False).matches == []
    assert len(both.search_log(run.id, "1", limit=7).matches) == 7
    assert list(both.follow(run.id)) == text.split("\n")
    assert list(both.follow(run.id, offset=len(text.encode()) - 8))[-1] == "\ufffdend"
    silent = both.launch("true")
    assert list(both.follow(silent.id)) == []
    assert both.tail(silent.id) == ""
    ready = both.create_run(NewRun(name="r", command="true"))
    for waits in (both.follow, both.watch_run):
        with pytest.raises(Conflict, match="has not been started"):
            list(waits(ready.id))


def test_tail_of_a_server_with_short_pages(world: World, kind: type[Client]) -> None:
    """A site may have them as short as 1 KB."""
    Server(world, "--RaJobsApp.log_page_max_bytes=1024", "--RaJobsApp.log_page_bytes=1024").start()
    both = Both(kind, workdir=world.workdir)
    run = both.launch("seq 5000")
    both.ended(run.id)
    expected = [f"{number}\n" for number in range(1, 5001)]
    assert both.tail(run.id, 4000) == "".join(expected[-4000:])
    assert both.tail(run.id, 1) == "5000\n"
    assert both.tail(run.id, 5001) == "".join(expected)
    both.end()


def test_gap(world: World, kind: type[Client]) -> None:
    """Of a log that met its limit, a tail begins behind the gap, and who follows is told of it."""
    limit = 4 << 20
    Server(world, f"--RaJobsApp.max_log_bytes={limit}").start()
    both = Both(kind, workdir=world.workdir)
    run = both.launch("seq 2000000")
    both.ended(run.id)
    gap = both.log_page(run.id).gap
    assert gap is not None
    lines = list(both.follow(run.id))
    (at,) = [number for number, line in enumerate(lines) if "[…" in line]
    assert lines[:10] == [str(number) for number in range(1, 11)]
    assert lines[at].endswith(f"[… {gap.end - gap.start:,} bytes …]")
    assert lines[-1] == "2000000"
    assert lines[at + 2 :] == [str(number) for number in range(int(lines[at + 2]), 2000001)]
    tail = both.tail(run.id, 10_000_000).splitlines()
    assert tail[1:] == lines[-len(tail) + 1 :]
    both.end()


# -- what goes wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind_", KINDS)
@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() | COMPOSED))
def test_typo_in_an_argument(name: str, kind_: type[Client]) -> None:
    """Is an error where it is made, not somewhere later, and before anything is sent."""
    client = kind_("http://127.0.0.1:9")

    def call() -> None:
        made = getattr(client, name)(limt=5)
        made.send(None) if inspect.iscoroutine(made) else next(made)

    with pytest.raises(TypeError, match=r"unexpected keyword argument|missing"):
        call()


def test_typo_in_a_record() -> None:
    """The same for what is sent as a body."""
    for record in (NewRun, NewSweep, RunEdit, RerunOptions):
        with pytest.raises(TypeError, match="nmae"):
            record(nmae="x")


def test_errors(both: Both) -> None:
    """Each is of its class, with the server's words."""
    with pytest.raises(NotFound, match=f"{UNKNOWN}"):
        both.run(UNKNOWN)
    with pytest.raises(NotFound):
        both.sweep(UNKNOWN)
    with pytest.raises(NotFound):
        list(both.follow(UNKNOWN))
    with pytest.raises(NotFound):
        list(both.watch_run(UNKNOWN))
    with pytest.raises(BadInput, match="name"):
        both.create_run(NewRun(name="", command="true"))
    with pytest.raises(BadInput, match="command"):
        both.create_run(NewRun(name="x", command=5))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"can't be sent as JSON.*object is no JSON type"):
        both.create_run(NewRun(name="x", command=object()))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="can't be sent as JSON"):
        both.create_run(NewRun(name="\ud800", command="true"))
    run = both.create_run(NewRun(name="x", command="true"))
    with pytest.raises(Conflict):
        both.stop_run(run.id)
    with pytest.raises(TooLarge, match="2,097,152 are the most"):
        both.create_run(NewRun(name="x", command="x" * 3_000_000))
    for wrong in (5, None, "", b"0", ".."):
        with pytest.raises(BadInput, match="an id is a string of twelve hex digits"):
            both.run(wrong)
    for wrong in ("../runs", "a/b", "é", "%2e%2e", "?", "#", " "):
        with pytest.raises(NotFound):
            both.run(wrong)


def test_wrong_token(shared_server: Server, kind: type[Client]) -> None:
    """Says so, and how to give the right one; whether the server lives, it tells everybody."""
    url = f"http://127.0.0.1:{shared_server.port}"
    for token in (None, "wrong"):
        both = Both(kind, url=url, token=token)
        with pytest.raises(Forbidden, match="RA_JOBS_TOKEN"):
            both.runs()
        assert both.health().version
        both.end()
    both = Both(kind, url=url, token=TOKEN)
    both.runs()
    both.end()


def test_disk_that_takes_nothing(own: Both, server: Server) -> None:
    """507, and a machine without tmux 503: at once, in the server's words."""
    run = own.create_run(NewRun(name="x", command="true"))
    runs = server.run_dir(run.id).parent
    runs.rename(runs.with_name("away"))
    runs.write_text("no folder")
    with pytest.raises(StorageFull, match="cannot write"):
        own.start_run(run.id)
    runs.unlink()
    runs.with_name("away").rename(runs)
    assert own.start_run(run.id).id == run.id


def test_machine_without_tmux(world: World, kind: type[Client]) -> None:
    """503, at once, in the server's words."""
    server = Server(world)
    server.spawn(env={**world.env, "PATH": str(world.root)})
    address_of(server)
    both = Both(kind, workdir=world.workdir)
    run = both.create_run(NewRun(name="x", command="true"))
    with pytest.raises(Unavailable, match="tmux"):
        both.start_run(run.id)
    both.end()


def test_time_that_is_over(both: Both) -> None:
    """The run goes on."""
    run = both.launch("read line")
    with pytest.raises(TimedOut, match=r"has not ended after 0\.2 seconds; it goes on"):
        list(both.watch_run(run.id, timeout=0.2))
    assert both.run(run.id).status in {"launching", "running"}
    both.stop_run(run.id)
    both.ended(run.id)
    assert [now.status for now in both.watch_run(run.id, timeout=0)] == ["stopped"]


def test_streams_that_nobody_reads(world: World, kind: type[Client]) -> None:
    """One that is left early is closed: of two that the server allows, both are free again."""
    Server(world, "--RaJobsApp.max_streams=2").start()
    both = Both(kind, workdir=world.workdir, patience=30)
    run = both.launch("while sleep 0.01; do echo line; done")
    for _ in range(6):
        lines = both.follow(run.id)
        assert next(lines) == "line"
        lines.close()
    first, second = both.follow(run.id), both.follow(run.id)
    assert next(first) == next(second) == "line"
    impatient = Both(kind, workdir=world.workdir, patience=0)
    with pytest.raises(Unavailable, match="2 streams are open"):
        next(impatient.follow(run.id))
    first.close()
    second.close()
    assert next(both.follow(run.id)) == "line"
    both.stop_run(run.id)
    both.ended(run.id)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        impatient.end()
        both.end()
        gc.collect()


# -- threads and processes ---------------------------------------------------------------------------


def test_threads(shared_server: Server) -> None:
    """One client for all of them, also when one of them closes it."""
    with Client(workdir=shared_server.world.workdir) as client:
        run = client.create_run(NewRun(name="x", command="seq 1000", auto_start=True))

        def use(number: int) -> None:
            for _ in range(20):
                assert client.run(run.id).id == run.id
            assert list(client.follow(run.id)) == [str(number) for number in range(1, 1001)]
            assert client.tail(run.id, 1) == "1000\n"

        with ThreadPoolExecutor(10) as threads:
            everybody = [threads.submit(use, number) for number in range(10)]
            everybody[0].result()
            client.close()  # the others go on
            for used in everybody:
                used.result()


_parents: list[Client] = []


def _in_a_fork(run_id: str) -> str:
    (client,) = _parents
    return client.run(run_id).status + client.tail(run_id)


def test_fork(shared_server: Server) -> None:
    """A child has connections of its own: neither gets the other's answers."""
    client = Client(workdir=shared_server.world.workdir)
    run = client.create_run(NewRun(name="x", command="echo x", auto_start=True))
    lines = client.follow(run.id)
    assert next(lines) == "x"
    fork = multiprocessing.get_context("fork")
    with fork.Pool(2, initializer=_parents.append, initargs=(client,)) as pool:
        told = pool.map_async(_in_a_fork, [run.id] * 20)
        for _ in range(20):
            assert client.run(run.id).id == run.id
        assert {each[-2:] for each in told.get(60)} == {"x\n"}
    assert list(lines) == []
    client.close()
