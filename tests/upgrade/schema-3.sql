BEGIN TRANSACTION;
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
INSERT INTO "alerts" VALUES(1,'6b12dcf8e997',89,'5654548791aa',1.79542779935929417605e+09,'warning','answered','["Wait","Stop run"]','resolved','Wait',1.79542779936311316492e+09,NULL,NULL,NULL);
INSERT INTO "alerts" VALUES(2,'16d5cf51c819',90,'5654548791aa',1.79542779936755323407e+09,'warning','pending','["Wait","Stop run"]','pending',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE dependencies (
    after_id TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    PRIMARY KEY (after_id, run_id)
) WITHOUT ROWID;
INSERT INTO "dependencies" VALUES('84b9bd665be8','2bc2644bea6a');
CREATE TABLE ends (
    run_id TEXT PRIMARY KEY
) WITHOUT ROWID;
CREATE TABLE files (
    sha256 TEXT PRIMARY KEY
) WITHOUT ROWID;
INSERT INTO "files" VALUES('982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1');
CREATE TABLE making (
    n      INTEGER PRIMARY KEY,
    key    TEXT NOT NULL,
    shared TEXT NOT NULL,                                 -- the columns that are the same for all
    copies TEXT NOT NULL                                  -- those that are not
);
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
INSERT INTO "runs" VALUES(1,'99e9af078f38',8,'test','echo ''{"step": 1, "loss": 0.5}'' > $RA_ARTIFACTS_DIR/metrics.jsonl; echo ''50%''','/WORKDIR','/WORKDIR','finished',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542779846226263043e+09,NULL,1.79542779846603155137e+09,1.79542779859511733055e+09,1.79542779861866307264e+09,NULL,'ra-job-99e9af078f38','%1','tmux attach -t research-agent:ra-job-99e9af078f38',0,NULL,NULL,NULL,NULL,NULL,'["a","é"]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,'f269063ba01cba12cd844270a997b68783be05de047ac577fd7e753a50797a2a',324,2,'{"pid":23251,"pid_start":3859617,"pgid":23257,"pgid_start":3859622,"boot_id":"a-boot-long-ago"}','{"keys":{"loss":[0.5,1.0,0.5,1.0,0.5,1.0,1,false]},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(2,'65f12a1c4207',10,'test','echo no; exit 3','/WORKDIR','/WORKDIR','failed',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542779855672264099e+09,NULL,1.7954277985646409988e+09,1.79542779864869141582e+09,1.79542779867209744458e+09,NULL,'ra-job-65f12a1c4207','%2','tmux attach -t research-agent:ra-job-65f12a1c4207',3,NULL,'exit code 3',NULL,NULL,NULL,'[]','two
lines',NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,'477a234b6388946374de86276a1df7bb406c6944286ba0380b201465a132becb',332,2,'{"pid":23255,"pid_start":3859620,"pgid":23259,"pgid_start":3859628,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{"SECRET":"s"}');
INSERT INTO "runs" VALUES(3,'2cf79246626f',11,'test (Rerun)','echo no; exit 3','/WORKDIR',NULL,'ready',0,NULL,'65f12a1c4207',NULL,NULL,NULL,NULL,1.79542779869069480899e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,NULL,0,0,NULL,NULL,'{"SECRET":"s"}');
INSERT INTO "runs" VALUES(4,'ede88b18c49a',17,'test','true','/WORKDIR','/WORKDIR','finished',1,1.79542779877929925915e+09,NULL,NULL,NULL,NULL,NULL,1.79542779869575834278e+09,NULL,1.79542779869942665093e+09,1.79542779874323701859e+09,1.7954277987652411461e+09,NULL,'ra-job-ede88b18c49a','%3','tmux attach -t research-agent:ra-job-ede88b18c49a',0,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,'7e736c942b6c976ba9167cd527330de18af4d197975cc299debc40d28e39d48e',324,2,'{"pid":23266,"pid_start":3859633,"pgid":23268,"pgid_start":3859637,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(5,'71cf0fa03095',27,'stopped','echo on; exec sleep 1000','/WORKDIR','/WORKDIR','stopped',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542779878317070008e+09,NULL,1.79542779878633332246e+09,1.79542779885190701477e+09,1.79542779901367568974e+09,1.79542779901367568974e+09,'ra-job-71cf0fa03095','%4','tmux attach -t research-agent:ra-job-71cf0fa03095',130,'SIGINT',NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,1.79542779889815807344e+09,'220c2dda635e522f16f12dcb611e69ddcb9216946988a906801a9b67534a065c',329,2,'{"pid":23273,"pid_start":3859642,"pgid":23279,"pgid_start":3859647,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(6,'5654548791aa',25,'running','echo on; exec sleep 1000','/WORKDIR','/WORKDIR','running',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542779880049157138e+09,NULL,1.79542779880327510837e+09,1.7954277988824498654e+09,NULL,NULL,'ra-job-5654548791aa','%5','tmux attach -t research-agent:ra-job-5654548791aa',NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,'d4313a41749fc0323e6126c3f1aceb37c4e9667d4854a68f837ff21150cf683b',217,1,'{"pid":23277,"pid_start":3859645,"pgid":23282,"pgid_start":3859651,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":false}','{}');
INSERT INTO "runs" VALUES(7,'84b9bd665be8',28,'test','echo ready','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542779902808213236e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,60.0,0,'[]',0,2,1,0,NULL,'{"a.txt":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}',0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(8,'2bc2644bea6a',30,'test','echo queued','/WORKDIR',NULL,'queued',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542779903364443775e+09,1.79542779903794527058e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,3,'["84b9bd665be8"]',1,0,1,NULL,NULL,'{}',0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(9,'815c74fd02b6',50,'started #1','echo 0; exit 0','/WORKDIR','/WORKDIR','finished',0,NULL,NULL,NULL,'ed6c0f189366','{"x":0}',NULL,1.79542779904094290731e+09,1.79542779904498553279e+09,1.79542779905347943307e+09,1.79542779910202288627e+09,1.79542779911683154101e+09,NULL,'ra-job-815c74fd02b6','%6','tmux attach -t research-agent:ra-job-815c74fd02b6',0,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,'0dafdf1201c10227ac42a67464019b1fc59a0309931f0a6e35e87892b9adc35a',324,2,'{"pid":23287,"pid_start":3859669,"pgid":23289,"pgid_start":3859673,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(10,'8dcb02159cd9',54,'started #2','echo 1; exit 1','/WORKDIR','/WORKDIR','failed',0,NULL,NULL,NULL,'ed6c0f189366','{"x":1}',NULL,1.79542779904094290731e+09,1.79542779904498553279e+09,1.79542779912891650199e+09,1.79542779918151831626e+09,1.79542779919809556005e+09,NULL,'ra-job-8dcb02159cd9','%7','tmux attach -t research-agent:ra-job-8dcb02159cd9',1,NULL,'exit code 1',NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,'83915bd83249aedd76e29979ed5b6be075a36bde946a7b93908066543af7b746',332,2,'{"pid":23294,"pid_start":3859677,"pgid":23296,"pgid_start":3859681,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(11,'d863c746803c',58,'started #3','echo 2; exit 2','/WORKDIR','/WORKDIR','failed',0,NULL,NULL,NULL,'ed6c0f189366','{"x":2}',NULL,1.79542779904094290731e+09,1.79542779904498553279e+09,1.79542779921259188649e+09,1.79542779925140333179e+09,1795427799.27022,NULL,'ra-job-d863c746803c','%8','tmux attach -t research-agent:ra-job-d863c746803c',2,NULL,'exit code 2',NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,'499a98153c536224d4d3af4b554849d1af70ef8a51597101ff0f7d4e9d962961',330,2,'{"pid":23301,"pid_start":3859685,"pgid":23303,"pgid_start":3859688,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(12,'4828b7aba079',60,'not started #1','echo 0; exit 0','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,'ac3209433bcf','{"x":0}',NULL,1.79542779928910541534e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(13,'49f47cbc74b1',61,'not started #2','echo 1; exit 1','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,'ac3209433bcf','{"x":1}',NULL,1.79542779928910541534e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(14,'e8cf5a8423c1',62,'not started #3','echo 2; exit 2','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,'ac3209433bcf','{"x":2}',NULL,1.79542779928910541534e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(15,'0528939ae2a5',87,'on its way #1','echo 1000; sleep 1000','/WORKDIR','/WORKDIR','running',0,NULL,NULL,NULL,'170f317c194e','{"x":1000}',NULL,1.7954277992940881252e+09,1.79542779929810237884e+09,1.79542779930823183064e+09,1.79542779934289979931e+09,NULL,NULL,'ra-job-0528939ae2a5','%9','tmux attach -t research-agent:ra-job-0528939ae2a5',NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,'a0fbeeea4bdc1e3402fd4e8ba79c3fb1db22bc4ebfd851ce947ddf16b938cf25',217,1,'{"pid":23308,"pid_start":3859694,"pgid":23310,"pgid_start":3859697,"boot_id":"a-boot-long-ago"}',NULL,'{}');
INSERT INTO "runs" VALUES(16,'d652d21f5015',83,'on its way #2','echo 0; sleep 0','/WORKDIR',NULL,'queued',0,NULL,NULL,NULL,'170f317c194e','{"x":0}',NULL,1.7954277992940881252e+09,1.79542779929810237884e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',1,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(17,'c5cdfda31600',84,'on its way #3','echo 0.01; sleep 0.01','/WORKDIR',NULL,'queued',0,NULL,NULL,NULL,'170f317c194e','{"x":0.01}',NULL,1.7954277992940881252e+09,1.79542779929810237884e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',1,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(18,'37683cdd5d10',92,'claimed','echo launched','/WORKDIR',NULL,'launching',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542779937117099762e+09,NULL,1.79542779939003825182e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,'{}',0,NULL,NULL,0,0,NULL,NULL,'{}');
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
INSERT INTO "sweeps" VALUES(1,'ed6c0f189366',35,'started','echo {x}; exit {x}','/WORKDIR','{"x":[0,1,2]}','grid',NULL,NULL,3,1,0,1.79542779904061412807e+09,1.7954277990448038578e+09,NULL,NULL,0,NULL,NULL,NULL,'{}',NULL,NULL,'{}');
INSERT INTO "sweeps" VALUES(2,'ac3209433bcf',59,'not started','echo {x}; exit {x}','/WORKDIR','{"x":[0,1,2]}','grid',NULL,NULL,3,NULL,0,1.79542779928883695604e+09,NULL,NULL,NULL,0,NULL,NULL,NULL,'{}',NULL,NULL,'{}');
INSERT INTO "sweeps" VALUES(3,'170f317c194e',67,'on its way','echo {x}; sleep {x}','/WORKDIR','{"x":[1000,0,0.01]}','grid',NULL,NULL,3,1,0,1.7954277992938401699e+09,1.79542779929801726334e+09,NULL,NULL,0,NULL,NULL,NULL,'{}',NULL,NULL,'{}');
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
CREATE UNIQUE INDEX sweeps_rev ON sweeps (rev);
CREATE INDEX sweeps_under_way ON sweeps (n) WHERE making IS NOT NULL OR under_way IS NOT NULL;
CREATE INDEX making_key ON making (key, n);
CREATE TRIGGER runs_files AFTER INSERT ON runs WHEN NEW.files != '{}' BEGIN
    INSERT OR IGNORE INTO files SELECT value FROM json_each(NEW.files); END;
CREATE TRIGGER sweeps_files AFTER INSERT ON sweeps WHEN NEW.run_options != '{}' BEGIN
    INSERT OR IGNORE INTO files SELECT value FROM json_each(NEW.run_options, '$.files'); END;
CREATE UNIQUE INDEX alerts_rev ON alerts (rev);
CREATE INDEX alerts_run ON alerts (run_id, n);
CREATE INDEX alerts_status ON alerts (status, n);
CREATE INDEX alerts_rule ON alerts (rule, key) WHERE rule IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',18);
INSERT INTO "sqlite_sequence" VALUES('sweeps',3);
INSERT INTO "sqlite_sequence" VALUES('alerts',2);
COMMIT;
PRAGMA user_version = 3;
