"""The bundles of the panel go into what is installed, and are built where the sources are others."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import panel  # noqa: E402

BUNDLES = "jupyter_ra_jobs/static"


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unpacked source distribution of this checkout."""
    panel.build()
    folder = tmp_path_factory.mktemp("sdist")
    hatchling("sdist", ROOT, folder, os.environ["PATH"])
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    return unpacked


def hatchling(target: str, root: Path, folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    """Build as pip does, without an environment of its own."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=True, timeout=110
    )


def manifest(root: Path) -> dict[str, object]:
    """What the bundles of a source tree say of themselves."""
    said: dict[str, object] = json.loads((root / BUNDLES / "manifest.json").read_text())
    return said


def without_node(folder: Path) -> str:
    """A PATH that has no program at all."""
    folder.mkdir()
    return str(folder)


def test_hash_is_that_of_the_build() -> None:
    """Both sides mean the same by current."""
    panel.build()
    assert manifest(ROOT)["sources"] == panel.sources_hash()
    assert panel.is_current()


def test_sdist_has_sources_and_bundles(sdist: Path) -> None:
    """So it can be built with Node and without."""
    assert (sdist / "widget/src/panel.ts").is_file()
    assert (sdist / "widget/package-lock.json").is_file()
    assert (sdist / "tools/panel.py").is_file()
    assert manifest(sdist) == manifest(ROOT)
    assert not (sdist / "widget/node_modules").exists()


def test_wheel_without_node(sdist: Path, tmp_path: Path) -> None:
    """From a source distribution, without any Node: the same bundles, and no source of theirs."""
    hatchling("wheel", sdist, tmp_path, without_node(tmp_path / "empty"))
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        for name in [*panel_files(), "manifest.json"]:
            assert packed.read(f"{BUNDLES}/{name}") == (ROOT / BUNDLES / name).read_bytes()
        # Where JupyterLab looks for it.
        there = ".data/data/share/jupyter/labextensions/jupyter-ra-jobs/package.json"
        (described,) = [name for name in names if name.endswith(there)]
        load = json.loads(packed.read(described))["jupyterlab"]["_build"]["load"]
        assert {described.replace("package.json", name) for name in (load, "install.json")} <= set(names)
    assert not [name for name in names if name.startswith(("widget", "src", "tools"))]


def panel_files() -> list[str]:
    """The names of all bundles."""
    files = manifest(ROOT)["files"]
    assert isinstance(files, list)
    return files


@pytest.mark.parametrize("change", ["source", "bundle", "manifest"])
def test_what_is_not_current_is_built(
    sdist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """By Node, which is asked of PyPI where there is none."""
    copy = shutil.copytree(sdist, tmp_path / "copy")
    monkeypatch.setattr(panel, "WIDGET", copy / "widget")
    monkeypatch.setattr(panel, "STATIC", copy / BUNDLES)
    assert panel.is_current()
    monkeypatch.setenv("PATH", without_node(tmp_path / "empty"))
    assert not panel.needs_node_wheel()
    if change == "source":
        (copy / "widget/src/new.ts").write_text("export {};\n")
    elif change == "bundle":
        (copy / BUNDLES / panel_files()[0]).unlink()
    else:
        (copy / BUNDLES / "manifest.json").write_text("{")
    assert not panel.is_current()
    assert panel.needs_node_wheel()


def test_licences_of_what_is_bundled() -> None:
    """Whole, as they ask for."""
    panel.build()
    said = (ROOT / BUNDLES / "licences.txt").read_text()
    for name in ("preact", "uplot"):
        assert f"\n{name} " in said
    assert "Permission is hereby granted" in said
