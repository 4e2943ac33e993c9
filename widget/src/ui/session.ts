import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { Client } from "../api/client";
import type { Alert, Event, Run, Sweep } from "../api/records";
import type { components } from "../api/schema";
import { all } from "../live/all";
import type { OpenTerminal } from "../live/attachment";
import { Collection } from "../live/collection";
import type { Visibility } from "../live/connection";
import { type Channel, Events, type Listener } from "../live/events";
import { ALL, type Filter } from "../live/runs";
import { RunStore } from "../live/store";
import { type Known, Looks } from "./looks";
import type { Navigation } from "./navigation";
import { perform, type Verb, WORDS } from "./verbs";
import { Watch } from "./watch";

export type Health = components["schemas"]["Health"];

/** Something said in passing, perhaps with a way to undo what was done. */
export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
  readonly undo?: () => void;
}

/** No run goes back in this but one that its server launches again, as an event tells. */
const ORDER = { ready: 0, queued: 1, launching: 2, running: 3, finished: 4, failed: 4, stopped: 4 } as const;
const ASKED_AGAIN = 5_000;
const COUNTED_AFTER = 1_000;
const AT_ONCE = 4;
const NOTICE_STAYS = 6_000;
const ERROR_STAYS = 12_000;

/** All that one panel knows and does, whichever of its views is shown. */
export class Session {
  readonly store: RunStore;
  readonly sweeps: Collection<Sweep>;
  readonly alerts: Collection<Alert>;
  readonly events: Channel;
  readonly watch: Watch;
  private readonly said = signal<readonly Notice[]>([]);
  private readonly known = signal<Health | null>(null);
  private readonly looks: Looks<Run>;
  private readonly followed = new Set<RunStore>();
  private readonly problem = signal<Error | null>(null);
  private counting: ReturnType<typeof setTimeout> | undefined;
  private notes = 0;

  readonly notices: ReadonlySignal<readonly Notice[]> = this.said;
  /** How the server is, with its counts of runs; null until it said. */
  readonly health: ReadonlySignal<Health | null> = this.known;
  /** Where the list of runs was left, as an address. */
  readonly back = signal("#/runs");
  /** Why the list of runs could not be had, when it could not. */
  readonly listing: ReadonlySignal<Error | null> = this.problem;

  constructor(
    readonly client: Client,
    readonly visibility: Visibility,
    readonly navigation: Navigation,
    /** Who tells what changes; by default, a stream of its own. */
    join: (listener: Listener) => Channel = (listener) => new Events(client, listener, visibility),
    /** Without it, the host has no tabs for terminals. */
    readonly openTerminal?: OpenTerminal,
  ) {
    this.store = new RunStore(client);
    this.sweeps = new Collection(() => client.get("/sweeps", { query: { limit: 200 } }));
    this.alerts = new Collection(
      () => client.get("/alerts", { query: { status: "pending" } }),
      (alert) => alert.status === "pending",
    );
    this.looks = new Looks(
      (id) => client.get("/runs/{run_id}", { path: { run_id: id } }),
      (id) => this.store.runs.peek().shown.find((run) => run.id === id),
    );
    this.watch = new Watch(this, `ra-jobs watched ${client.base}`);
    this.events = join({
      changed: (events) => this.changed(events),
      reload: () => this.reload(),
      kept: () => this.watch.watched.peek().size > 0,
    });
    void this.filter(ALL);
    void this.also().catch(() => undefined); // a reload asks for it too
  }

  close(): void {
    clearTimeout(this.counting);
    this.events.close();
    this.watch.close();
  }

  /** Show these runs; what goes wrong is in `listing`. */
  async filter(filter: Filter): Promise<void> {
    await this.listed(this.store.filter(filter));
  }

  async more(): Promise<void> {
    await this.listed(this.store.more());
  }

