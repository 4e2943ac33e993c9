"""The panel's files, as the build wrote them beside us."""

import functools
import gzip
import json
from pathlib import Path

from jupyter_ra_jobs.errors import NotFound, Unavailable

FOLDER = Path(__file__).parent / "static"
TYPES = {".js": "text/javascript; charset=utf-8", ".txt": "text/plain; charset=utf-8"}


def entry(name: str) -> str:
    """The file that a host loads first, of the newest build. Reads a file. Raises Unavailable."""
    found = _manifest()["entries"].get(name)
    if found is None:
        raise Unavailable(f"the panel that was built has no {name!r}: build it again (`make dev`)")
    return str(found)


def text(name: str) -> str:
    """The content of a file that stands alone, for a page that can't load it. Raises Unavailable."""
    return (FOLDER / entry(name)).read_text(encoding="utf-8")


def content(name: str) -> bytes:
    """A file, by the name that the build gave it, compressed by gzip. Raises NotFound, Unavailable."""
    if name not in _manifest()["files"]:
        raise NotFound(f"there is no file {name} of the panel; it was built anew: load the page again")
    return _compressed(name)


@functools.lru_cache(maxsize=32)
def _compressed(name: str) -> bytes:
    # A name with a hash never stands for another content.
    return gzip.compress((FOLDER / name).read_bytes())


def _manifest() -> dict[str, dict[str, str]]:
    try:
        manifest: dict[str, dict[str, str]] = json.loads((FOLDER / "manifest.json").read_bytes())
    except (OSError, ValueError) as problem:
        raise Unavailable("the panel is not built: `pip install .` does, and `make dev`") from problem
    return manifest
