"""Each tool, against a real server and real tmux."""

import json
import re
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.conftest import Server, World
from tests.mcp_server.agent import Agent

UNKNOWN = "0" * 12
NO_RUN = f"there is no run {UNKNOWN}"
DESTRUCTIVE = {
    *("create_run", "start_run", "rerun", "stop_run", "answer_alert"),
    *("create_sweep", "start_sweep", "stop_sweep", "retry_sweep"),
}
CHANGING = {*DESTRUCTIVE, "archive_run"}
MOST = 25_000
"""Characters of an answer about output that has no end."""


def python(code: str) -> str:
    """A command that runs it."""
    return f"python3 -c {shlex.quote(code)}"


def ran(agent: Agent, command: str, **more: Any) -> str:
    """The id of a run of this command, which has finished."""
    made = agent.call("create_run", command=command, **more)
    assert agent.ended(made["id"])["status"] == "finished"
    return str(made["id"])


# -- what the server says of itself ---------------------------------------------------------------------


def test_words(shared_agent: Agent) -> None:
    """Each tool and each argument says what it is, in few words; no other argument is taken."""
    tools = shared_agent.tools()
    for name, tool in tools.items():
        assert re.fullmatch(r"[a-z_]{4,30}", name)
        assert tool.title
        assert 20 < len(tool.description) < 1_000
        assert tool.input_schema["additionalProperties"] is False
        for argument, schema in tool.input_schema["properties"].items():
            assert schema.get("description"), f"{name}: {argument}"
        assert tool.output_schema["type"] == "object"
        assert tool.output_schema["properties"]
    assert len(json.dumps([tool.input_schema for tool in tools.values()])) < 30_000


def test_hints(shared_agent: Agent) -> None:
    """What only looks says so, and so does what executes commands or ends them."""
    hints = {name: tool.annotations for name, tool in shared_agent.tools().items()}
    assert {name for name, hint in hints.items() if not hint.read_only_hint} == CHANGING
    assert {name for name, hint in hints.items() if hint.destructive_hint} == DESTRUCTIVE


# -- runs -----------------------------------------------------------------------------------------------


def test_run(shared_agent: Agent, shared_server: Server) -> None:
    """Created with all options, started, waited for; then again, with another command."""
    first = ran(shared_agent, "true")
    (shared_server.world.workdir / "sub").mkdir()
    made = shared_agent.call(
        "create_run",
        command='echo "$WORD"; pwd; exit 3',
        name="odd",
        workdir="sub",
        env={"WORD": "hello"},
        tags=["one", "two"],
        timeout_seconds=60,
        after=[first],
        max_retries=0,
        gpus=0,
        priority=7,
        notes="for a test",
        start=False,
    )
    assert made["status"] == "ready"
    told = shared_agent.call("get_run", run_id=made["id"])
    assert (
        told.items()
        >= {
            "name": "odd",
            "tags": ["one", "two"],
            "timeout_seconds": 60,
            "after": [first],
            "gpus": 0,
            "priority": 7,
            "notes": "for a test",
        }.items()
    )
    shared_agent.call("start_run", run_id=made["id"])
    ended = shared_agent.ended(made["id"])
    assert (ended["status"], ended["exit_code"]) == ("failed", 3)
    where = str(shared_server.world.workdir / "sub")
    assert shared_agent.call("tail_log", run_id=made["id"])["text"] == f"hello\n{where}"

    again = shared_agent.call("rerun", run_id=made["id"], command='echo "again $WORD"')
    assert again["parent_run_id"] == made["id"]
    assert shared_agent.ended(again["id"])["status"] == "finished"
    assert shared_agent.call("tail_log", run_id=again["id"])["text"] == "again hello"


def test_stop(shared_agent: Agent) -> None:
    """It ends soon; a second time is no error."""
    made = shared_agent.call("create_run", command="sleep 600")
    shared_agent.call("stop_run", run_id=made["id"])
    assert shared_agent.ended(made["id"])["status"] == "stopped"
    shared_agent.call("stop_run", run_id=made["id"])


