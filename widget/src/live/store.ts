import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Client } from "../api/client";
import type { Event, Run } from "../api/records";
import {
  ALL,
  extended,
  type Filter,
  queryOf,
  type Runs,
  runsOf,
  type Selection,
  toggled,
  visible,
  withChanges,
  withPage,
} from "./runs";

const FIRST_PAGE = 100;
const PAGE = 500;
const LARGEST_PAGE = 1_000;

/** The runs that are shown, as signals. What changes while a page is on its way wins over the page. */
export class RunStore {
  private readonly current = signal<Runs>(runsOf(ALL));
  private readonly chosen = signal<Selection>(new Set());
  private readonly busy = signal(false);
  private anchor = "";
  private abort = new AbortController();
  private calls = 0;
  private meanwhile: Run[] = [];

  readonly runs: ReadonlySignal<Runs> = this.current;
  /** Whether a page is on its way. */
  readonly loading: ReadonlySignal<boolean> = this.busy;
  readonly selection: ReadonlySignal<Selection> = computed(() => visible(this.chosen.value, this.current.value.shown));

  constructor(
    private readonly client: Client,
    private readonly firstPage = FIRST_PAGE,
  ) {}

  /** Nothing is asked for any more. */
  close(): void {
    this.calls++;
    this.abort.abort();
  }

  /** Show others. Raises as calls do; a later call of it ends this one without a word. */
  async filter(filter: Filter): Promise<void> {
    this.current.value = runsOf(filter);
    await this.load(runsOf(filter), 1);
  }

  /** Ask again for all that is shown, in as few calls as that takes. */
  async reload(): Promise<void> {
    const { filter, shown } = this.current.peek();
    await this.load(runsOf(filter), shown.length);
  }

  /** The page below. With a tag, which the server does not filter by, as many as it takes to find some. */
  async more(): Promise<void> {
    const state = this.current.peek();
    if (this.busy.peek() || state.next === null) return;
    await this.load(state, state.shown.length + 1);
  }

  /** What an event stream told. */
  take(events: readonly Event[]): void {
    const changes = events.flatMap(({ run }) => (run ? [run] : []));
    this.change(changes);
  }

  /** What a call answered: shown at once, before its event comes. */
  change(runs: readonly Run[]): void {
    if (this.busy.peek()) this.meanwhile.push(...runs);
    this.current.value = withChanges(this.current.peek(), runs);
  }

  toggle(id: string): void {
    this.anchor = id;
    this.chosen.value = toggled(this.selection.peek(), id);
  }

  /** As a click with Shift does: from the last one that was toggled. */
  extend(to: string): void {
    this.chosen.value = extended(this.selection.peek(), this.current.peek().shown, this.anchor, to);
  }

  /** All that are shown, or none. */
  selectAll(all: boolean): void {
    this.chosen.value = new Set(all ? this.current.peek().shown.map((run) => run.id) : []);
  }

  /** From `state` on, until `count` runs are shown or there are no more. */
  private async load(state: Runs, count: number): Promise<void> {
    this.abort.abort();
    const abort = (this.abort = new AbortController());
    const call = ++this.calls;
    this.busy.value = true;
    this.meanwhile = [];
    try {
      for (let least = state.shown.length === 0 ? this.firstPage : PAGE; ; least = PAGE) {
        const limit = Math.min(Math.max(count - state.shown.length, least), LARGEST_PAGE);
        const query = { ...(state.next ?? queryOf(state.filter)), limit: String(limit) };
        const { items, next } = await this.client.page("/runs", { query: query as object, signal: abort.signal });
        if (call !== this.calls) return;
        state = withPage(state, items, next);
        if (state.next === null || state.shown.length >= count) break;
      }
      batch(() => {
        this.current.value = withChanges(state, this.meanwhile);
        this.busy.value = false;
      });
    } catch (problem) {
      if (call === this.calls) {
        this.busy.value = false;
        throw problem;
      }
    }
  }
}
