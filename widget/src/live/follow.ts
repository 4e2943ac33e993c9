import { type ReadonlySignal, signal } from "@preact/signals";
import type { Client } from "../api/client";
import type { LogEvent, RunStatus } from "../api/records";
import type { Lines } from "../log/lines";
import type { Block } from "./blocks";
import { Connection, type Link, type Visibility } from "./connection";

export type Which = "logs" | "sidecar-logs";

/** Adds to `lines` what its log is given, from where they end, over any number of broken connections. */
export class Follower {
  private readonly connection: Connection;
  private readonly changes = signal(0);
  private readonly status = signal<RunStatus | null>(null);
  private readonly words = signal<string | null>(null);
  private readonly apart = signal(false);
  /** Where the stream is; the lines end there too, unless they are shown farther up and dropped their end. */
  private at: number | undefined;

  constructor(
    private readonly lines: Lines,
    client: Client,
    run: string,
    which: Which,
    visibility: Visibility,
  ) {
    const path = which === "logs" ? "/runs/{run_id}/logs/stream" : "/runs/{run_id}/sidecar-logs/stream";
    const open = (signal: AbortSignal): Promise<ReadableStream<Uint8Array>> =>
      client.stream(path, { path: { run_id: run }, query: { offset: this.at }, signal });
    if (!lines.isEmpty) this.at = lines.end;
    this.connection = new Connection({ open, take: (block) => this.take(block) }, visibility);
  }

  /** Counts what was added: who shows the lines reads this, and draws them once a frame. */
  get version(): ReadonlySignal<number> {
    return this.changes;
  }

  /** Whether the lines ended before the stream's place when more came: to see that, begin anew at the end. */
  get isApart(): ReadonlySignal<boolean> {
    return this.apart;
  }

  /** How the run ended, when it has, and all of its log is here. */
  get ended(): ReadonlySignal<RunStatus | null> {
    return this.status;
  }

  /** Why the server can't read the log, when it can't. */
  get error(): ReadonlySignal<string | null> {
    return this.words;
  }

  get link(): ReadonlySignal<Link> {
    return this.connection.link;
  }

  close(): void {
    this.connection.close();
  }

  private take({ data }: Block): boolean {
    if (data === undefined) return true; // a cursor: the lines know where they end
    const event = JSON.parse(data) as LogEvent;
    if (event.type === "done") {
      this.status.value = event.status ?? null;
      return false;
    }
    if (event.type === "error") {
      this.words.value = event.error ?? "the log can't be read";
      return false;
    }
    const { content, offset, next_offset, gap } = event;
    if (typeof offset !== "number" || typeof next_offset !== "number") return true;
    const isAt = this.at === undefined || this.lines.end === this.at;
    this.at = next_offset;
    if (!isAt) this.apart.value = true;
    else if (next_offset > offset) {
      this.lines.append({ content: content ?? "", offset, next_offset, gap: gap ?? null });
      this.changes.value = this.changes.peek() + 1;
    }
    return true;
  }
}
