import { effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { Refused } from "../api/errors";
import { ENDED, type Run } from "../api/records";
import { outcome } from "../format";
import { hashOf } from "./route";
import type { Session } from "./session";

/** So many are remembered: the latest. */
const MOST = 50;
const NO_NOTIFICATIONS = "This browser shows no notifications here: they need https, or a server on this machine";
const NOT_ALLOWED = "The browser does not let this page notify you; its settings of this site do";

/** Runs whose end somebody wants to be told of by the browser, which remembers them over a reload. */
export class Watch {
  private readonly ids: Signal<ReadonlySet<string>>;
  private readonly following = new Map<string, () => void>();

  readonly watched: ReadonlySignal<ReadonlySet<string>>;

  constructor(
    private readonly session: Pick<Session, "run" | "say" | "navigation">,
    /** What the browser remembers them by. */
    private readonly key: string,
  ) {
    this.watched = this.ids = signal(remembered(key));
    for (const id of this.ids.peek()) this.follow(id);
  }

  /** Watch it, or no longer. The browser asks for its user's leave the first time, and never before. */
  async toggle({ id, name }: Run): Promise<void> {
    if (this.ids.peek().has(id)) {
      this.forget(id);
      return;
    }
    const problem = await refusal();
    if (problem !== null) {
      this.session.say(problem, { isError: true });
      return;
    }
    this.keep([...this.ids.peek(), id].slice(-MOST));
    this.follow(id);
    this.session.say(`While this page is open, the browser tells you when ${name} ends`);
  }

  close(): void {
    for (const end of this.following.values()) end();
    this.following.clear();
  }

  private follow(id: string): void {
    const run = this.session.run(id);
    const end = effect(() => {
      const now = run.value;
      const isGone = now instanceof Refused && now.status === 404;
      const hasEnded = now !== null && !(now instanceof Error) && ENDED.has(now.status);
      if (!isGone && !hasEnded) return;
      // Later: an effect can't end itself while it begins.
      queueMicrotask(() => {
        if (!this.ids.peek().has(id)) return;
        this.forget(id);
        if (hasEnded) this.tell(now);
      });
    });
    this.following.set(id, end);
  }

  private tell(run: Run): void {
    const title = `${run.name}: ${run.status}`;
    try {
      if (Notification.permission !== "granted") throw new Error(NOT_ALLOWED);
      // Of several tabs that watch it, the last one's is shown.
      const note = new Notification(title, { body: outcome(run.exit_code, run.signal), tag: `ra-jobs ${run.id}` });
      note.onclick = () => {
        window.focus();
        this.session.navigation.go(hashOf({ view: "run", id: run.id }));
        note.close();
      };
    } catch {
      this.session.say(title); // leave was taken back, or it is a phone, which wants a service worker
    }
  }

  private forget(id: string): void {
    this.following.get(id)?.();
    this.following.delete(id);
    this.keep([...this.ids.peek()].filter((each) => each !== id));
  }

  private keep(ids: readonly string[]): void {
    this.ids.value = new Set(ids);
    try {
      localStorage.setItem(this.key, JSON.stringify(ids));
    } catch {
      // Then they are forgotten with the page.
    }
  }
}

function remembered(key: string): ReadonlySet<string> {
  try {
    const ids: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return new Set(Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : []);
  } catch {
    return new Set(); // somebody else's words, or no storage
  }
}

async function refusal(): Promise<string | null> {
  if (!("Notification" in globalThis) || !globalThis.isSecureContext) return NO_NOTIFICATIONS;
  const { permission } = Notification;
  const now = permission === "default" ? await Notification.requestPermission() : permission;
  return now === "granted" ? null : NOT_ALLOWED;
}
