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
INSERT INTO "alerts" VALUES(1,'2e10fdcb1584',89,'38990b27b0c5',1.79542503479349899297e+09,'warning','answered','["Wait","Stop run"]','resolved','Wait',1.79542503481123208995e+09,NULL,NULL,NULL);
INSERT INTO "alerts" VALUES(2,'50dd303cb815',90,'38990b27b0c5',1.79542503482208871835e+09,'warning','pending','["Wait","Stop run"]','pending',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE dependencies (
    after_id TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    PRIMARY KEY (after_id, run_id)
) WITHOUT ROWID;
INSERT INTO "dependencies" VALUES('ccdbcff9c847','e98d43b9be99');
CREATE TABLE ends (
    run_id TEXT PRIMARY KEY
) WITHOUT ROWID;
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
    start_requested   INTEGER NOT NULL DEFAULT 0,         -- queued, and to be started when a slot is free
    stop_requested_at REAL,
    token_hash        TEXT,                               -- of the run's token, which only its sidecar has
    spool_offset      INTEGER NOT NULL DEFAULT 0,         -- how far its spool was read
    last_seq          INTEGER NOT NULL DEFAULT 0,
    sidecar           TEXT,                               -- the processes' identity, from its first event
    metrics           TEXT,                               -- last, lowest and highest of each, as far as read
    env               TEXT    NOT NULL DEFAULT '{}'       -- what the caller gave; never listed, and last: it may be long
);
INSERT INTO "runs" VALUES(1,'fae8cd6ed86d',8,'test','echo ''{"step": 1, "loss": 0.5}'' > $RA_ARTIFACTS_DIR/metrics.jsonl; echo ''50%''','/WORKDIR','/WORKDIR','finished',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542503374425172803e+09,NULL,1.79542503375174713128e+09,1.79542503384675097462e+09,1.79542503387431430818e+09,NULL,'ra-job-fae8cd6ed86d','%1','tmux attach -t research-agent:ra-job-fae8cd6ed86d',0,NULL,NULL,NULL,NULL,NULL,'["a","é"]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'fd892e5c2aad8faa42077e0935dda5161b38445347ca23ce4faf9d0fa97a3a0a',324,2,'{"pid":17219,"pid_start":3583142,"pgid":17225,"pgid_start":3583147,"boot_id":"a-boot-long-ago"}','{"keys":{"loss":[0.5,1.0,0.5,1.0,0.5,1.0,1,false]},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(2,'48c8cad8037d',10,'test','echo no; exit 3','/WORKDIR','/WORKDIR','failed',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542503380196261401e+09,NULL,1.79542503381063175199e+09,1.79542503388042187688e+09,1.7954250338983094692e+09,NULL,'ra-job-48c8cad8037d','%2','tmux attach -t research-agent:ra-job-48c8cad8037d',3,NULL,'exit code 3',NULL,NULL,NULL,'[]','two
lines',NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'c2a051c59fcbfef3cbf57464027663ea8f85d676730aec13543da196f70c0e7c',332,2,'{"pid":17223,"pid_start":3583145,"pgid":17227,"pgid_start":3583151,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{"SECRET":"s"}');
INSERT INTO "runs" VALUES(3,'cc56c8df22cd',11,'test (Rerun)','echo no; exit 3','/WORKDIR',NULL,'ready',0,NULL,'48c8cad8037d',NULL,NULL,NULL,NULL,1.7954250339342489243e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{"SECRET":"s"}');
INSERT INTO "runs" VALUES(4,'2a5e0a20789d',17,'test','true','/WORKDIR','/WORKDIR','finished',1,1.79542503403253483774e+09,NULL,NULL,NULL,NULL,NULL,1.7954250339417703151e+09,NULL,1.79542503395278167719e+09,1.79542503400741505618e+09,1.79542503402347779269e+09,NULL,'ra-job-2a5e0a20789d','%3','tmux attach -t research-agent:ra-job-2a5e0a20789d',0,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'47652a13d1735e56589bab363b4a631ed038dda495d3bdc3f8a786d850bc1a41',324,2,'{"pid":17235,"pid_start":3583160,"pgid":17237,"pgid_start":3583163,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(5,'f99e637b4bb4',27,'stopped','echo on; exec sleep 1000','/WORKDIR','/WORKDIR','stopped',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542503403618621828e+09,NULL,1.79542503403914356229e+09,1.79542503409503960603e+09,1.795425034290961504e+09,1.795425034290961504e+09,'ra-job-f99e637b4bb4','%4','tmux attach -t research-agent:ra-job-f99e637b4bb4',130,'SIGINT',NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,1.79542503416360950474e+09,'3d8bcc3483d550bfb90fa2d48e78181ecabe90cc1a0e9d45be7b6bdbb4129c3e',330,2,'{"pid":17242,"pid_start":3583167,"pgid":17248,"pgid_start":3583172,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(6,'38990b27b0c5',25,'running','echo on; exec sleep 1000','/WORKDIR','/WORKDIR','running',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542503405563807486e+09,NULL,1.79542503405816841126e+09,1.79542503412537550922e+09,NULL,NULL,'ra-job-38990b27b0c5','%5','tmux attach -t research-agent:ra-job-38990b27b0c5',NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'08b558e37ad63ab8301ae291664646f82cf28f510a9198b406377312fc90be52',217,1,'{"pid":17246,"pid_start":3583169,"pgid":17250,"pgid_start":3583175,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":false}','{}');
INSERT INTO "runs" VALUES(7,'ccdbcff9c847',28,'test','echo ready','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542503430901479724e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,60.0,0,'[]',0,2,1,0,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(8,'e98d43b9be99',30,'test','echo queued','/WORKDIR',NULL,'queued',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542503432467317582e+09,1.79542503433262133592e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,3,'["ccdbcff9c847"]',1,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(9,'62ed4ef492ca',50,'started #1','echo 0; exit 0','/WORKDIR','/WORKDIR','finished',0,NULL,NULL,NULL,'4aeb181da113','{"x":0}',NULL,1.79542503434551668165e+09,1.79542503435263109206e+09,1.79542503436948728558e+09,1.79542503442922234536e+09,1.79542503444377708442e+09,NULL,'ra-job-62ed4ef492ca','%6','tmux attach -t research-agent:ra-job-62ed4ef492ca',0,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'bb6d334c5a62e04cd347c243c88a15439b65d56dd92e5a9f53adc4c0c49ea5d7',324,2,'{"pid":17255,"pid_start":3583200,"pgid":17257,"pgid_start":3583206,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(10,'383fbd037280',54,'started #2','echo 1; exit 1','/WORKDIR','/WORKDIR','failed',0,NULL,NULL,NULL,'4aeb181da113','{"x":1}',NULL,1.79542503434551668165e+09,1.79542503435263109206e+09,1.7954250344772984981e+09,1.79542503452833604807e+09,1.79542503455012702941e+09,NULL,'ra-job-383fbd037280','%7','tmux attach -t research-agent:ra-job-383fbd037280',1,NULL,'exit code 1',NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'3465a6589c4e9b7b484583b50e0aa880537a7bec914b62c068f453713776894d',330,2,'{"pid":17262,"pid_start":3583212,"pgid":17264,"pgid_start":3583216,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(11,'1b6d7e18f4a0',58,'started #3','echo 2; exit 2','/WORKDIR','/WORKDIR','failed',0,NULL,NULL,NULL,'4aeb181da113','{"x":2}',NULL,1.79542503434551668165e+09,1.79542503435263109206e+09,1.79542503457406592368e+09,1.79542503463614082337e+09,1.79542503465730500216e+09,NULL,'ra-job-1b6d7e18f4a0','%8','tmux attach -t research-agent:ra-job-1b6d7e18f4a0',2,NULL,'exit code 2',NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'8422736e7f0006fe0cde90453573daf9379ceb25a6238e9a963e9db9e29f575b',331,2,'{"pid":17269,"pid_start":3583221,"pgid":17271,"pgid_start":3583226,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(12,'3bac7971dff9',60,'not started #1','echo 0; exit 0','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,'b94df23cd8f2','{"x":0}',NULL,1.79542503467991161345e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(13,'649a095753ca',61,'not started #2','echo 1; exit 1','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,'b94df23cd8f2','{"x":1}',NULL,1.79542503467991161345e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(14,'4abda48015ce',62,'not started #3','echo 2; exit 2','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,'b94df23cd8f2','{"x":2}',NULL,1.79542503467991161345e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(15,'b146f6e6a238',87,'on its way #1','echo 1000; sleep 1000','/WORKDIR','/WORKDIR','running',0,NULL,NULL,NULL,'e4dc6c134c02','{"x":1000}',NULL,1.7954250346895408631e+09,1.79542503469735956192e+09,1.79542503471507120136e+09,1.79542503476739192004e+09,NULL,NULL,'ra-job-b146f6e6a238','%9','tmux attach -t research-agent:ra-job-b146f6e6a238',NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'61b5cff772eb30480c0c646dc496f51269dff3c1cf18b02bebbbe70c745e4fc9',216,1,'{"pid":17276,"pid_start":3583235,"pgid":17278,"pgid_start":3583239,"boot_id":"a-boot-long-ago"}',NULL,'{}');
INSERT INTO "runs" VALUES(16,'735ae8ca7974',83,'on its way #2','echo 0; sleep 0','/WORKDIR',NULL,'queued',0,NULL,NULL,NULL,'e4dc6c134c02','{"x":0}',NULL,1.7954250346895408631e+09,1.79542503469735956192e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,1,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(17,'0e99d04781f6',84,'on its way #3','echo 0.01; sleep 0.01','/WORKDIR',NULL,'queued',0,NULL,NULL,NULL,'e4dc6c134c02','{"x":0.01}',NULL,1.7954250346895408631e+09,1.79542503469735956192e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,1,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(18,'c9410bb8a7f4',92,'claimed','echo launched','/WORKDIR',NULL,'launching',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79542503483124303814e+09,NULL,1.79542503486807227138e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
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
INSERT INTO "sweeps" VALUES(1,'4aeb181da113',35,'started','echo {x}; exit {x}','/WORKDIR','{"x":[0,1,2]}','grid',NULL,NULL,3,1,0,1.79542503434490203855e+09,1.79542503435237479209e+09,NULL,NULL,0,NULL,NULL,NULL,'{}',NULL,NULL,'{}');
INSERT INTO "sweeps" VALUES(2,'b94df23cd8f2',59,'not started','echo {x}; exit {x}','/WORKDIR','{"x":[0,1,2]}','grid',NULL,NULL,3,NULL,0,1.79542503467958593373e+09,NULL,NULL,NULL,0,NULL,NULL,NULL,'{}',NULL,NULL,'{}');
INSERT INTO "sweeps" VALUES(3,'e4dc6c134c02',67,'on its way','echo {x}; sleep {x}','/WORKDIR','{"x":[1000,0,0.01]}','grid',NULL,NULL,3,1,0,1.79542503468912172321e+09,1.79542503469717502594e+09,NULL,NULL,0,NULL,NULL,NULL,'{}',NULL,NULL,'{}');
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
CREATE UNIQUE INDEX alerts_rev ON alerts (rev);
CREATE INDEX alerts_run ON alerts (run_id, n);
CREATE INDEX alerts_status ON alerts (status, n);
CREATE INDEX alerts_rule ON alerts (rule, key) WHERE rule IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',18);
INSERT INTO "sqlite_sequence" VALUES('sweeps',3);
INSERT INTO "sqlite_sequence" VALUES('alerts',2);
COMMIT;
PRAGMA user_version = 2;
