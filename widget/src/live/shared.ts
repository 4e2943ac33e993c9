import type { Client } from "../api/client";
import type { Visibility } from "./connection";
import { all } from "./all";
import { type Channel, Events, type Listener } from "./events";

interface Member {
  readonly listener: Listener;
  readonly visibility: Visibility;
  readonly unwatch: () => void;
}

/**
 * One event stream for all in a page that show something of the same server, since a browser has six connections to
 * it. Open while any of them is seen.
 */
export class SharedEvents {
  private readonly members = new Set<Member>();
  private readonly watchers = new Set<() => void>();
  private events: Events | undefined;

  constructor(private readonly client: Client) {}

  /** Be told from now on, until the channel is closed; what is there already, the listener asks for itself. */
  join(listener: Listener, visibility: Visibility): Channel {
    const changed = (): void => this.watchers.forEach((watcher) => watcher());
    const member = { listener, visibility, unwatch: visibility.watch(changed) };
    this.members.add(member);
    this.events ??= this.open();
    changed();
    const { events } = this;
    return {
      link: events.link,
      error: events.error,
      retry: () => events.retry(),
      close: () => {
        member.unwatch();
        if (!this.members.delete(member)) return;
        changed();
        if (this.members.size > 0) return;
        this.events?.close();
        this.events = undefined;
      },
    };
  }

  private open(): Events {
    return new Events(
      this.client,
      {
        changed: (events) => this.members.forEach(({ listener }) => listener.changed(events)),
        reload: async () => {
          await all([...this.members].map(({ listener }) => listener.reload()));
        },
        kept: () => [...this.members].some(({ listener }) => listener.kept?.() ?? false),
      },
      {
        visible: () => [...this.members].some(({ visibility }) => visibility.visible()),
        watch: (changed) => {
          this.watchers.add(changed);
          return () => this.watchers.delete(changed);
        },
      },
    );
  }
}