def test_list(shared_agent: Agent) -> None:
    """Newest first, page by page, and by what is asked for; archived runs are out of sight."""
    made = [
        shared_agent.call("create_run", command=f"true {number}", name="listed", start=False)["id"]
        for number in range(5)
    ]
    first = shared_agent.call("list_runs", search="listed", limit=3)
    assert [run["id"] for run in first["runs"]] == made[:1:-1]
    second = shared_agent.call("list_runs", search="listed", limit=3, before=first["next_before"])
    assert [run["id"] for run in second["runs"]] == made[1::-1]
    assert "next_before" not in second
    assert shared_agent.call("list_runs", search="listed", status=["running", "failed"])["runs"] == []
    assert len(shared_agent.call("list_runs", search="listed", status="ready")["runs"]) == 5
    for wrong in ("done", ["running", "done"]):
        words = shared_agent.refused("list_runs", status=wrong)
        assert "list of any of ready, queued, launching, running, finished, failed, stopped" in words

    assert shared_agent.call("archive_run", run_id=made[0])["is_archived"]
    assert len(shared_agent.call("list_runs", search="listed")["runs"]) == 4
    assert len(shared_agent.call("list_runs", search="listed", archived=True)["runs"]) == 5
    assert "is_archived" not in shared_agent.call("archive_run", run_id=made[0], archived=False)


def test_wait(shared_agent: Agent) -> None:
    """For any or for all, in slices that say whether to come again."""
    long = shared_agent.call("create_run", command="sleep 600")["id"]
    short = shared_agent.call("create_run", command="true")["id"]
    any_of = shared_agent.call("wait_for_runs", run_ids=[long, short], until="any", seconds=50)
    assert any_of["done"]
    assert [run["status"] for run in any_of["runs"]] in (["running", "finished"], ["launching", "finished"])
    all_of = shared_agent.call("wait_for_runs", run_ids=[long, short, short], seconds=1)
    assert not all_of["done"]
    assert all_of["message"].startswith("1 of 2 have ended;")
    assert "call wait_for_runs again" in all_of["message"]
    shared_agent.call("stop_run", run_id=long)
    assert shared_agent.ended(long)["status"] == "stopped"


def test_wait_for_nothing(shared_agent: Agent) -> None:
    """What was not started has no end, and what is unknown neither: the words say which."""
    ready = shared_agent.call("create_run", command="true", start=False)["id"]
    words = shared_agent.refused("wait_for_runs", run_ids=[ready])
    assert f"run {ready} has not been started" in words
    assert NO_RUN in shared_agent.refused("wait_for_runs", run_ids=[ready, UNKNOWN])


# -- output ---------------------------------------------------------------------------------------------


def test_tail(shared_agent: Agent) -> None:
    """Without colours, and of a bar that was redrawn ten thousand times the last state."""
    bar = r"'\r\x1b[32m%3d%%|' % (i // 100)"
    code = (
        "import sys\nprint('begin')\n"
        f"for i in range(10001): sys.stdout.write({bar})\n"
        "print('\\x1b[0m', flush=True)\nprint('\\x1b[1mend\\x1b[0m')"
    )
    run_id = ran(shared_agent, python(code))
    part = shared_agent.call("tail_log", run_id=run_id)
    assert part["text"] == "begin\n100%|\nend"
    assert (part["run_status"], part["has_more_before"], part["has_more_after"]) == ("finished", False, False)
    assert part["next_offset"] == part["total_size"] > 100_000
    last = shared_agent.call("tail_log", run_id=run_id, lines=1)
    assert (last["text"], last["has_more_before"]) == ("end", True)
    after = shared_agent.call("read_log", run_id=run_id, offset=part["next_offset"])
    assert (after["text"], after["has_more_after"]) == ("", False)


def test_tail_of_small_pages(world: World, agent_in: Callable[..., AbstractContextManager[Agent]]) -> None:
    """The end is the end, however little the server gives at once."""
    Server(world, "--RaJobsApp.log_page_max_bytes=1024").start()
    with agent_in() as agent:
        run_id = ran(agent, "seq 1 50000")
        part = agent.call("tail_log", run_id=run_id, lines=500)
    assert part["text"].split() == [str(number) for number in range(49_501, 50_001)]
    assert (part["has_more_before"], part["has_more_after"]) == (True, False)
    assert part["next_offset"] == part["total_size"]


def test_no_log(shared_agent: Agent) -> None:
    """A run that has printed nothing has an empty one."""
    made = shared_agent.call("create_run", command="true", start=False)["id"]
    for tool in ("tail_log", "read_log"):
        part = shared_agent.call(tool, run_id=made)
        assert (part["text"], part["total_size"], part["run_status"]) == ("", 0, "ready")


