"""Which GPUs there are: as nvidia-smi says, and as a site does."""

import logging
from pathlib import Path

import pytest
from traitlets import TraitError

from jupyter_ra_jobs.app import RaJobsApp
from jupyter_ra_jobs.gpus import Gpus, nvidia_gpus


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("0\\n1\\n", ["0", "1"]),
        ("0\\nUnable to determine the device handle for GPU 0000:3B:00.0: Unknown Error\\n", ["0"]),
        ("No devices were found\\n", []),
        ("\\377\\n0\\n", ["0"]),
    ],
)
def test_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, found: list[str]) -> None:
    """Its indices; what it says of broken GPUs, with exit code 0, is none, whatever its bytes are."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\nprintf '{said}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert nvidia_gpus() == found


def test_one_named_twice() -> None:
    """It is one: no run is given it twice, and no second run would wait for it at the queue's head."""
    assert Gpus(["0", "1", "0"], logging.getLogger()).known == ["0", "1"]


@pytest.mark.parametrize("gpu", ["0,1", '["0", "1"]', ""])
def test_no_id(gpu: str) -> None:
    """What names two GPUs, or none, is refused: it would be given to a run as one."""
    with pytest.raises(TraitError, match="is no GPU's id"):
        RaJobsApp(gpus=["2", gpu])