  /** Show these in the store, as they are now and will be, until the function that it gives is called. */
  follow(store: RunStore, filter: Filter): () => void {
    this.followed.add(store);
    let again: ReturnType<typeof setTimeout> | undefined;
    const ask = (asked: Promise<void>): void => {
      void asked.catch(() => {
        if (this.followed.has(store)) again = setTimeout(() => ask(store.reload()), ASKED_AGAIN);
      });
    };
    ask(store.filter(filter));
    return () => {
      clearTimeout(again);
      this.followed.delete(store);
      store.close();
    };
  }

  /** The run, as it is now and will be while somebody looks at it. */
  run(id: string): ReadonlySignal<Known<Run>> {
    return this.looks.at(id);
  }

  /** A call's answer is shown before its event comes; one that comes later than that is old. */
  take(runs: readonly Run[]): void {
    this.show(runs.filter((run) => !this.isBehind(run)));
  }

  /** Do it to all of these, and say what came of it. */
  async act(verb: Verb, runs: readonly Run[]): Promise<readonly Run[]> {
    const done: Run[] = [];
    const problems: unknown[] = [];
    const waiting = [...runs];
    const worker = async (): Promise<void> => {
      for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
        try {
          const now = await perform(this.client, verb, run.id);
          done.push(now);
          this.take([now]);
        } catch (problem) {
          problems.push(problem);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, runs.length) }, worker));
    if (problems.length > 0) {
      const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
      this.say(`${WORDS[verb].does}: ${wordsOf(problems[0])}${more}`, { isError: true });
    }
    if (done.length > 0) {
      const what = done.length === 1 ? (done[0] as Run).name : `${done.length} runs`;
      const undo = verb === "archive" ? { undo: () => void this.act("unarchive", done) } : {};
      this.say(`${WORDS[verb].done}: ${what}`, undo);
    }
    return done;
  }

  say(text: string, { isError = false, undo }: { isError?: boolean; undo?: () => void } = {}): void {
    const notice: Notice = { id: ++this.notes, text, isError, ...(undo && { undo }) };
    this.said.value = [...this.said.peek(), notice].slice(-4);
    setTimeout(() => this.unsay(notice.id), isError ? ERROR_STAYS : NOTICE_STAYS);
  }

  unsay(id: number): void {
    this.said.value = this.said.peek().filter((notice) => notice.id !== id);
  }

  private isBehind({ id, status }: Run): boolean {
    const listed = this.store.runs.peek().shown.find((run) => run.id === id);
    const looked = this.looks.seen(id);
    return [listed, looked].some((seen) => seen !== undefined && ORDER[seen.status] > ORDER[status]);
  }

  private show(runs: readonly Run[]): void {
    batch(() => {
      for (const store of [this.store, ...this.followed]) store.change(runs);
      this.looks.take(runs);
    });
  }

  private async listed(loading: Promise<void>): Promise<void> {
    try {
      await loading;
      this.problem.value = null;
    } catch (problem) {
      this.problem.value = problem instanceof Error ? problem : new Error(String(problem));
    }
  }

  private changed(events: readonly Event[]): void {
    const runs = events.flatMap(({ run }) => (run ? [run] : []));
    this.show(runs);
    this.sweeps.take(events.flatMap(({ sweep }) => (sweep ? [sweep] : [])));
    this.alerts.take(events.flatMap(({ alert }) => (alert ? [alert] : [])));
    if (runs.length > 0) this.countSoon();
  }

  private async reload(): Promise<void> {
    const list = this.store.reload();
    const followed = [...this.followed].map((store) => store.reload());
    await all([list, this.listed(list), this.also(), this.looks.reload(), ...followed]);
  }

  /** What is shown beside the runs. */
  private async also(): Promise<void> {
    await all([this.sweeps.reload(), this.alerts.reload(), this.count()]);
  }

  private countSoon(): void {
    this.counting ??= setTimeout(() => {
      this.counting = undefined;
      void this.count().catch(() => undefined);
    }, COUNTED_AFTER);
  }

  private async count(): Promise<void> {
    this.known.value = await this.client.get("/", {});
  }
}

/** What went wrong, as it is shown. */
export function wordsOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}