@pytest.mark.parametrize(
    "line", ["'x' * 3000000", "'\\n'.join(map(str, range(300000)))", "'ä\\x1b[31m' * 400000"]
)
def test_endless(shared_agent: Agent, line: str) -> None:
    """However much there is, an answer fits."""
    run_id = ran(shared_agent, python(f"print({line})"))
    part = shared_agent.call("tail_log", run_id=run_id, lines=500)
    assert 0 < len(part["text"]) < MOST
    assert part["has_more_before"]
    found = shared_agent.ask("search_log", run_id=run_id, text="1|x|ä", regex=True, limit=100)
    assert not found.is_error
    assert len(found.content[0].text) < 100 * 600


def test_read(shared_agent: Agent) -> None:
    """Part by part, in whole lines, nothing is lost or twice."""
    run_id = ran(shared_agent, python("for i in range(3000): print(f'\\x1b[3{i % 8}mzeile {i} ä')"))
    offset, text = 0, list[str]()
    while True:
        part = shared_agent.call("read_log", run_id=run_id, offset=offset, max_bytes=5_000)
        text.append(part["text"])
        offset = part["next_offset"]
        if not part["has_more_after"]:
            break
    assert "\n".join(text).splitlines() == [f"zeile {i} ä" for i in range(3000)]
    end = shared_agent.call("read_log", run_id=run_id, offset=-100)
    assert end["text"].endswith("zeile 2999 ä")
    assert end["has_more_before"]


def test_search(shared_agent: Agent) -> None:
    """Newest first, with where they are; also what a bar has drawn over, and by a pattern."""
    lines = "\\n".join([*(f"\\x1b[1mitem {i}\\x1b[0m" for i in range(30)), "loss 1\\rloss 2\\rgone"])
    run_id = ran(shared_agent, f"printf '{lines}\\n'")
    found = shared_agent.call("search_log", run_id=run_id, text="ITEM", limit=2)
    assert [match["line"] for match in found["matches"]] == ["item 29", "item 28"]
    assert not found["complete"]
    older = shared_agent.call("search_log", run_id=run_id, text="item", limit=2, before=found["next_before"])
    assert [match["line"] for match in older["matches"]] == ["item 27", "item 26"]
    there = shared_agent.call("read_log", run_id=run_id, offset=older["matches"][0]["offset"], max_bytes=100)
    assert there["text"].startswith("item 27\n")
    (redrawn,) = shared_agent.call("search_log", run_id=run_id, text="loss 2")["matches"]
    assert redrawn["line"] == "loss 2"
    pattern = shared_agent.call(
        "search_log", run_id=run_id, text="^item [12]$", regex=True, ignore_case=False
    )
    assert pattern["matches"] == []  # the pattern sees the bytes, colours and all
    pattern = shared_agent.call("search_log", run_id=run_id, text=r"item [12]\b", regex=True)
    assert [match["line"] for match in pattern["matches"]] == ["item 2", "item 1"]
    assert pattern["complete"]
    words = shared_agent.refused("search_log", run_id=run_id, text="(", regex=True)
    assert "not a regular expression" in words


def test_metrics(shared_agent: Agent) -> None:
    """The extremes are exact, curves come when they are asked for, and of many metrics there are names."""
    code = (
        "import json, os\n"
        "with open(os.environ['RA_ARTIFACTS_DIR'] + '/metrics.jsonl', 'w') as f:\n"
        "  for i in range(5000):\n"
        "    row = {'step': i, 'loss': abs(i - 3333) / 1000 + 0.5}\n"
        "    if i % 100 == 0: row |= {f'm/{j}': j for j in range(80)}\n"
        "    print(json.dumps(row), file=f)\n"
    )
    run_id = ran(shared_agent, python(code))
    told = shared_agent.call("get_metrics", run_id=run_id, names=["loss"])
    loss = {"last": 2.166, "min": 0.5, "min_step": 3333, "max": 3.833, "max_step": 0}
    assert told["metrics"] == {"loss": pytest.approx(loss)}
    curve = shared_agent.call("get_metrics", run_id=run_id, names=["loss"], points=50)
    series = curve["metrics"]["loss"]["series"]
    assert 20 < len(series) < 80
    assert series[0] == [0, 3.833]
    everything = shared_agent.call("get_metrics", run_id=run_id)
    assert len(everything["metrics"]) == 50
    assert len(everything["others"]) == 31
    assert "name 10 metrics at most; this run has 81" in shared_agent.refused(
        "get_metrics", run_id=run_id, points=10
    )
    assert "has no metric 'los'; it has loss, m/0" in shared_agent.refused(
        "get_metrics", run_id=run_id, names=["los"]
    )
    assert shared_agent.call("get_metrics", run_id=ran(shared_agent, "true")) == {"metrics": {}}


