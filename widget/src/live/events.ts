import type { ReadonlySignal } from "@preact/signals";
import type { Client } from "../api/client";
import type { Event } from "../api/records";
import type { Block } from "./blocks";
import { Connection, type Link, type Visibility } from "./connection";

/** Who shows what the server has. */
export interface Listener {
  /** Some things changed, in the order of their changes. */
  readonly changed: (events: readonly Event[]) => void;
  /** Too much was missed: ask for everything that is shown. */
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
    void this.listener.reload().catch(() => undefined); // the listener shows what went wrong
  }

  private poll(link: Link): void {
    clearTimeout(this.poller);
    if (link === "live" || link === "hidden" || link === "closed") return;
    const again = (): void => {
      this.poller = setTimeout(() => {
        void this.listener
          .reload()
          .catch(() => undefined)
          .finally(() => {
            const now = this.link.peek();
            if (now !== "live" && now !== "hidden" && now !== "closed") again();
          });
      }, POLL);
    };
    again();
  }
}
