// Generated from docs/openapi.json by `npm run types`.

export interface paths {
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Health; more of it for who is logged in
         * @description To who isn't logged in, that the server lives, and no more.
         */
        get: operations["get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Chat sessions: none here
         * @description Empty: a failure would send the UI to its settings page.
         */
        get: operations["get_sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow all changes, and logs
         * @description Runs, alerts and sweeps. A slow reader gets the newest state of each, not each step of it.
         *
         *     Of the logs that are asked for, all that `/runs/{run_id}/logs/stream` tells; the stream goes on when
         *     they are done. The `id:` holds a byte offset of each, `123,RUN@456`: who comes back with it, as
         *     `Last-Event-ID`, goes on there. Which logs are told of, the URL says, and where one begins that the
         *     `id:` does not name.
         */
        get: operations["get_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This document
         * @description OpenAPI 3.1.
         */
        get: operations["get_openapi_json"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/app": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The panel, as a page
         * @description HTML. What it shows, it asks the other routes for.
         */
        get: operations["get_app"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/app.webmanifest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The panel's web app manifest
         * @description A browser asks for it with the page's cookie.
         */
        get: operations["get_app_webmanifest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/panel.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The panel, as a module
         * @description Its name stays, and its content leads to the files of the newest build.
         */
        get: operations["get_panel_js"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/static/{bundle}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A file of the panel
         * @description A script's name holds a hash of its content, so that a browser may keep it for good.
         */
        get: operations["get_static_bundle"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List runs, newest first
         * @description A page of runs; where older ones follow, the Link header says how to get them.
         *
         *     It has less than `limit` when its commands are very long.
         */
        get: operations["get_runs"];
        put?: never;
        /**
         * Create a run
         * @description A run that is `ready`, or started at once with `auto_start`.
         */
        post: operations["post_runs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a run
         * @description The run as it is now.
         */
        get: operations["get_run"];
        /**
         * Edit a run
         * @description Change what the body names.
         */
        put: operations["put_run"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/queue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Queue a run
         * @description The queued run, with a message beside its fields.
         */
        post: operations["post_run_queue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a run
         * @description The run, launched; or queued, if no slot is free.
         */
        post: operations["post_run_start"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop a run
         * @description An active run ends within its grace times; its status follows.
         */
        post: operations["post_run_stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/rerun": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rerun a run
         * @description The new run.
         */
        post: operations["post_run_rerun"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/archive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Archive a run
         * @description The archived run.
         */
        post: operations["post_run_archive"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/unarchive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Unarchive a run
         * @description The run, as before.
         */
        post: operations["post_run_unarchive"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report a run's status
         * @description Take a report from who has the run's token; from anyone else only with a login.
         */
        post: operations["post_run_status"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/terminal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Open a terminal on a run's window
         * @description It is at `/terminals/websocket/{name}` of the server, until `DELETE /api/terminals/{name}`, which
         *     does nothing to the run, or until the window closes.
         */
        post: operations["post_run_terminal"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/add-to-sweep": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Add a run to a sweep
         * @description Not while it is active in another one.
         */
        post: operations["post_run_add_to_sweep"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a page of a log
         * @description The characters whose first byte lies in the asked range.
         */
        get: operations["get_run_logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/logs/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow a log
         * @description Ends with `done` when the run has ended and all was sent.
         */
        get: operations["get_run_logs_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/logs/download": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download a log
         * @description As an attachment, never as anything that a browser would run.
         *
         *     The gap of a log that met its limit reads as zeros; the header X-RA-Log-Gap says where, as
         *     Content-Range would. One that grows into what is being sent breaks the connection off: the next
         *     answer's header tells of it.
         */
        get: operations["get_run_logs_download"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/logs/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search a log
         * @description Newest lines first.
         */
        get: operations["get_run_logs_search"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/sidecar-logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a page of a log
         * @description The characters whose first byte lies in the asked range.
         */
        get: operations["get_run_sidecar_logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/sidecar-logs/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow a log
         * @description Ends with `done` when the run has ended and all was sent.
         */
        get: operations["get_run_sidecar_logs_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/artifacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List a run's artifacts
         * @description What the run kept itself first, then what was found, the newest first.
         *
         *     When a bound kept some from being found, the header X-RA-Scan-Incomplete names it.
         */
        get: operations["get_run_artifacts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/artifacts/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Download an artifact
         * @description As an attachment, never as anything that a browser would run. `name` may hold slashes.
         *
         *     409 for a file outside of the run's own folders that was changed after the run's end: perhaps by
         *     another run. The message says where it lies.
         */
        get: operations["get_run_artifact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Raise an alert
         * @description With the choices to offer; the one that is taken goes to `alerts/<id>.response` in the run dir.
         */
        post: operations["post_run_alerts"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List alerts, newest first
         * @description Of all runs, pending and resolved, unless the query says otherwise.
         */
        get: operations["get_alerts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/alerts/{alert_id}/respond": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answer an alert
         * @description `Stop run` stops the run, `Rerun` of a rule's alert runs it again; any other is only handed on.
         */
        post: operations["post_alert_respond"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/cluster": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the cluster
         * @description As it was last said or detected, with a count of the runs.
         */
        get: operations["get_cluster"];
        put?: never;
        /**
         * Describe the cluster
         * @description Its source is `manual` from then on; what is left out stays, unless the type changes.
         */
        post: operations["post_cluster"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/cluster/detect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Detect the cluster
         * @description Asks the tools that are on PATH, for two seconds at most; notes stay.
         */
        post: operations["post_cluster_detect"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/runs/{run_id}/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a run's metrics
         * @description From the rows that were posted, and the run's JSON Lines, CSV, WandB and TensorBoard files.
         *
         *     A long series is thinned out, its first, last and extreme points kept.
         */
        get: operations["get_run_metrics"];
        put?: never;
        /**
         * Add to a run's metrics
         * @description All rows or none; a run of any status may get some.
         */
        post: operations["post_run_metrics"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/files/{sha256}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is a file there?
         * @description Asked before an upload. One that is there is kept for a day from now on, in any case.
         */
        get: operations["get_file"];
        /**
         * Upload a file
         * @description The body is its content, of which `sha256` is the hash in lower case (else 404); may be repeated.
         *
         *     Runs that name it in `files` have a copy in the folder RA_FILES_DIR.
         */
        put: operations["put_file"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List sweeps, newest first
         * @description Each as it stands.
         */
        get: operations["get_sweeps"];
        put?: never;
        /**
         * Create a sweep
         * @description With all of its runs, unless it is a draft; whole or not at all.
         */
        post: operations["post_sweeps"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/wild": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create an empty sweep
         * @description Runs are added one by one.
         */
        post: operations["post_sweeps_wild"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/{sweep_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a sweep
         * @description The sweep as it stands.
         */
        get: operations["get_sweep"];
        /**
         * Edit a sweep
         * @description Change what the body names; its structure only while it has no runs.
         */
        put: operations["put_sweep"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/{sweep_id}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a sweep
         * @description `parallel` at a time until all are done; a second start changes the number.
         */
        post: operations["post_sweep_start"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/{sweep_id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop a sweep
         * @description What is active is stopped, the rest taken out of the queue.
         */
        post: operations["post_sweep_stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/{sweep_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry a sweep's failed runs
         * @description Failed and stopped cells alone, as new runs in the same sweep.
         */
        post: operations["post_sweep_retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/{sweep_id}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create a run in a sweep
         * @description As POST /runs.
         */
        post: operations["post_sweep_runs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sweeps/{sweep_id}/table": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A sweep as a table
         * @description A row for each run; with `format=csv` a column for each parameter and metric.
         *
         *     Rows that have nothing in the column to sort by come last, those whose metric ended as NaN among them.
         */
        get: operations["get_sweep_table"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * ErrorBody
         * @description The body of every error; `detail` equals `message`.
         */
        ErrorBody: {
            message: string;
            reason: string;
            detail: string;
        };
        /**
         * Health
         * @description That the server lives; all but the first two only for who is logged in.
         */
        Health: {
            status: string;
            version: string;
            /** @default null */
            workdir?: string | null;
            /** @default null */
            tmux?: string | null;
            /** @default null */
            counts?: {
                [key: string]: number;
            } | null;
        };
        /**
         * Event
         * @description Something that changed. After a `reset` the reader has missed too much: it lists everything afresh.
         *
         *     One of type `log` is an event of the log of the run `run_id`; a `reset` says nothing of logs.
         */
        Event: {
            /** @enum {unknown} */
            type: "alert" | "log" | "reset" | "run" | "sweep";
            /** @default null */
            run?: components["schemas"]["Run"] | null;
            /** @default null */
            alert?: components["schemas"]["Alert"] | null;
            /** @default null */
            sweep?: components["schemas"]["Sweep"] | null;
            /** @default null */
            run_id?: string | null;
            /** @default null */
            log?: components["schemas"]["LogEvent"] | null;
        };
        /**
         * Run
         * @description One command, run once.
         */
        Run: {
            id: string;
            name: string;
            command: string;
            workdir: string;
            status: components["schemas"]["RunStatus"];
            is_archived: boolean;
            /** @default null */
            archived_at?: number | null;
            parent_run_id: string | null;
            origin_alert_id: string | null;
            sweep_id: string | null;
            sweep_params: Record<string, unknown> | null;
            chat_session_id: string | null;
            created_at: number;
            /** @default null */
            queued_at?: number | null;
            /** @default null */
            launched_at?: number | null;
            /** @default null */
            started_at?: number | null;
            /** @default null */
            ended_at?: number | null;
            /** @default null */
            stopped_at?: number | null;
            /** @default null */
            stop_requested_at?: number | null;
            tmux_window: string | null;
            tmux_pane: string | null;
            run_dir: string;
            exit_code: number | null;
            error: string | null;
            wandb_dir: string | null;
            gpuwrap_config: Record<string, unknown> | null;
            signal: string | null;
            progress: number | null;
            attach_command: string | null;
            queue_position: number | null;
            tags: string[];
            notes: string | null;
            /** @default null */
            timeout_seconds?: number | null;
            /** @default 0 */
            priority?: number;
            /** @default [] */
            after?: string[];
            /** @default 0 */
            max_retries?: number;
            /** @default 1 */
            attempt?: number;
            /** @default null */
            gpus?: number | null;
            /** @default null */
            gpu_ids?: string[] | null;
            /** @default {} */
            files?: {
                [key: string]: string;
            };
        };
        /**
         * RunStatus
         * @description Where a run stands. The values are the contract's words.
         * @enum {unknown}
         */
        RunStatus: "failed" | "finished" | "launching" | "queued" | "ready" | "running" | "stopped";
        /**
         * Alert
         * @description Something that somebody should decide; `rule` is null when a caller raised it.
         */
        Alert: {
            id: string;
            run_id: string;
            timestamp: number;
            /** @enum {unknown} */
            severity: "critical" | "info" | "warning";
            message: string;
            choices: string[];
            /** @enum {unknown} */
            status: "pending" | "resolved";
            response: string | null;
            responded_at: number | null;
            session_id: string | null;
            /** @default false */
            auto_session?: boolean;
            rule: string | null;
        };
        /**
         * Sweep
         * @description The runs of one grid. `status`, `progress` and the times are computed from them.
         */
        Sweep: {
            id: string;
            name: string;
            base_command: string;
            workdir: string;
            parameters: Record<string, unknown>;
            run_ids: string[];
            /** @enum {unknown} */
            status: "canceled" | "completed" | "draft" | "failed" | "pending" | "running";
            created_at: number;
            /** @default null */
            started_at?: number | null;
            /** @default null */
            completed_at?: number | null;
            max_runs: number | null;
            goal: string | null;
            is_wild: boolean;
            chat_session_id: string | null;
            ui_config: Record<string, unknown> | null;
            creation_context: Record<string, unknown> | null;
            progress: components["schemas"]["Progress"];
            parallel: number | null;
            /** @enum {unknown} */
            method: "grid" | "random" | "zip";
            seed: number | null;
            total_combinations: number | null;
            /** @default {} */
            run_options?: Record<string, unknown>;
        };
        /**
         * Progress
         * @description How many cells of a sweep stand where; a cell that was retried stands where its last run does.
         */
        Progress: {
            total: number;
            completed: number;
            failed: number;
            running: number;
            launching: number;
            ready: number;
            queued: number;
            canceled: number;
        };
        /**
         * LogEvent
         * @description An event of a log stream.
         *
         *     One of type `gap` stands for the bytes between its offsets, which were given back to the disk before the
         *     reader came to them. The field `gap`, in `initial`, says to which bytes of the log that has happened.
         */
        LogEvent: {
            /** @enum {unknown} */
            type: "delta" | "done" | "error" | "gap" | "initial";
            /** @default null */
            content?: string | null;
            /** @default null */
            offset?: number | null;
            /** @default null */
            next_offset?: number | null;
            /** @default null */
            gap?: components["schemas"]["LogGap"] | null;
            /** @default null */
            status?: components["schemas"]["RunStatus"] | null;
            /** @default null */
            error?: string | null;
        };
        /**
         * LogGap
         * @description The bytes of a log, from `start` up to `end`, that were given back to the disk (`max_log_bytes`).
         */
        LogGap: {
            start: number;
            end: number;
        };
        /**
         * AppManifest
         * @description The page as an app of its own, on a phone or a desktop: https://www.w3.org/TR/appmanifest/.
         */
        AppManifest: {
            id: string;
            name: string;
            start_url: string;
            scope: string;
            /** @default Runs */
            short_name?: string;
            /** @default standalone */
            display?: string;
            /** @default #fcfcfd */
            background_color?: string;
            /** @default #fcfcfd */
            theme_color?: string;
            icons?: components["schemas"]["AppIcon"][];
        };
        /**
         * AppIcon
         * @description The one picture, of any size.
         */
        AppIcon: {
            /** @default data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='8' fill='%233b63c4'/%3E%3Cpath d='M9 10h9M9 16h14M9 22h6' stroke='white' stroke-width='3' stroke-linecap='round'/%3E%3C/svg%3E */
            src?: string;
            /** @default any */
            sizes?: string;
            /** @default image/svg+xml */
            type?: string;
            /** @default any */
            purpose?: string;
        };
        /**
         * NewRun
         * @description What a caller says of a run to create.
         */
        NewRun: {
            /** @default [] */
            tags?: string[];
            /** @default null */
            timeout_seconds?: number | null;
            /**
             * @description Higher ones leave the queue first.
             * @default 0
             */
            priority?: number;
            /**
             * @description Runs that must have finished first.
             * @default []
             */
            after?: string[];
            /**
             * @description How often to run again what failed.
             * @default 0
             */
            max_retries?: number;
            /** @default null */
            gpus?: number | null;
            /**
             * @description Copied to RA_FILES_DIR: by name, the SHA-256 of files that were PUT to /files.
             * @default {}
             */
            files?: {
                [key: string]: string;
            };
            name: string;
            /** @description As a shell takes it: `bash -c COMMAND`. */
            command: string;
            /** @default null */
            workdir?: string | null;
            /** @default null */
            sweep_id?: string | null;
            /** @default null */
            parent_run_id?: string | null;
            /** @default null */
            origin_alert_id?: string | null;
            /** @default null */
            chat_session_id?: string | null;
            /** @default false */
            auto_start?: boolean;
            /** @default null */
            gpuwrap_config?: Record<string, unknown> | null;
            /** @default null */
            env?: {
                [key: string]: string;
            } | null;
            /** @default null */
            notes?: string | null;
        };
        /**
         * RunEdit
         * @description What a caller changes of a run; what is left out stays.
         */
        RunEdit: {
            name?: string;
            /** @description As a shell takes it: `bash -c COMMAND`. */
            command?: string;
            workdir?: string;
            tags?: string[];
            notes?: string | null;
            /** @description Higher ones leave the queue first. */
            priority?: number;
        };
        /**
         * QueuedRun
         * @description A run, with a word on what was done.
         */
        QueuedRun: {
            id: string;
            name: string;
            command: string;
            workdir: string;
            status: components["schemas"]["RunStatus"];
            is_archived: boolean;
            /** @default null */
            archived_at?: number | null;
            parent_run_id: string | null;
            origin_alert_id: string | null;
            sweep_id: string | null;
            sweep_params: Record<string, unknown> | null;
            chat_session_id: string | null;
            created_at: number;
            /** @default null */
            queued_at?: number | null;
            /** @default null */
            launched_at?: number | null;
            /** @default null */
            started_at?: number | null;
            /** @default null */
            ended_at?: number | null;
            /** @default null */
            stopped_at?: number | null;
            /** @default null */
            stop_requested_at?: number | null;
            tmux_window: string | null;
            tmux_pane: string | null;
            run_dir: string;
            exit_code: number | null;
            error: string | null;
            wandb_dir: string | null;
            gpuwrap_config: Record<string, unknown> | null;
            signal: string | null;
            progress: number | null;
            attach_command: string | null;
            queue_position: number | null;
            tags: string[];
            notes: string | null;
            /** @default null */
            timeout_seconds?: number | null;
            /** @default 0 */
            priority?: number;
            /** @default [] */
            after?: string[];
            /** @default 0 */
            max_retries?: number;
            /** @default 1 */
            attempt?: number;
            /** @default null */
            gpus?: number | null;
            /** @default null */
            gpu_ids?: string[] | null;
            /** @default {} */
            files?: {
                [key: string]: string;
            };
            message: string;
        };
        /**
         * Nothing
         * @description A body or query without fields.
         */
        Nothing: Record<string, unknown>;
        /**
         * RunStarted
         * @description The answer to a start; `tmux_window` is null while the run waits for a free slot.
         */
        RunStarted: {
            message: string;
            tmux_window: string | null;
            run: components["schemas"]["Run"];
        };
        /**
         * RunMessage
         * @description An answer that says what was done, with the run as it now is.
         */
        RunMessage: {
            message: string;
            run: components["schemas"]["Run"];
        };
        /**
         * RerunOptions
         * @description How a rerun differs from the run that it repeats.
         */
        RerunOptions: {
            /** @default null */
            command?: string | null;
            /** @default false */
            auto_start?: boolean;
            /** @default null */
            origin_alert_id?: string | null;
            /** @default null */
            gpuwrap_config?: Record<string, unknown> | null;
        };
        /**
         * Message
         * @description An answer that only says what was done.
         */
        Message: {
            message: string;
        };
        /**
         * Report
         * @description One event: a line of the spool, and the body of the sidecar's callback.
         */
        Report: {
            status: components["schemas"]["RunStatus"];
            /** @default null */
            seq?: number | null;
            /** @default null */
            time?: number | null;
            /** @default null */
            exit_code?: number | null;
            /** @default null */
            signal?: string | null;
            /** @default null */
            error?: string | null;
            /** @default null */
            tmux_pane?: string | null;
            /** @default null */
            wandb_dir?: string | null;
            /** @default null */
            sidecar?: components["schemas"]["SidecarIdentity"] | null;
        };
        /**
         * SidecarIdentity
         * @description Which processes a run is, beyond doubt: a pid alone may have been given to another process.
         *
         *     The start times are clock ticks since boot, field 22 of proc(5)'s `stat`; `boot_id` is
         *     `/proc/sys/kernel/random/boot_id`.
         */
        SidecarIdentity: {
            pid: number;
            pid_start: number;
            pgid: number;
            pgid_start: number;
            boot_id: string;
        };
        /**
         * RunTerminal
         * @description A terminal of Jupyter's, by the name that its own routes take.
         */
        RunTerminal: {
            name: string;
        };
        /**
         * LogPage
         * @description A piece of a log. All numbers are bytes of the file, whatever `content` decodes to.
         *
         *     `gap` is there once the log has one, wherever the page is. Nothing in the gap is content: a page that lies
         *     in it is empty, `offset` is where the gap starts, and `next_offset` where it ends.
         */
        LogPage: {
            content: string;
            offset: number;
            total_size: number;
            has_more_before: boolean;
            has_more_after: boolean;
            next_offset: number;
            /** @default null */
            gap?: components["schemas"]["LogGap"] | null;
        };
        /**
         * LogMatches
         * @description A page of found lines, newest first; `complete` when the log's beginning was reached.
         *
         *     `gap` is there once the log has one: in it nothing is found.
         */
        LogMatches: {
            matches: components["schemas"]["LogMatch"][];
            next_before: number | null;
            complete: boolean;
            /** @default null */
            gap?: components["schemas"]["LogGap"] | null;
        };
        /**
         * LogMatch
         * @description One line that a search found; `offset` is the byte at which the line begins.
         */
        LogMatch: {
            offset: number;
            line: string;
        };
        /**
         * Artifact
         * @description A file that a run left behind. `certain` is false when another run could have written it.
         */
        Artifact: {
            name: string;
            path: string;
            /** @enum {unknown} */
            type: "checkpoint" | "metrics" | "other" | "wandb";
            size: number;
            modified_at: number;
            certain: boolean;
        };
        /**
         * AlertRaised
         * @description The answer to a new alert.
         */
        AlertRaised: {
            alert_id: string;
        };
        /**
         * NewAlert
         * @description What a caller says of an alert to raise.
         */
        NewAlert: {
            message: string;
            choices: string[];
            /**
             * @default warning
             * @enum {unknown}
             */
            severity?: "critical" | "info" | "warning";
        };
        /**
         * AlertAnswer
         * @description What somebody decided: one of the alert's choices.
         */
        AlertAnswer: {
            choice: string;
        };
        /**
         * ClusterState
         * @description The cluster, and what runs on it.
         */
        ClusterState: {
            cluster: components["schemas"]["Cluster"];
            run_summary: components["schemas"]["RunSummary"];
        };
        /**
         * Cluster
         * @description What the runs run on, as somebody said or as it was detected; `confidence` is 0..1.
         */
        Cluster: {
            /**
             * @default unknown
             * @enum {unknown}
             */
            type?: "kubernetes" | "local_gpu" | "ray" | "shared_head_node" | "slurm" | "unknown";
            /**
             * @default unknown
             * @enum {unknown}
             */
            status?: "degraded" | "healthy" | "offline" | "unknown";
            /**
             * @default unset
             * @enum {unknown}
             */
            source?: "detected" | "manual" | "unset";
            /** @default Unknown */
            label?: string;
            /** @default Nobody has said what this server's runs run on, and it was not detected. */
            description?: string;
            /** @default null */
            head_node?: string | null;
            /** @default null */
            node_count?: number | null;
            /** @default null */
            gpu_count?: number | null;
            /** @default null */
            notes?: string | null;
            /** @default null */
            confidence?: number | null;
            /** @default {} */
            details?: Record<string, unknown>;
            /** @default null */
            last_detected_at?: number | null;
            /** @default null */
            updated_at?: number | null;
        };
        /**
         * RunSummary
         * @description How many runs there are, and how many have which status; `total` counts the stopped ones too.
         */
        RunSummary: {
            total: number;
            running: number;
            launching: number;
            queued: number;
            ready: number;
            failed: number;
            finished: number;
        };
        /**
         * ClusterEdit
         * @description What somebody says of the cluster; what is left out stays.
         */
        ClusterEdit: {
            /** @enum {unknown} */
            type?: "kubernetes" | "local_gpu" | "ray" | "shared_head_node" | "slurm" | "unknown";
            /** @enum {unknown} */
            status?: "degraded" | "healthy" | "offline" | "unknown";
            label?: string;
            description?: string;
            head_node?: string | null;
            node_count?: number | null;
            gpu_count?: number | null;
            notes?: string | null;
            details?: Record<string, unknown>;
        };
        /**
         * RunMetrics
         * @description The metrics of a run; the first four are all there, or without any metrics none.
         *
         *     `metrics` holds the last values, without those that are no finite numbers. `complete` false: there is more
         *     to read, so ask again. `notes` say what was left out. `nonFinite` has, of the metrics that were asked for,
         *     those whose newest value is NaN or infinite, and the first step at which one was; some have no point.
         */
        RunMetrics: {
            metricSeries?: {
                [key: string]: components["schemas"]["MetricPoint"][];
            };
            metricKeys?: string[];
            lossHistory?: components["schemas"]["LossPoint"][];
            metrics?: {
                [key: string]: number;
            };
            /** @default true */
            complete?: boolean;
            /** @default [] */
            notes?: string[];
            /** @default {} */
            nonFinite?: {
                [key: string]: number;
            };
        };
        /**
         * MetricPoint
         * @description A value, and the step at which it was reached.
         */
        MetricPoint: {
            step: number;
            value: number;
        };
        /**
         * LossPoint
         * @description The training loss at a step, and the validation loss where it was taken.
         */
        LossPoint: {
            step: number;
            trainLoss: number;
            /** @default null */
            valLoss?: number | null;
        };
        /**
         * MetricRows
         * @description Rows of metrics to add: numbers by name, and the step as `step` or `epoch`.
         */
        MetricRows: {
            rows: Record<string, unknown>[];
        };
        /**
         * StoredFile
         * @description A file that runs can be given; `size` is in bytes.
         */
        StoredFile: {
            sha256: string;
            size: number;
        };
        /**
         * NewSweep
         * @description What a caller says of a sweep to create.
         */
        NewSweep: {
            /** @default [] */
            tags?: string[];
            /** @default null */
            timeout_seconds?: number | null;
            /**
             * @description Higher ones leave the queue first.
             * @default 0
             */
            priority?: number;
            /**
             * @description Runs that must have finished first.
             * @default []
             */
            after?: string[];
            /**
             * @description How often to run again what failed.
             * @default 0
             */
            max_retries?: number;
            /** @default null */
            gpus?: number | null;
            /**
             * @description Copied to RA_FILES_DIR: by name, the SHA-256 of files that were PUT to /files.
             * @default {}
             */
            files?: {
                [key: string]: string;
            };
            name: string;
            /** @description As a shell takes it: `bash -c COMMAND`. */
            base_command: string;
            /** @default null */
            workdir?: string | null;
            parameters: Record<string, unknown>;
            /** @default null */
            max_runs?: number | null;
            /** @default false */
            auto_start?: boolean;
            /** @default null */
            goal?: string | null;
            /**
             * @default pending
             * @enum {unknown}
             */
            status?: "draft" | "pending" | "running";
            /** @default null */
            ui_config?: Record<string, unknown> | null;
            /** @default null */
            creation_context?: Record<string, unknown> | null;
            /** @default null */
            chat_session_id?: string | null;
            /** @default null */
            parallel?: number | null;
            /**
             * @default grid
             * @enum {unknown}
             */
            method?: "grid" | "random" | "zip";
            /** @default null */
            seed?: number | null;
            /** @default null */
            env?: {
                [key: string]: string;
            } | null;
        };
        /**
         * NewWildSweep
         * @description An empty sweep, for runs that are added one by one.
         */
        NewWildSweep: {
            name: string;
            goal: string;
            /** @default null */
            chat_session_id?: string | null;
        };
        /**
         * SweepEdit
         * @description What a caller changes of a sweep; what is left out stays.
         */
        SweepEdit: {
            name?: string;
            /** @description As a shell takes it: `bash -c COMMAND`. */
            base_command?: string;
            workdir?: string;
            parameters?: Record<string, unknown>;
            max_runs?: number | null;
            goal?: string | null;
            /** @enum {unknown} */
            status?: "canceled" | "draft" | "pending" | "running";
            ui_config?: Record<string, unknown> | null;
        };
        /**
         * SweepStarted
         * @description The answer to a start.
         */
        SweepStarted: {
            message: string;
            sweep_id: string;
        };
        /**
         * SweepRow
         * @description One cell of a sweep's table. `duration` is in seconds, up to now while it runs.
         */
        SweepRow: {
            run_id: string;
            name: string;
            parameters: Record<string, unknown>;
            status: components["schemas"]["RunStatus"];
            exit_code: number | null;
            duration: number | null;
            retried: boolean;
            metrics: {
                [key: string]: number | null;
            };
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": string[];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_events: {
        parameters: {
            query?: {
                since?: number | null;
                /** @description Runs whose logs to follow too. `RUN` begins with the end of its log, `RUN@OFFSET` at that byte. */
                log?: string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": {
                        data: string;
                    };
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_openapi_json: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, unknown>;
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_app: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_app_webmanifest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/manifest+json": components["schemas"]["AppManifest"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_panel_js: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/javascript": string;
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_static_bundle: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                bundle: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/javascript": string;
                    "text/plain": string;
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_runs: {
        parameters: {
            query?: {
                /** @description The archived ones too. */
                archived?: boolean;
                /** @description At most 1,000; a higher one is lowered. */
                limit?: number;
                /** @description One status, or several with commas between. */
                status?: string | null;
                sweep_id?: string | null;
                id_prefix?: string | null;
                /** @description Those that run this one again. */
                parent_run_id?: string | null;
                q?: string | null;
                /** @description The last run of the page before. */
                before?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"][];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_runs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRun"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    put_run: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RunEdit"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_run_queue: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueuedRun"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_run_start: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunStarted"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_run_stop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunMessage"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_run_rerun: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RerunOptions"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_run_archive: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunMessage"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_run_unarchive: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunMessage"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_run_status: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Report"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_run_terminal: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunTerminal"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_run_add_to_sweep: {
        parameters: {
            query: {
                sweep_id: string;
            };
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_run_logs: {
        parameters: {
            query?: {
                /** @description In bytes; negative: from the end. */
                offset?: number | null;
                limit?: number | null;
            };
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogPage"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_run_logs_stream: {
        parameters: {
            query?: {
                offset?: number | null;
            };
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": {
                        data: string;
                    };
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_run_logs_download: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description The range that was asked for */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No such range */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_run_logs_search: {
        parameters: {
            query: {
                q: string;
                regex?: boolean;
                ignore_case?: boolean;
                before?: number | null;
                /** @description At most 1,000; a higher one is lowered. */
                limit?: number;
            };
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogMatches"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_run_sidecar_logs: {
        parameters: {
            query?: {
                /** @description In bytes; negative: from the end. */
                offset?: number | null;
                limit?: number | null;
            };
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogPage"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_run_sidecar_logs_stream: {
        parameters: {
            query?: {
                offset?: number | null;
            };
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": {
                        data: string;
                    };
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_run_artifacts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Artifact"][];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_run_artifact: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            /** @description The range that was asked for */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description No such range */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_run_alerts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAlert"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertRaised"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_alerts: {
        parameters: {
            query?: {
                status?: ("pending" | "resolved") | null;
                run_id?: string | null;
                /** @description At most 1,000; a higher one is lowered. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alert"][];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_alert_respond: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                alert_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AlertAnswer"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_cluster: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterState"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_cluster: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ClusterEdit"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterState"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_cluster_detect: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClusterState"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_run_metrics: {
        parameters: {
            query?: {
                /** @description Points of each series, about. */
                points?: number;
                keys?: string[];
            };
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RunMetrics"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_run_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                run_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MetricRows"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_file: {
        parameters: {
            query?: {
                /** @description Its bytes: one of another size is not it; too many are told before they are sent. */
                size?: number | null;
            };
            header?: never;
            path: {
                sha256: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoredFile"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    put_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sha256: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StoredFile"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_sweeps: {
        parameters: {
            query?: {
                /** @description At most 1,000; a higher one is lowered. */
                limit?: number;
                id_prefix?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sweep"][];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_sweeps: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSweep"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sweep"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_sweeps_wild: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewWildSweep"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sweep"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_sweep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sweep_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sweep"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    put_sweep: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sweep_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SweepEdit"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sweep"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_sweep_start: {
        parameters: {
            query?: {
                /** @description Runs at a time. */
                parallel?: number;
            };
            header?: never;
            path: {
                sweep_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepStarted"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_sweep_stop: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sweep_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sweep"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_sweep_retry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sweep_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sweep"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The state of the thing forbids it */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    post_sweep_runs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sweep_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewRun"];
            };
        };
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Run"];
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The disk takes nothing */
            507: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    get_sweep_table: {
        parameters: {
            query?: {
                format?: "csv" | "json";
                /** @description One status, or several with commas between. */
                status?: string | null;
                /** @description Which value of each metric. */
                metrics?: "last" | "max" | "min";
                /** @description A parameter, metric or other column; else the order of creation. */
                sort?: string | null;
                order?: "asc" | "desc";
                limit?: number | null;
            };
            header?: never;
            path: {
                sweep_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SweepRow"][];
                    "text/csv": string;
                };
            };
            /** @description Bad input; the message names the field */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Not logged in, or not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description There is no such thing */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The machine lacks something, tmux for one; too many streams; or the extension could not start */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
}
