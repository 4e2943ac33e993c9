"""From the schema of a released version to that of the next.

Whoever changes schema.sql adds the way there from the schema before; CONTRIBUTING.md says what else.
"""

MIGRATIONS: dict[int, tuple[str, ...]] = {}
"""The statements that lead from schema n to n + 1."""
