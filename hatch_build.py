"""Builds the panel's bundles into every wheel, sdist and editable install, when they are not current."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent / "tools"))
import panel


class PanelBuildHook(BuildHookInterface):  # type: ignore[misc,type-arg,unused-ignore]
    """Needs Node only when the sources have changed: bundles that came with them are taken as they are."""

    def dependencies(self) -> list[str]:
        """PyPI's Node, where it is needed."""
        return [panel.NODE_WHEEL] if panel.needs_node_wheel() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the files are collected."""
        panel.build()