def test_metrics_that_are_no_numbers_any_more(shared_agent: Agent) -> None:
    """The last value is null, and a note says since which step."""
    rows = '{"step": 1, "loss": 2.0}\n{"step": 2, "loss": NaN, "never": NaN}\n'
    run_id = ran(shared_agent, f"printf '{rows}' > $RA_ARTIFACTS_DIR/metrics.jsonl")
    told = shared_agent.call("get_metrics", run_id=run_id)
    loss = {"last": None, "min": 2.0, "min_step": 1, "max": 2.0, "max_step": 1}
    assert told["metrics"] == {"loss": loss, "never": {"last": None}}
    assert "loss (first at step 2), never (first at step 2)" in told["notes"][0]


def test_artifacts(shared_agent: Agent) -> None:
    """They are listed, and texts are read, whole or in parts; what is none, or too large, is refused."""
    run_id = ran(
        shared_agent,
        'cd "$RA_ARTIFACTS_DIR" && mkdir sub && printf "größe %.0s" $(seq 100) > sub/report.txt '
        "&& head -c 100 /dev/urandom > noise.bin && head -c 5000000 /dev/zero > zeros.bin && : > empty.txt "
        "&& printf '\\033[31mred\\033[0m' > red.txt",
    )
    names = {each["name"]: each for each in shared_agent.call("list_artifacts", run_id=run_id)["artifacts"]}
    assert names.keys() == {"sub/report.txt", "noise.bin", "zeros.bin", "empty.txt", "red.txt"}
    assert names["sub/report.txt"].items() >= {"size": 800, "type": "other", "certain": True}.items()
    short = shared_agent.call("list_artifacts", run_id=run_id, search="BIN", limit=1)
    assert (len(short["artifacts"]), short["left_out"]) == (1, 1)

    whole = shared_agent.call("read_artifact", run_id=run_id, name="sub/report.txt")
    assert whole == {"text": "größe " * 100, "size": 800}
    text, offset = "", 0
    while offset is not None:
        part = shared_agent.call(
            "read_artifact", run_id=run_id, name="sub/report.txt", offset=offset, max_bytes=101
        )
        text, offset = text + part["text"], part.get("next_offset")
    assert text == "größe " * 100
    assert shared_agent.call("read_artifact", run_id=run_id, name="empty.txt") == {"text": "", "size": 0}
    assert shared_agent.call("read_artifact", run_id=run_id, name="red.txt")["text"] == "red"
    assert "no text in UTF-8" in shared_agent.refused("read_artifact", run_id=run_id, name="noise.bin")
    too_large = shared_agent.refused("read_artifact", run_id=run_id, name="zeros.bin")
    assert "5,000,000 bytes" in too_large
    assert names["zeros.bin"]["path"] in too_large
    assert "has no artifact ../x" in shared_agent.refused("read_artifact", run_id=run_id, name="../x")


# -- alerts, server -------------------------------------------------------------------------------------


def test_alerts(shared_agent: Agent, shared_server: Server) -> None:
    """They are listed, and answered once, by one of the choices."""
    run_id = ran(shared_agent, "true")
    raised = shared_server.post(
        f"/runs/{run_id}/alerts", message="\x1b[31mLoss is flat", choices=["Go on", "Lower the rate"]
    ).json
    (alert,) = shared_agent.call("list_alerts", run_id=run_id)["alerts"]
    assert (alert["id"], alert["message"]) == (raised["alert_id"], "Loss is flat")
    words = shared_agent.refused("answer_alert", alert_id=alert["id"], choice="Give up")
    assert "Go on" in words
    shared_agent.call("answer_alert", alert_id=alert["id"], choice="Go on")
    shared_agent.refused("answer_alert", alert_id=alert["id"], choice="Lower the rate")
    assert shared_agent.call("list_alerts", run_id=run_id)["alerts"] == []
    (resolved,) = shared_agent.call("list_alerts", run_id=run_id, status="any")["alerts"]
    assert (resolved["status"], resolved["response"]) == ("resolved", "Go on")


