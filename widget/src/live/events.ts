import type { ReadonlySignal } from "@preact/signals";
import type { Client } from "../api/client";
import type { Event } from "../api/records";
import type { Block } from "./blocks";
import { Connection, type Link, type Visibility } from "./connection";

/** Who shows what the server has. */
export interface Listener {
  /** Some things changed, in the order of their changes. */
  readonly changed: (events: readonly Event[]) => void;
  /** Too much was missed: ask for everything that is shown. Rejects if some of it can't be had for now. */
  readonly reload: () => Promise<void>;
  /** Whether it wants to be told while its page is hidden, too. */
  readonly kept?: () => boolean;
}

/** What a listener has of its stream. */
export type Channel = Pick<Events, "link" | "error" | "retry" | "close">;

const POLL = 5_000;

/**
 * Tells its listener what changes: by the event stream, which goes on where it broke off; while there is none, by a
 * reload every five seconds. Nothing is asked for while the page is hidden.
 */
export class Events {
  private readonly connection: Connection;
  private cursor: string | undefined;
  private resumed: string | undefined;
  private isNew = true;
  private pending: Event[] = [];
  private poller: ReturnType<typeof setTimeout> | undefined;
  private reloads = 0;
  /** Whether the last reload has not come to its end yet, or failed. */
  private isStale = false;
  private readonly unwatch: () => void;

  constructor(
    private readonly client: Client,
    private readonly listener: Listener,
    visibility: Visibility,
  ) {
    this.connection = new Connection(
      {
        open: (signal) => {
          this.resumed = this.cursor;
          this.isNew = true;
          return client.stream("/events", { signal }, this.cursor);
        },
        take: (block) => this.take(block),
      },
      visibility,
      () => listener.kept?.() ?? false,
    );
    this.unwatch = this.link.subscribe((link) => this.poll(link));
  }

  get link(): ReadonlySignal<Link> {
    return this.connection.link;
  }

  get error(): ReadonlySignal<Error | null> {
    return this.connection.error;
  }

  retry(): void {
    this.connection.retry();
  }

  close(): void {
    this.unwatch();
    clearTimeout(this.poller);
    this.connection.close();
  }

  private take({ data, id }: Block): boolean {
    if (data !== undefined) {
      const event = JSON.parse(data) as Event;
      if (event.type === "reset") this.reload();
      else this.tell(event);
    }
    if (id !== undefined) {
      // The first cursor says from when on we are told. One below ours is of another store.
      const isGap = this.isNew && (this.resumed === undefined || Number(id) < Number(this.resumed));
      if (isGap && data === undefined) this.reload();
      this.cursor = id;
    }
    this.isNew = false;
    return true;
  }

  /** What came in one piece is told in one. */
  private tell(event: Event): void {
    this.pending.push(event);
    if (this.pending.length > 1) return;
    queueMicrotask(() => {
      const events = this.pending;
      this.pending = [];
      this.listener.changed(events);
    });
  }

  private reload(): void {
    const number = ++this.reloads;
    this.isStale = true;
    void this.listener.reload().then(
      () => this.reloaded(number, true),
      () => this.reloaded(number, false), // the listener shows what went wrong
    );
  }

  private reloaded(number: number, isDone: boolean): void {
    if (number !== this.reloads) return; // another one was begun meanwhile
    this.isStale = !isDone;
    this.poll(this.link.peek());
  }

  private poll(link: Link): void {
    clearTimeout(this.poller);
    if (link === "hidden" || link === "closed" || (link === "live" && !this.isStale)) return;
    this.poller = setTimeout(() => this.reload(), POLL);
  }
}
