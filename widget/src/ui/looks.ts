import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { Refused } from "../api/errors";
import { all } from "../live/all";

/** Something that is looked at alone: null until it is known, an error when it can't be had. */
export type Known<T> = T | Error | null;

/** Things that are looked at one by one, by their ids. */
export class Looks<T extends { readonly id: string }> {
  private readonly looked = new Map<string, Signal<Known<T>>>();
  /** How often each was told of. */
  private readonly told = new Map<string, number>();
  /** Those that somebody follows. */
  private readonly followed = new Set<string>();

  constructor(
    private readonly load: (id: string) => Promise<T>,
    /** What is known of one from elsewhere, to be shown at once. */
    private readonly known: (id: string) => T | undefined = () => undefined,
  ) {}

  /** It, as it is now, and as long as `take` and `reload` are called will be. */
  at(id: string): ReadonlySignal<Known<T>> {
    let found = this.looked.get(id);
    if (found === undefined) {
      found = signal<Known<T>>(this.known(id) ?? null, {
        watched: () => void this.followed.add(id),
        unwatched: () => void this.followed.delete(id),
      });
      this.looked.set(id, found);
      void this.look(id, found).catch(() => undefined); // it is shown
    }
    return found;
  }

  /** What is known of it, if it was looked at. */
  seen(id: string): T | undefined {
    const known = this.looked.get(id)?.peek();
    return known === undefined || known === null || known instanceof Error ? undefined : known;
  }

  /** As they are now. */
  take(things: readonly T[]): void {
    for (const thing of things) {
      const found = this.looked.get(thing.id);
      if (found === undefined) continue;
      found.value = thing;
      this.told.set(thing.id, (this.told.get(thing.id) ?? 0) + 1);
    }
  }

  /** Ask again for all that is followed, and forget the others; raises when one can't be asked for. */
  async reload(): Promise<void> {
    for (const id of this.looked.keys()) {
      if (this.followed.has(id)) continue;
      this.looked.delete(id);
      this.told.delete(id);
    }
    await all([...this.looked].map(([id, found]) => this.look(id, found)));
  }

  private async look(id: string, found: Signal<Known<T>>): Promise<void> {
    const told = this.told.get(id);
    try {
      const loaded = await this.load(id);
      // What is told meanwhile is newer.
      if (this.told.get(id) === told) found.value = loaded;
    } catch (problem) {
      // What was seen of it stays while the server is away.
      const isAnswer = problem instanceof Refused && problem.status < 500;
      const isGone = isAnswer && problem.status === 404;
      if (isGone || found.peek() === null || found.peek() instanceof Error) {
        found.value = problem instanceof Error ? problem : new Error(String(problem));
      }
      if (!isAnswer) throw problem;
    }
  }
}
