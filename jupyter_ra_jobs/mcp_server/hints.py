"""What a tool does to the world, in the protocol's words; a client may ask its user by them."""

from collections.abc import Callable, Coroutine
from typing import Any

from mcp_types import ToolAnnotations

Told = tuple[Callable[..., Coroutine[Any, Any, Any]], ToolAnnotations]
"""A tool's function, whose first argument is the client, with its hints."""

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
EXECUTES = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=True
)
"""Has a shell command run, which may do anything."""
ENDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)
"""Ends what can't be gone on with."""
CHANGES = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
"""Can be taken back."""
