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
INSERT INTO "alerts" VALUES(1,'7577dc3d642a',90,'9d3399a328bd',1.79541484730322051049e+09,'warning','answered','["Wait","Stop run"]','resolved','Wait',1.79541484731319022174e+09,NULL,NULL,NULL);
INSERT INTO "alerts" VALUES(2,'9cec1f817a10',91,'9d3399a328bd',1.79541484731616497044e+09,'warning','pending','["Wait","Stop run"]','pending',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE dependencies (
    after_id TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    PRIMARY KEY (after_id, run_id)
) WITHOUT ROWID;
INSERT INTO "dependencies" VALUES('2751644375ef','0ea0e4920e63');
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
INSERT INTO "runs" VALUES(1,'8f3b48a9b73e',8,'test','echo ''{"step": 1, "loss": 0.5}'' > $RA_ARTIFACTS_DIR/metrics.jsonl; echo ''50%''','/WORKDIR','/WORKDIR','finished',0,NULL,NULL,NULL,NULL,NULL,NULL,1.7954148440523233414e+09,NULL,1.79541484406848573683e+09,1.79541484445001268393e+09,1.79541484454301166536e+09,NULL,'ra-job-8f3b48a9b73e','%1','tmux attach -t research-agent:ra-job-8f3b48a9b73e',0,NULL,NULL,NULL,NULL,NULL,'["a","é"]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'1cab4e573cb410763aa33e423768403a478b581e514842a9de5dd86afd037987',323,2,'{"pid":3371,"pid_start":2564186,"pgid":3394,"pgid_start":2564206,"boot_id":"a-boot-long-ago"}','{"keys":{"loss":[0.5,1.0,0.5,1.0,0.5,1.0,1,false]},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(2,'16ff7263194d',10,'test','echo no; exit 3','/WORKDIR','/WORKDIR','failed',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79541484428661584854e+09,NULL,1.79541484430934357649e+09,1.79541484451778435705e+09,1.79541484461094379425e+09,NULL,'ra-job-16ff7263194d','%2','tmux attach -t research-agent:ra-job-16ff7263194d',3,NULL,'exit code 3',NULL,NULL,NULL,'[]','two
lines',NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'e235e33d980cab197c1c13fcf8a7a2c3af03684fd500862c86dd842ff728ab3e',330,2,'{"pid":3382,"pid_start":2564195,"pgid":3403,"pgid_start":2564213,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{"SECRET":"s"}');
INSERT INTO "runs" VALUES(3,'3e685355ff75',11,'test (Rerun)','echo no; exit 3','/WORKDIR',NULL,'ready',0,NULL,'16ff7263194d',NULL,NULL,NULL,NULL,1.79541484468707299238e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{"SECRET":"s"}');
INSERT INTO "runs" VALUES(4,'9ff187a8fd4f',17,'test','true','/WORKDIR','/WORKDIR','finished',1,1.79541484504113173486e+09,NULL,NULL,NULL,NULL,NULL,1.7954148447019870281e+09,NULL,1.79541484470492577552e+09,1.79541484491669178008e+09,1.7954148449912748337e+09,NULL,'ra-job-9ff187a8fd4f','%3','tmux attach -t research-agent:ra-job-9ff187a8fd4f',0,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'3237fbef2ebc50aef6c39b9c45874d8c09edac249d9963a98c75e2fd0edf0b3b',323,2,'{"pid":3427,"pid_start":2564235,"pgid":3447,"pgid_start":2564254,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(5,'03f9dfbc4774',28,'stopped','echo on; exec sleep 1000','/WORKDIR','/WORKDIR','stopped',0,NULL,NULL,NULL,NULL,NULL,NULL,1.7954148450759866238e+09,NULL,1.79541484509539294245e+09,1.79541484533939337733e+09,1.79541484565524244311e+09,1.79541484565524244311e+09,'ra-job-03f9dfbc4774','%4','tmux attach -t research-agent:ra-job-03f9dfbc4774',130,'SIGINT',NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,1.79541484549352312084e+09,'7359ec37a5a569d9d4e166ee5b9f4949d799cece7d37c152bd63664e405cb31d',328,2,'{"pid":3469,"pid_start":2564274,"pgid":3490,"pgid_start":2564295,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(6,'9d3399a328bd',26,'running','echo on; exec sleep 1000','/WORKDIR','/WORKDIR','running',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79541484516794180867e+09,NULL,1.79541484517810392375e+09,1.79541484539613437651e+09,NULL,NULL,'ra-job-9d3399a328bd','%5','tmux attach -t research-agent:ra-job-9d3399a328bd',NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'c9e3e3ffa7ab565705d37cf483969b9742ba91f53fea798b2f7c51e4f8a6c6d5',215,1,'{"pid":3478,"pid_start":2564281,"pgid":3500,"pgid_start":2564302,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":false}','{}');
INSERT INTO "runs" VALUES(7,'2751644375ef',29,'test','echo ready','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79541484572387075426e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,60.0,0,'[]',0,2,1,0,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(8,'0ea0e4920e63',31,'test','echo queued','/WORKDIR',NULL,'queued',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79541484575644707676e+09,1.79541484577913904195e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,3,'["2751644375ef"]',1,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(9,'288613203c72',51,'started #1','echo 0; exit 0','/WORKDIR','/WORKDIR','finished',0,NULL,NULL,NULL,'5af42b2108d7','{"x":0}',NULL,1.79541484579840683937e+09,1.7954148458578217029e+09,1.79541484594301319118e+09,1.79541484618989443779e+09,1.79541484624855017656e+09,NULL,'ra-job-288613203c72','%6','tmux attach -t research-agent:ra-job-288613203c72',0,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'f7ddce016e6121265275fb330f6b0f03e59c8e16c095a44c507484c244f4aa42',323,2,'{"pid":3553,"pid_start":2564359,"pgid":3574,"pgid_start":2564380,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(10,'611aeece0f0b',55,'started #2','echo 1; exit 1','/WORKDIR','/WORKDIR','failed',0,NULL,NULL,NULL,'5af42b2108d7','{"x":1}',NULL,1.79541484579840683937e+09,1.7954148458578217029e+09,1.79541484632062935825e+09,1.79541484654600286482e+09,1.7954148466312572956e+09,NULL,'ra-job-611aeece0f0b','%7','tmux attach -t research-agent:ra-job-611aeece0f0b',1,NULL,'exit code 1',NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'d9585b8f69f7d9c1b772ff688ac599a650f7e41f346a710ec79db3f45e25738c',330,2,'{"pid":3594,"pid_start":2564398,"pgid":3611,"pgid_start":2564416,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(11,'a30269d36530',59,'started #3','echo 2; exit 2','/WORKDIR','/WORKDIR','failed',0,NULL,NULL,NULL,'5af42b2108d7','{"x":2}',NULL,1.79541484579840683937e+09,1.7954148458578217029e+09,1.79541484666951131816e+09,1.79541484693064427383e+09,1.79541484703535461422e+09,NULL,'ra-job-a30269d36530','%8','tmux attach -t research-agent:ra-job-a30269d36530',2,NULL,'exit code 2',NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'9f40457d944d5a76d760d926ef508779a7927352e9242104815cd08132094f59',330,2,'{"pid":3628,"pid_start":2564431,"pgid":3651,"pgid_start":2564454,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":true}','{}');
INSERT INTO "runs" VALUES(12,'198637e6662a',61,'not started #1','echo 0; exit 0','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,'f6f76f978307','{"x":0}',NULL,1.79541484704412102699e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(13,'817f86e93bba',62,'not started #2','echo 1; exit 1','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,'f6f76f978307','{"x":1}',NULL,1.79541484704412102699e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(14,'bbb5e3356615',63,'not started #3','echo 2; exit 2','/WORKDIR',NULL,'ready',0,NULL,NULL,NULL,'f6f76f978307','{"x":2}',NULL,1.79541484704412102699e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(15,'740257c8a205',88,'on its way #1','echo 1000; sleep 1000','/WORKDIR','/WORKDIR','running',0,NULL,NULL,NULL,'98c8619f0211','{"x":1000}',NULL,1.79541484704780673984e+09,1.79541484705118060114e+09,1.79541484705702972411e+09,1.79541484724281907078e+09,NULL,NULL,'ra-job-740257c8a205','%9','tmux attach -t research-agent:ra-job-740257c8a205',NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,'19950315eff0606726da467b5be40d33b7fd02ffcfc1ddb4c7a0a0477778fc6e',214,1,'{"pid":3666,"pid_start":2564469,"pgid":3682,"pgid_start":2564485,"boot_id":"a-boot-long-ago"}','{"keys":{},"non_finite":{},"complete":true,"final":false}','{}');
INSERT INTO "runs" VALUES(16,'eec9c7436a87',84,'on its way #2','echo 0; sleep 0','/WORKDIR',NULL,'queued',0,NULL,NULL,NULL,'98c8619f0211','{"x":0}',NULL,1.79541484704780673984e+09,1.79541484705118060114e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,1,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(17,'96b090b124f3',85,'on its way #3','echo 0.01; sleep 0.01','/WORKDIR',NULL,'queued',0,NULL,NULL,NULL,'98c8619f0211','{"x":0.01}',NULL,1.79541484704780673984e+09,1.79541484705118060114e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,1,NULL,NULL,0,0,NULL,NULL,'{}');
INSERT INTO "runs" VALUES(18,'81360e7efa1f',93,'claimed','echo launched','/WORKDIR',NULL,'launching',0,NULL,NULL,NULL,NULL,NULL,NULL,1.79541484731913185118e+09,NULL,1.79541484733320379262e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',NULL,NULL,0,'[]',0,0,1,NULL,NULL,0,NULL,NULL,0,0,NULL,NULL,'{}');
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
    env              TEXT    NOT NULL DEFAULT '{}'        -- for its runs; never shown
);
INSERT INTO "sweeps" VALUES(1,'5af42b2108d7',36,'started','echo {x}; exit {x}','/WORKDIR','{"x":[0,1,2]}','grid',NULL,NULL,3,1,0,1.79541484579788446426e+09,1.79541484585753870011e+09,NULL,NULL,0,NULL,NULL,NULL,'{}','{}');
INSERT INTO "sweeps" VALUES(2,'f6f76f978307',60,'not started','echo {x}; exit {x}','/WORKDIR','{"x":[0,1,2]}','grid',NULL,NULL,3,NULL,0,1.79541484704392480852e+09,NULL,NULL,NULL,0,NULL,NULL,NULL,'{}','{}');
INSERT INTO "sweeps" VALUES(3,'98c8619f0211',68,'on its way','echo {x}; sleep {x}','/WORKDIR','{"x":[1000,0,0.01]}','grid',NULL,NULL,3,1,0,1.79541484704761385919e+09,1.79541484705112171175e+09,NULL,NULL,0,NULL,NULL,NULL,'{}','{}');
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
CREATE UNIQUE INDEX alerts_rev ON alerts (rev);
CREATE INDEX alerts_run ON alerts (run_id, n);
CREATE INDEX alerts_status ON alerts (status, n);
CREATE INDEX alerts_rule ON alerts (rule, key) WHERE rule IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',18);
INSERT INTO "sqlite_sequence" VALUES('sweeps',3);
INSERT INTO "sqlite_sequence" VALUES('alerts',2);
COMMIT;
PRAGMA user_version = 1;
