import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { Client } from "../../api/client";
import { Refused } from "../../api/errors";
import type { LogMatches, LogPage } from "../../api/records";
import type { Visibility } from "../../live/connection";
import { Follower, type Which } from "../../live/follow";
import { nextError } from "../../log/errors";
import { Lines } from "../../log/lines";
import { around, type Ask, END, newer, older } from "../../log/pages";
import { wordsOf } from "../session";

export type State = "loading" | "ready" | "failed";
/** Pages that are looked through for an error at most, before somebody presses the button again. */
const LOOKED_THROUGH = 20;

/** The part of a log that is looked at: opened at its end, moved to wherever it is wanted, followed or not. */
export class LogModel {
  readonly lines = new Lines();
  private readonly changes = signal(0);
  private readonly stage = signal<State>("loading");
  private readonly problem = signal<string | null>(null);
  private readonly size = signal(0);
  private readonly live = signal(false);
  private readonly whole = signal(false);
  private readonly away = signal(false);
  private readonly busy = signal(false);
  private follower: Follower | null = null;
  private unfollow: () => void = () => undefined;
  private gap: LogPage["gap"] = null;
  private calls = 0;
  private isClosed = false;

  /** Counts changes of the lines: draw them once a frame. */
  readonly version: ReadonlySignal<number> = this.changes;
  readonly state: ReadonlySignal<State> = this.stage;
  readonly error: ReadonlySignal<string | null> = this.problem;
  /** Bytes of the whole log, as far as is known. */
  readonly total: ReadonlySignal<number> = this.size;
  /** Whether what is added comes by itself. */
  readonly isStreaming: ReadonlySignal<boolean> = this.live;
  /** Whether nothing will be added any more: the run has ended, and its log was read up to its end. */
  readonly isComplete: ReadonlySignal<boolean> = this.whole;
  /** Whether the end of the log is not held: somebody went far up, or to a match. */
  readonly isApart: ReadonlySignal<boolean> = this.away;
  /** Whether a page is on its way. */
  readonly isLoading: ReadonlySignal<boolean> = this.busy;

  constructor(
    private readonly client: Client,
    private readonly run: string,
    private readonly which: Which,
    private readonly visibility: Visibility,
  ) {}

  get hasOlder(): boolean {
    return !this.lines.isEmpty && this.lines.start > 0;
  }

  get hasNewer(): boolean {
    return this.away.peek();
  }

  /** The end of the log, and what follows of a run that is `active`; of one that has `ended`, that is all. */
  async toEnd(run: "waiting" | "active" | "ended"): Promise<void> {
    if (!(await this.begin(END))) return;
    this.away.value = false;
    this.whole.value ||= run === "ended";
    this.stream(run === "active");
  }

  /** Follow what is added, from where the lines end; or no longer. */
  stream(on: boolean): void {
    this.unfollow();
    this.unfollow = () => undefined;
    this.follower?.close();
    this.follower = null;
    this.live.value = on;
    if (!on || this.isClosed) return;
    const follower = (this.follower = new Follower(this.lines, this.client, this.run, this.which, this.visibility));
    const ends = [
      follower.version.subscribe(() => this.changed()),
      follower.isApart.subscribe((apart) => {
        if (apart) this.away.value = true;
      }),
      follower.ended.subscribe((status) => {
        if (status === null) return;
        this.live.value = false;
        this.whole.value = true;
      }),
      follower.error.subscribe((words) => {
        if (words !== null) this.problem.value = words;
      }),
    ];
    this.unfollow = () => ends.forEach((end) => end());
  }

  /** The page before the lines; false when there is none, or it came too late. */
  async older(): Promise<boolean> {
    const ask = older(this.lines.start, this.gap);
    if (this.lines.isEmpty || ask === undefined || this.busy.peek()) return false;
    const { end } = this.lines;
    const page = await this.page(ask);
    if (page === null) return false;
    if (!this.lines.prepend(page)) return await this.begin(END);
    if (this.lines.end < end) {
      // What follows would not join any more.
      this.stream(false);
      this.away.value = true;
    }
    this.changed();
    return true;
  }

  /** The page behind the lines, when they don't reach the end. */
  async newer(): Promise<void> {
    if (!this.away.peek() || this.busy.peek()) return;
    const page = await this.page(newer(this.lines.end));
    if (page === null) return;
    this.lines.append(page);
    if (!page.has_more_after) this.away.value = false;
    this.changed();
  }

  /** The row of the byte at `offset`; what is held is left for it when it is elsewhere. */
  async goTo(offset: number): Promise<number | undefined> {
    if (this.lines.rowAt(offset) === undefined) {
      this.stream(false);
      if (!(await this.begin(around(offset)))) return undefined;
    }
    return this.lines.rowAt(offset);
  }

  /** The row where the next error after (1) or before (-1) row `from` begins; older pages are loaded for it. */
  async nextError(from: number, step: 1 | -1): Promise<number | undefined> {
    for (let pages = 0; ; pages++) {
      const found = nextError(this.lines, from, step);
      if (found !== undefined || pages >= LOOKED_THROUGH) return found;
      if (step === 1) {
        if (!this.away.peek()) return undefined;
        await this.newer();
      } else if (!this.hasOlder || !(await this.older())) return undefined;
    }
  }

  search(q: string, before: number | null, abort: AbortSignal): Promise<LogMatches> {
    const query = { q, limit: 100, ...(before !== null && { before }) };
    return this.client.get("/runs/{run_id}/logs/search", { path: { run_id: this.run }, query, signal: abort });
  }

  /** All rows that are held, as text. */
  text(): string {
    const rows: string[] = [];
    for (let at = this.lines.first; at < this.lines.last; at++) rows.push(this.lines.row(at)?.text ?? "");
    return rows.join("\n");
  }

  close(): void {
    this.isClosed = true;
    this.calls++;
    this.stream(false);
  }

  private changed(): void {
    if (!this.away.peek()) this.size.value = Math.max(this.size.peek(), this.lines.end);
    this.changes.value = this.changes.peek() + 1;
  }

  private async begin(ask: Ask): Promise<boolean> {
    const page = await this.page(ask);
    if (page === null) return false;
    batch(() => {
      this.lines.reset(page);
      this.size.value = page.total_size;
      this.away.value = page.has_more_after;
      this.stage.value = "ready";
      this.changed();
    });
    return true;
  }

  /** Null when it could not be had, which `error` tells, or is wanted no more. */
  private async page(ask: Ask): Promise<LogPage | null> {
    const call = ++this.calls;
    this.busy.value = true;
    try {
      const path = { run_id: this.run };
      const query = { offset: ask.offset, limit: ask.limit };
      const page =
        this.which === "logs"
          ? await this.client.get("/runs/{run_id}/logs", { path, query })
          : await this.client.get("/runs/{run_id}/sidecar-logs", { path, query });
      if (call !== this.calls) return null;
      this.gap = page.gap ?? null;
      this.problem.value = null;
      return page;
    } catch (problem) {
      if (call !== this.calls) return null;
      this.problem.value = problem instanceof Refused ? problem.message : wordsOf(problem);
      if (this.stage.peek() === "loading") this.stage.value = "failed";
      return null;
    } finally {
      if (call === this.calls) this.busy.value = false;
    }
  }
}
