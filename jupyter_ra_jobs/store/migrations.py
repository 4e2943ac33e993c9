"""From the schema of a released version to that of the next.

Whoever changes schema.sql adds the way there from the schema before; CONTRIBUTING.md says what else.
"""

MIGRATIONS: dict[int, tuple[str, ...]] = {
    1: (
        "CREATE TABLE ends (run_id TEXT PRIMARY KEY) WITHOUT ROWID",
        "ALTER TABLE sweeps ADD COLUMN under_way TEXT",
        "ALTER TABLE sweeps ADD COLUMN making TEXT",
        "CREATE INDEX sweeps_under_way ON sweeps (n) WHERE making IS NOT NULL OR under_way IS NOT NULL",
        "CREATE TABLE making"
        " (n INTEGER PRIMARY KEY, key TEXT NOT NULL, shared TEXT NOT NULL, copies TEXT NOT NULL)",
        "CREATE INDEX making_key ON making (key, n)",
    ),
    2: (
        "ALTER TABLE runs ADD COLUMN files TEXT NOT NULL DEFAULT '{}'",
        "CREATE TABLE files (sha256 TEXT PRIMARY KEY) WITHOUT ROWID",
        "CREATE TRIGGER runs_files AFTER INSERT ON runs WHEN NEW.files != '{}' BEGIN"
        " INSERT OR IGNORE INTO files SELECT value FROM json_each(NEW.files); END",
        "CREATE TRIGGER sweeps_files AFTER INSERT ON sweeps WHEN NEW.run_options != '{}' BEGIN"
        " INSERT OR IGNORE INTO files SELECT value FROM json_each(NEW.run_options, '$.files'); END",
    ),
}
"""The statements that lead from schema n to n + 1."""
