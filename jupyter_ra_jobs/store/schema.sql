-- The whole schema, version 3. Times are seconds since the epoch, JSON columns hold JSON text.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE runs (
    n                 INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of creation, whatever the clock says
    id                TEXT    NOT NULL UNIQUE,
    rev               INTEGER NOT NULL,                   -- of its last change, one sequence for all tables: the cursor of /events
    name              TEXT    NOT NULL,
    command           TEXT    NOT NULL,
    workdir           TEXT    NOT NULL,
    real_workdir      TEXT,                               -- where that was at the launch, links followed
    status            TEXT    NOT NULL,
    is_archived       INTEGER NOT NULL DEFAULT 0,
    archived_at       REAL,
    parent_run_id     TEXT,
    origin_alert_id   TEXT,
    sweep_id          TEXT,
    sweep_params      TEXT,
    chat_session_id   TEXT,
    created_at        REAL    NOT NULL,
    queued_at         REAL,
    launched_at       REAL,
    started_at        REAL,
    ended_at          REAL,
    stopped_at        REAL,
    tmux_window       TEXT,
    tmux_pane         TEXT,
    attach_command    TEXT,
    exit_code         INTEGER,
    signal            TEXT,
    error             TEXT,
    wandb_dir         TEXT,
    gpuwrap_config    TEXT,
    progress          REAL,
    tags              TEXT    NOT NULL DEFAULT '[]',
    notes             TEXT,
    timeout_seconds   REAL,
    priority          INTEGER NOT NULL DEFAULT 0,         -- higher ones leave the queue first
    after             TEXT    NOT NULL DEFAULT '[]',      -- the runs that had to finish first, as asked for
    waits_for         INTEGER NOT NULL DEFAULT 0,         -- how many of them have not
    max_retries       INTEGER NOT NULL DEFAULT 0,
    attempt           INTEGER NOT NULL DEFAULT 1,
    gpus              INTEGER,                            -- how many it asked for; NULL: it said nothing
    gpu_ids           TEXT,                               -- which it has, or had
    files             TEXT    NOT NULL DEFAULT '{}',      -- what it is given: names, and hashes of content
    start_requested   INTEGER NOT NULL DEFAULT 0,         -- queued, and to be started when a slot is free
    stop_requested_at REAL,
    token_hash        TEXT,                               -- of the run's token, which only its sidecar has
    spool_offset      INTEGER NOT NULL DEFAULT 0,         -- how far its spool was read
    last_seq          INTEGER NOT NULL DEFAULT 0,
    sidecar           TEXT,                               -- the processes' identity, from its first event
    metrics           TEXT,                               -- last, lowest and highest of each, as far as read
    env               TEXT    NOT NULL DEFAULT '{}'       -- what the caller gave; never listed, and last: it may be long
);

CREATE UNIQUE INDEX runs_rev ON runs (rev);
CREATE INDEX runs_shown ON runs (n) WHERE NOT is_archived;
CREATE INDEX runs_status ON runs (status, n);
CREATE INDEX runs_status_shown ON runs (status, n) WHERE NOT is_archived;
CREATE INDEX runs_sweep ON runs (sweep_id, n, id) WHERE sweep_id IS NOT NULL;
CREATE INDEX runs_sweep_status ON runs (sweep_id, status, start_requested, started_at, ended_at)
    WHERE sweep_id IS NOT NULL;
CREATE INDEX runs_parent ON runs (parent_run_id, attempt) WHERE parent_run_id IS NOT NULL;
CREATE INDEX runs_retries ON runs (sweep_id, parent_run_id) WHERE parent_run_id IS NOT NULL;
CREATE INDEX runs_ended ON runs (ended_at, launched_at) WHERE ended_at IS NOT NULL;
CREATE INDEX runs_queue ON runs (priority DESC, queued_at, n, status) WHERE status = 'queued';
CREATE INDEX runs_startable ON runs (sweep_id, gpus > 0, priority DESC, queued_at, n)
    WHERE status = 'queued' AND start_requested AND NOT waits_for;

-- Who still waits for whom.
CREATE TABLE dependencies (
    after_id TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    PRIMARY KEY (after_id, run_id)
) WITHOUT ROWID;

-- Runs that have ended, while something may have to follow for those that wait for them.
CREATE TABLE ends (
    run_id TEXT PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE sweeps (
    n                INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT    NOT NULL UNIQUE,
    rev              INTEGER NOT NULL,                    -- as that of runs; a change of a run is none of its sweep
    name             TEXT    NOT NULL,
    base_command     TEXT    NOT NULL,
    workdir          TEXT    NOT NULL,
    parameters       TEXT    NOT NULL DEFAULT '{}',
    method           TEXT    NOT NULL DEFAULT 'grid',
    seed             INTEGER,
    max_runs         INTEGER,
    total_combinations INTEGER,
    parallel         INTEGER,                             -- runs at a time; NULL: no limit of the sweep's own
    is_draft         INTEGER NOT NULL DEFAULT 0,
    created_at       REAL    NOT NULL,
    started_at       REAL,
    canceled_at      REAL,
    goal             TEXT,
    is_wild          INTEGER NOT NULL DEFAULT 0,
    chat_session_id  TEXT,
    ui_config        TEXT,
    creation_context TEXT,
    run_options      TEXT    NOT NULL DEFAULT '{}',
    under_way        TEXT,                                -- 'start' or 'stop', while its runs are taken there in slices
    making           TEXT,                                -- the key of its runs in `making`, while there are any
    env              TEXT    NOT NULL DEFAULT '{}'        -- for its runs; never shown
);

CREATE UNIQUE INDEX sweeps_rev ON sweeps (rev);
CREATE INDEX sweeps_under_way ON sweeps (n) WHERE making IS NOT NULL OR under_way IS NOT NULL;

-- Runs that are to be: many of them are made in slices. They count once a sweep has their key.
CREATE TABLE making (
    n      INTEGER PRIMARY KEY,
    key    TEXT NOT NULL,
    shared TEXT NOT NULL,                                 -- the columns that are the same for all
    copies TEXT NOT NULL                                  -- those that are not
);

CREATE INDEX making_key ON making (key, n);

-- The uploaded files that runs or sweeps name, or have named: those stay. The database itself sees to it, since
-- one that was forgotten would be taken away.
CREATE TABLE files (
    sha256 TEXT PRIMARY KEY
) WITHOUT ROWID;

CREATE TRIGGER runs_files AFTER INSERT ON runs WHEN NEW.files != '{}' BEGIN
    INSERT OR IGNORE INTO files SELECT value FROM json_each(NEW.files); END;

CREATE TRIGGER sweeps_files AFTER INSERT ON sweeps WHEN NEW.run_options != '{}' BEGIN
    INSERT OR IGNORE INTO files SELECT value FROM json_each(NEW.run_options, '$.files'); END;

CREATE TABLE alerts (
    n            INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    rev          INTEGER NOT NULL,                        -- as that of runs
    run_id       TEXT    NOT NULL,
    timestamp    REAL    NOT NULL,
    severity     TEXT    NOT NULL,
    message      TEXT    NOT NULL,
    choices      TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    response     TEXT,
    responded_at REAL,
    session_id   TEXT,
    rule         TEXT,                                    -- NULL: a caller raised it
    key          TEXT                                     -- what the rule must not say twice
);

CREATE UNIQUE INDEX alerts_rev ON alerts (rev);
CREATE INDEX alerts_run ON alerts (run_id, n);
CREATE INDEX alerts_status ON alerts (status, n);
CREATE INDEX alerts_rule ON alerts (rule, key) WHERE rule IS NOT NULL;
