import type { components } from "./schema";

type Schemas = components["schemas"];

export type Run = Schemas["Run"];
export type RunStatus = Schemas["RunStatus"];
export type Sweep = Schemas["Sweep"];
export type Alert = Schemas["Alert"];
export type Event = Schemas["Event"];
export type LogEvent = Schemas["LogEvent"];
export type LogPage = Schemas["LogPage"];
export type LogMatches = Schemas["LogMatches"];

/** Statuses that never change again; and those in which the command is at work, or about to be. */
export const ENDED: ReadonlySet<RunStatus> = new Set(["finished", "failed", "stopped"]);
export const ACTIVE: ReadonlySet<RunStatus> = new Set(["launching", "running"]);
