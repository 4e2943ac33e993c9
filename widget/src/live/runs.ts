import type { Run, RunStatus } from "../api/records";

/** Which runs are shown. What is empty asks for nothing. */
export interface Filter {
  readonly statuses: readonly RunStatus[];
  /** Part of a name or command, in any case. */
  readonly text: string;
  readonly tag: string;
  readonly sweep: string;
  /** The archived ones too. */
  readonly archived: boolean;
  /** Made from this run. */
  readonly parent?: string;
}

export const ALL: Filter = { statuses: [], text: "", tag: "", sweep: "", archived: false };

/** The query of a call of `/runs`. */
export type Query = Readonly<Record<string, string>>;

export interface Runs {
  readonly filter: Filter;
  /** Newest first: all that match, down to the last that was loaded. */
  readonly shown: readonly Run[];
  /** What to ask for the runs below those; null when there are none. */
  readonly next: Query | null;
}

export function runsOf(filter: Filter): Runs {
  return { filter, shown: [], next: queryOf(filter) };
}

/** What the server can filter by, it does: not by tags. */
export function queryOf(filter: Filter): Query {
  return {
    ...(filter.statuses.length > 0 && { status: filter.statuses.join(",") }),
    ...(filter.text !== "" && { q: filter.text }),
    ...(filter.sweep !== "" && { sweep_id: filter.sweep }),
    ...(filter.parent !== undefined && { parent_run_id: filter.parent }),
    ...(filter.archived && { archived: "true" }),
  };
}

/** Whether the server would list it, and it has the tag. */
export function matches(run: Run, { statuses, text, tag, sweep, archived, parent }: Filter): boolean {
  const wanted = text.toLowerCase();
  return (
    (archived || !run.is_archived) &&
    (parent === undefined || run.parent_run_id === parent) &&
    (statuses.length === 0 || statuses.includes(run.status)) &&
    (sweep === "" || run.sweep_id === sweep) &&
    (tag === "" || run.tags.includes(tag)) &&
    (wanted === "" || run.name.toLowerCase().includes(wanted) || run.command.toLowerCase().includes(wanted))
  );
}

/** With the page below what is shown. */
export function withPage(state: Runs, page: readonly Run[], next: Query | null): Runs {
  const known = new Set(state.shown.map((run) => run.id));
  const added = page.filter((run) => !known.has(run.id) && matches(run, state.filter));
  return { ...state, shown: [...state.shown, ...added], next };
}

/** With runs as they are now, the latest change last: those that match no more go, new ones come to their place. */
export function withChanges(state: Runs, changes: readonly Run[]): Runs {
  if (changes.length === 0) return state;
  const news = new Map(changes.map((run) => [run.id, run]));
  const kept = state.shown.flatMap((run) => {
    const now = news.get(run.id);
    if (now === undefined) return [run];
    news.delete(run.id);
    return matches(now, state.filter) ? [now] : [];
  });
  const last = state.shown.at(-1);
  const isBelow = (run: Run): boolean =>
    state.next !== null && (last === undefined || run.created_at < last.created_at);
  // Of one moment, as a sweep's are, the later told is the newer. A stable sort keeps that.
  const added = [...news.values()].reverse().filter((run) => matches(run, state.filter) && !isBelow(run));
  if (added.length === 0) return { ...state, shown: kept };
  return { ...state, shown: [...added, ...kept].sort((one, other) => other.created_at - one.created_at) };
}

// -- selection -----------------------------------------------------------------------------------------------

export type Selection = ReadonlySet<string>;

export function toggled(selection: Selection, id: string): Selection {
  const result = new Set(selection);
  if (!result.delete(id)) result.add(id);
  return result;
}

/** With all from one run to another, as they are shown. */
export function extended(selection: Selection, shown: readonly Run[], from: string, to: string): Selection {
  const ends = [shown.findIndex((run) => run.id === from), shown.findIndex((run) => run.id === to)];
  if (ends.includes(-1)) return toggled(selection, to);
  const between = shown.slice(Math.min(...ends), Math.max(...ends) + 1);
  return new Set([...selection, ...between.map((run) => run.id)]);
}

/** Without those that are not shown any more: nothing is done to what nobody sees. */
export function visible(selection: Selection, shown: readonly Run[]): Selection {
  const kept = shown.filter((run) => selection.has(run.id));
  return kept.length === selection.size ? selection : new Set(kept.map((run) => run.id));
}
