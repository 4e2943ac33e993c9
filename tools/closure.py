"""What pip installs with this package: the tools that judge it share this. Needs the package installed."""

from __future__ import annotations

from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

EXTRAS = ("mcp", "tensorboard", "wandb")
"""Those that users install, not those for developers."""


def closure(*extras: str) -> dict[str, str]:
    """Canonical name and installed version of each distribution that the package with these extras needs."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    wanted = [("jupyter-ra-jobs", extra) for extra in ("", *extras)]
    while wanted:
        name, extra = wanted.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        this = distribution(name)
        found[name] = this.version
        for line in this.requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                child = canonicalize_name(needed.name)
                wanted += [(child, also) for also in ("", *needed.extras)]
    del found["jupyter-ra-jobs"]
    return dict(sorted(found.items()))
