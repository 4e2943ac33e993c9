"""What the runs run on: said, or detected from small programs of the test's own on PATH."""

import asyncio
import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.server.conftest import Api, eventually

KEYS = {
    "type",
    "status",
    "source",
    "label",
    "description",
    "head_node",
    "node_count",
    "gpu_count",
    "notes",
    "confidence",
    "details",
    "last_detected_at",
    "updated_at",
}
TELLING = (
    "SLURM_JOB_ID",
    "SLURM_CLUSTER_NAME",
    "SLURM_JOB_NUM_NODES",
    "KUBERNETES_SERVICE_HOST",
    "RAY_ADDRESS",
)


class Machine:
    """The programs that there are, as the server finds them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, tool: str, script: str) -> None:
        """A program of this name."""
        path = self.folder / tool
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """One without any cluster's traces, whatever the real one is."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    for name in TELLING:
        monkeypatch.delenv(name, raising=False)
    made = Machine(folder)
    for tool in ("kubectl", "ray", "nvidia-smi", "who"):
        made.has(tool, "exit 1")
    return made


async def detect(api: Api) -> dict[str, Any]:
    """What is detected, which is then what is known."""
    answer = await api.call("POST", "/cluster/detect")
    assert answer.status == 200, answer.body
    assert answer.json == (await api.get("/cluster")).json
    found: dict[str, Any] = answer.json["cluster"]
    assert found.keys() == KEYS
    assert found["source"] == "detected"
    assert found["last_detected_at"] == found["updated_at"] is not None
    return found


async def test_nothing_said(api: Api) -> None:
    """Unknown; the runs are counted, `total` holds the stopped ones too."""
    for status in ("ready", "queued", "running", "finished", "finished", "failed", "stopped"):
        await api.create_at(status)
    answer = (await api.get("/cluster")).json
    assert answer.keys() == {"cluster", "run_summary"}
    assert answer["cluster"].keys() == KEYS
    known = {name: answer["cluster"][name] for name in ("type", "status", "source", "label", "confidence")}
    assert known == {
        "type": "unknown",
        "status": "unknown",
        "source": "unset",
        "label": "Unknown",
        "confidence": None,
    }
    assert answer["run_summary"] == {
        "total": 7,
        "running": 1,
        "launching": 0,
        "queued": 1,
        "ready": 1,
        "failed": 1,
        "finished": 2,
    }


async def test_said(api: Api) -> None:
    """What somebody says is kept, field by field, over the server's end too."""
    first = (await api.post("/cluster", type="slurm", node_count=4, details={"partition": "a"})).json[
        "cluster"
    ]
    assert (first["type"], first["label"], first["source"], first["confidence"]) == (
        "slurm",
        "Slurm",
        "manual",
        1,
    )
    second = (await api.post("/cluster", label="Ours", status="degraded", notes="slow disks")).json["cluster"]
    assert second == {
        **first,
        "label": "Ours",
        "status": "degraded",
        "notes": "slow disks",
        "updated_at": second["updated_at"],
    }
    third = (await api.post("/cluster", type="ray")).json["cluster"]
    assert (third["label"], third["node_count"], third["notes"]) == ("Ray", None, "slow disks")
    assert (await api.post("/cluster", notes=None)).json["cluster"]["notes"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "pbs"),
        ("status", "fine"),
        ("label", ""),
        ("node_count", -1),
        ("gpu_count", "4"),
        ("details", []),
        ("details", {"x": "y" * 70_000}),
    ],
)
async def test_bad_word(api: Api, field: str, value: Any) -> None:
    """400 that names the field; nothing changes."""
    assert (await api.post("/cluster", **{field: value})).error(400).startswith(field)
    assert (await api.get("/cluster")).json["cluster"]["source"] == "unset"


async def test_nothing_detected(api: Api, machine: Machine) -> None:
    """Unknown again, but looked for."""
    found = await detect(api)
    assert (found["type"], found["status"], found["confidence"], found["details"]) == (
        "unknown",
        "unknown",
        0,
        {},
    )