def test_server(shared_agent: Agent, shared_server: Server) -> None:
    """Where we are."""
    ran(shared_agent, "true")
    told = shared_agent.call("get_server")
    assert told["workdir"] == str(shared_server.world.workdir)
    assert told["runs"]["finished"] >= 1
    assert told["cluster"]["type"]


# -- bad input ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("create_run", {}, "command"),
        ("create_run", {"command": ""}, "at least 1 character"),
        ("create_run", {"command": ["ls", "-l"]}, "valid string"),
        ("create_run", {"command": "true", "timeout": 3}, "timeout\n  Extra inputs are not permitted"),
        ("create_run", {"command": "true", "workdir": "/nowhere"}, "/nowhere"),
        ("create_run", {"command": "true", "after": [UNKNOWN]}, UNKNOWN),
        ("create_run", {"command": "true", "gpus": 1000}, "gpus"),
        ("create_run", {"command": "true", "env": {"A B": "c"}}, "env"),
        ("create_run", {"command": "true", "env": {"A": 1}}, "valid string"),
        ("list_runs", {"status": ["sleeping"]}, "ready, queued"),
        ("list_runs", {"limit": 1_000}, "less than or equal to 100"),
        ("list_runs", {"before": UNKNOWN}, NO_RUN),
        ("get_run", {"run_id": UNKNOWN}, NO_RUN),
        ("get_run", {"run_id": "../../x"}, "there is no"),
        ("start_run", {"run_id": UNKNOWN}, NO_RUN),
        ("stop_run", {"run_id": UNKNOWN}, NO_RUN),
        ("rerun", {"run_id": UNKNOWN}, NO_RUN),
        ("archive_run", {"run_id": UNKNOWN}, NO_RUN),
        ("wait_for_runs", {"run_ids": []}, "at least 1 item"),
        ("wait_for_runs", {"run_ids": [UNKNOWN], "seconds": 600}, "less than or equal to 50"),
        ("tail_log", {"run_id": UNKNOWN}, NO_RUN),
        ("tail_log", {"run_id": UNKNOWN, "lines": 10**6}, "less than or equal to 500"),
        ("read_log", {"run_id": UNKNOWN, "max_bytes": 10**9}, "less than or equal to 50000"),
        ("search_log", {"run_id": UNKNOWN, "text": ""}, "at least 1 character"),
        ("get_metrics", {"run_id": UNKNOWN}, NO_RUN),
        ("list_artifacts", {"run_id": UNKNOWN}, NO_RUN),
        ("preview_sweep", {"command": "x", "parameters": {"lr": 3}}, "must be a list of values, not 3"),
        ("preview_sweep", {"command": "x", "parameters": {"-lr": [3]}}, "the dashes are added"),
        ("create_sweep", {"command": "x", "parameters": {"lr": []}}, "has no values"),
        ("create_sweep", {"command": "x", "parameters": [1]}, "valid dictionary"),
        (
            "create_sweep",
            {"command": "x", "parameters": {"a": [1]}, "method": "random"},
            "max_runs: is missing",
        ),
        (
            "create_sweep",
            {"command": "x", "parameters": {"a": [1]}, "parallel": 0},
            "greater than or equal to 1",
        ),
        ("get_sweep", {"sweep_id": UNKNOWN}, "there is no sweep"),
        ("sweep_table", {"sweep_id": UNKNOWN}, "there is no sweep"),
        ("start_sweep", {"sweep_id": UNKNOWN}, "there is no sweep"),
        ("stop_sweep", {"sweep_id": UNKNOWN}, "there is no sweep"),
        ("retry_sweep", {"sweep_id": UNKNOWN}, "there is no sweep"),
        ("wait_for_sweep", {"sweep_id": UNKNOWN}, "there is no sweep"),
        ("answer_alert", {"alert_id": UNKNOWN, "choice": "x"}, "there is no alert"),
        ("make_coffee", {}, "Unknown tool: make_coffee"),
    ],
)
def test_bad_input(shared_agent: Agent, tool: str, arguments: dict[str, Any], words: str) -> None:
    """Each is a tool's error that says what is wrong, in the server's words where it is the server's."""
    said = shared_agent.refused(tool, **arguments)
    assert words in said
    assert "pydantic.dev" not in said


def test_json_in_a_string(shared_agent: Agent) -> None:
    """A command that happens to be JSON stays the text that it is."""
    made = shared_agent.call("create_run", command='["a", "b"]', start=False)
    assert made["command"] == made["name"] == '["a", "b"]'
