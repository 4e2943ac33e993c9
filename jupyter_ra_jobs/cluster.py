"""What the runs run on: as somebody said, or as the machine looks.

Detection asks the tools that are on PATH, each kind of cluster on its own, at the same time, for two seconds
at most. Nothing is ever asked without being told to.
"""

import asyncio
import contextlib
import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, Struct, structs

from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.models import Cluster, ClusterEdit, ClusterState, ClusterStatus, ClusterType, RunSummary
from jupyter_ra_jobs.store import Store

_KEY = "cluster"
_PATIENCE = 2.0  # seconds that one probe has, whatever it asks
_MOST_DETAILS = 64 * 1024
_SHOWN = 50
_LABELS: dict[ClusterType, str] = {
    "unknown": "Unknown",
    "slurm": "Slurm",
    "kubernetes": "Kubernetes",
    "ray": "Ray",
    "local_gpu": "Local GPUs",
    "shared_head_node": "Shared head node",
}
_DOWN = re.compile(r"(?:down|drain|fail|drng|drained|not_responding|no_respond|maint)", re.IGNORECASE)


class Found(Struct, frozen=True, kw_only=True):
    """What one probe saw."""

    type: ClusterType
    confidence: float
    description: str
    status: ClusterStatus = "healthy"
    head_node: str | None = None
    node_count: int | None = None
    gpu_count: int | None = None
    details: dict[str, Any] = {}


class ClusterInfo:
    """The cluster as it is known."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._detecting: asyncio.Task[ClusterState] | None = None

    def get(self) -> ClusterState:
        """What is known, and how the runs stand."""
        counts = self._store.counts()
        shown = {name: counts[name] for name in RunSummary.__struct_fields__ if name != "total"}
        return ClusterState(
            cluster=self._known(), run_summary=RunSummary(total=sum(counts.values()), **shown)
        )

    def edit(self, edit: ClusterEdit) -> ClusterState:
        """Take somebody's word for it. Raises BadInput."""
        changes = {name: value for name, value in structs.asdict(edit).items() if value is not UNSET}
        if len(msgspec.json.encode(changes.get("details"))) > _MOST_DETAILS:
            raise BadInput(f"details: more than {_MOST_DETAILS:,} bytes")
        known = self._known()
        if "type" in changes and changes["type"] != known.type:  # what was known is of another kind
            known = Cluster(notes=known.notes, last_detected_at=known.last_detected_at, description="")
            known = structs.replace(
                known, label=_LABELS[edit.type] if edit.type is not UNSET else known.label
            )
        said = {"source": "manual", "confidence": 1.0, "updated_at": time.time()}
        self._keep(structs.replace(known, **changes, **said))
        return self.get()

    async def detect(self) -> ClusterState:
        """Look, and keep what was seen; somebody's notes stay. Who asks meanwhile gets the same answer."""
        if self._detecting is None or self._detecting.done():
            self._detecting = asyncio.get_running_loop().create_task(self._detect())
        # One look at a time: each takes several of the threads in which everybody else reads and writes.
        return await asyncio.shield(self._detecting)

    async def _detect(self) -> ClusterState:
        found = await asyncio.gather(*(asyncio.to_thread(probe, _Tools()) for probe in _PROBES))
        seen = [each for each in found if each is not None]
        now = time.time()
        first = max(seen, key=lambda each: each.confidence, default=_NOTHING)
        self._keep(
            Cluster(
                type=first.type,
                status=first.status,
                source="detected",
                label=_LABELS[first.type],
                description=first.description,
                head_node=first.head_node,
                node_count=first.node_count,
                gpu_count=first.gpu_count,
                notes=self._known().notes,
                confidence=first.confidence,
                details={each.type: each.details for each in seen},
                last_detected_at=now,
                updated_at=now,
            )
        )
        return self.get()

    def _known(self) -> Cluster:
        kept = self._store.get_meta(_KEY)
        return msgspec.json.decode(kept, type=Cluster) if kept else Cluster()

    def _keep(self, cluster: Cluster) -> None:
        self._store.set_meta(_KEY, msgspec.json.encode(cluster).decode())


_NOTHING = Found(
    type="unknown", status="unknown", confidence=0.0, description="Nothing that is known here was seen."
)