async def test_slurm(api: Api, machine: Machine) -> None:
    """Nodes, GPUs and the head node from its own tools; what somebody noted stays."""
    await api.post("/cluster", notes="ask Ada", type="ray")
    machine.has(
        "sinfo",
        'case "$*" in\n"-h -o %D") echo 6;;\n"-h -o %D %t") printf "4 idle\\n2 down*\\n";;\n'
        '"-h -o %D %G") printf "4 gpu:a100:8(S:0-1)\\n2 (null)\\n";;\nesac',
    )
    machine.has("scontrol", 'echo "SlurmctldHost[0]        = head01(10.0.0.1)"')
    machine.has("nvidia-smi", 'echo "GPU 0: NVIDIA A100 (UUID: GPU-1)"')
    found = await detect(api)
    assert (found["type"], found["status"], found["label"]) == ("slurm", "degraded", "Slurm")
    assert (found["node_count"], found["gpu_count"], found["head_node"]) == (6, 32, "head01")
    assert found["confidence"] > 0.9
    assert found["notes"] == "ask Ada"
    assert found["details"].keys() == {"slurm", "local_gpu"}


async def test_slurm_is_silent(api: Api, machine: Machine) -> None:
    """Its tools are there and fail."""
    machine.has("sinfo", "exit 1")
    found = await detect(api)
    assert (found["type"], found["status"], found["node_count"]) == ("slurm", "offline", None)


async def test_in_a_slurm_job(api: Api, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known from the environment alone."""
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_JOB_NUM_NODES", "3")
    found = await detect(api)
    assert (found["type"], found["status"], found["node_count"]) == ("slurm", "healthy", 3)


async def test_kubernetes(api: Api, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pod; or where kubectl reaches one."""
    machine.has("kubectl", 'case "$1" in config) echo prod;; *) exit 1;; esac')
    assert (await detect(api))["type"] == "unknown"
    machine.has("kubectl", 'case "$1" in config) echo prod;; get) printf "node/a\\nnode/b\\n";; esac')
    found = await detect(api)
    assert (found["type"], found["node_count"], found["details"]["kubernetes"]["context"]) == (
        "kubernetes",
        2,
        "prod",
    )
    machine.has("kubectl", "exit 1")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert (await detect(api))["details"] == {"kubernetes": {"in_pod": True, "context": None}}


async def test_ray(api: Api, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its address; more is known when it answers."""
    monkeypatch.setenv("RAY_ADDRESS", "ray://10.0.0.1:10001")
    found = await detect(api)
    assert (found["type"], found["status"]) == ("ray", "unknown")
    assert "10.0.0.1" not in str(found)
    machine.has(
        "ray",
        'printf "Node status\\n-----\\nActive:\\n 1 node_abc\\n 2 worker\\nPending:\\n (no pending nodes)\\n'
        'Usage:\\n 0.0/96.0 CPU\\n 1.0/8.0 GPU\\n"',
    )
    found = await detect(api)
    assert (found["status"], found["node_count"], found["gpu_count"]) == ("healthy", 3, 8)


async def test_local_gpus(api: Api, machine: Machine) -> None:
    """As nvidia-smi lists them, without their serial numbers."""
    machine.has(
        "nvidia-smi", 'for i in 0 1; do echo "GPU $i: NVIDIA H100 80GB HBM3 (UUID: GPU-5ecret)"; done'
    )
    found = await detect(api)
    assert (found["type"], found["gpu_count"], found["node_count"]) == ("local_gpu", 2, 1)
    assert found["details"] == {"local_gpu": {"gpus": ["NVIDIA H100 80GB HBM3"] * 2}}
    assert "5ecret" not in str(found)


async def test_others_are_here(api: Api, machine: Machine) -> None:
    """A guess, and said to be one; nobody is named."""
    machine.has("who", 'echo "somebody-else pts/0 2026-01-01 10:00"')
    found = await detect(api)
    assert (found["type"], found["status"]) == ("shared_head_node", "unknown")
    assert found["confidence"] < 0.5
    assert "somebody" not in str(found)


async def test_tools_that_hang(api: Api, machine: Machine) -> None:
    """Whatever they do, there is an answer, and nothing of them is left."""
    for tool in ("sinfo", "scontrol", "kubectl", "ray", "nvidia-smi", "who"):
        machine.has(tool, f"sleep 1000 & echo $! >> {machine.folder}/pids; wait")
    found = await detect(api)
    assert (found["type"], found["status"]) == ("slurm", "offline")
    pids = (machine.folder / "pids").read_text().split()
    assert pids
    await eventually(lambda: not any(lives(int(pid)) for pid in pids), "they are gone")


async def test_asked_by_many(api: Api, machine: Machine) -> None:
    """One look for all who ask at once: who asks a hundred times must not hold up the runs for minutes."""
    machine.has("kubectl", f"echo asked >> {machine.folder}/asked; sleep 1000")
    answers = await asyncio.gather(*(api.call("POST", "/cluster/detect") for _ in range(8)))
    assert {answer.body for answer in answers} == {answers[0].body}
    assert (machine.folder / "asked").read_text() == "asked\n"


def lives(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
