import type { Run } from "../../src/api/records";

/** A run that is `ready`, but for what is said. */
export function run(id: string, more: Partial<Run> = {}): Run {
  return {
    id,
    name: `run ${id}`,
    command: "true",
    status: "ready",
    created_at: 0,
    is_archived: false,
    tags: [],
    sweep_id: null,
    ...more,
  } as Run;
}