class _Tools:
    """Runs programs for one probe, until its time is over."""

    def __init__(self) -> None:
        self._until = time.monotonic() + _PATIENCE

    def has(self, tool: str) -> bool:
        """Whether there is such a program."""
        return shutil.which(tool) is not None

    def ask(self, tool: str, *arguments: str) -> str | None:
        """What it prints; None when it is missing, fails, or takes too long. Blocks."""
        path = shutil.which(tool)
        left = self._until - time.monotonic()
        if path is None or left <= 0:
            return None
        try:
            process = subprocess.Popen(
                [path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # so that what it starts can be ended with it
            )
        except OSError:
            return None
        with process:
            try:
                out, _ = process.communicate(timeout=left)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                return None
        return out.decode("utf-8", "replace") if process.returncode == 0 else None


def _slurm(tools: _Tools) -> Found | None:
    job = {name: os.environ[name] for name in ("SLURM_JOB_ID", "SLURM_CLUSTER_NAME") if name in os.environ}
    if not (job or tools.has("sinfo") or tools.has("scontrol")):
        return None
    nodes = _sum(tools.ask("sinfo", "-h", "-o", "%D"))
    if nodes is None:
        in_job = os.environ.get("SLURM_JOB_NUM_NODES", "")
        return Found(
            type="slurm",
            status="healthy" if job else "offline",
            confidence=0.8 if job else 0.5,
            description="In a Slurm job." if job else "Slurm's tools are here, but its controller is silent.",
            node_count=int(in_job) if in_job.isdigit() else None,
            details={"environment": job, "sinfo": None},
        )
    by_state = (tools.ask("sinfo", "-h", "-o", "%D %t") or "").split("\n")
    states = {line.split()[1]: line.split()[0] for line in by_state if len(line.split()) == 2}
    down = sum(int(count) for state, count in states.items() if _DOWN.match(state) and count.isdigit())
    head = re.search(r"SlurmctldHost\S*\s*=\s*([\w.-]+)", tools.ask("scontrol", "show", "config") or "")
    return Found(
        type="slurm",
        status="healthy" if not down else "degraded" if down < nodes else "offline",
        confidence=0.95,
        description=f"Slurm with {nodes} nodes.",
        head_node=head[1] if head else None,
        node_count=nodes,
        gpu_count=_slurm_gpus(tools.ask("sinfo", "-h", "-o", "%D %G")),
        details={"environment": job, "states": states},
    )


def _slurm_gpus(said: str | None) -> int | None:
    """Of lines such as `4 gpu:a100:8(S:0-1),gpu:t4:2`."""
    total = None
    for nodes, of in re.findall(r"^(\d{1,9})\s+(\S*gpu\S*)$", said or "", re.MULTILINE):
        each = sum(int(count) for count in re.findall(r"gpu(?::[\w.-]+)?:(\d{1,6})(?=[(,\s]|$)", of))
        total = (total or 0) + int(nodes) * each
    return total


def _kubernetes(tools: _Tools) -> Found | None:
    inside = "KUBERNETES_SERVICE_HOST" in os.environ
    context = tools.ask("kubectl", "config", "current-context")
    nodes = tools.ask("kubectl", "get", "nodes", "-o", "name", "--request-timeout=1s") if context else None
    if nodes is None and not inside:
        return None
    return Found(
        type="kubernetes",
        confidence=0.9,
        description="In a pod of a Kubernetes cluster."
        if inside
        else "kubectl reaches a Kubernetes cluster.",
        node_count=len(nodes.split()) if nodes is not None else None,
        details={"in_pod": inside, "context": context.strip()[:_SHOWN] if context else None},
    )


def _ray(tools: _Tools) -> Found | None:
    address = "RAY_ADDRESS" in os.environ
    said = tools.ask("ray", "status")
    if said is None and not address:
        return None
    active = re.search(r"Active:\n((?:\s*\d+ \S+\n?)*)", said or "")
    gpus = re.search(r"/([\d.]{1,12}) GPU", said or "")
    return Found(
        type="ray",
        status="healthy" if said is not None else "unknown",
        confidence=0.9 if said is not None else 0.6,
        description="A Ray cluster."
        if said is not None
        else "RAY_ADDRESS is set; `ray status` did not answer.",
        node_count=_sum(" ".join(re.findall(r"^\s*(\d+) ", active[1], re.MULTILINE))) if active else None,
        gpu_count=int(float(gpus[1])) if gpus else None,
        details={"ray_address_is_set": address},
    )


def _local_gpus(tools: _Tools) -> Found | None:
    names = gpu_names(tools.ask("nvidia-smi", "-L"))
    if not names:
        return None
    return Found(
        type="local_gpu",
        confidence=0.9,
        description=f"{len(names)} GPU{'s' if len(names) > 1 else ''} in this machine.",
        head_node=socket.gethostname(),
        node_count=1,
        gpu_count=len(names),
        details={"gpus": names[:_SHOWN]},
    )


def gpu_names(listing: str | None) -> list[str]:
    """The names in what `nvidia-smi -L` prints, in its order."""
    return re.findall(r"^GPU \d+: (.{1,200}?)(?: \(UUID.*)?$", listing or "", re.MULTILINE)


def _shared(tools: _Tools) -> Found | None:
    """Several people are logged in: perhaps a machine that is meant for starting work elsewhere."""
    users = {line.split()[0] for line in (tools.ask("who") or "").splitlines() if line.strip()}
    with contextlib.suppress(KeyError, OSError):
        users.discard(getpass.getuser())
    if not users:
        return None
    return Found(
        type="shared_head_node",
        status="unknown",
        confidence=0.3,
        description="Others are logged in to this machine too.",
        head_node=socket.gethostname(),
        node_count=1,
        details={"other_users": len(users)},
    )


def _sum(said: str | None) -> int | None:
    """The sum of the numbers in it, None when there are none."""
    numbers = [int(word) for word in (said or "").split() if word.isascii() and word.isdigit()]
    return sum(numbers) if numbers else None


# Of those that are equally sure, the first: who uses a scheduler has GPUs as well.
_PROBES: tuple[Callable[[_Tools], Found | None], ...] = (_slurm, _kubernetes, _ray, _local_gpus, _shared)
