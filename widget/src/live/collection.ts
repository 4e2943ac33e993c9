import { type ReadonlySignal, signal } from "@preact/signals";

/** Things of one kind by their ids, as a list call and events tell of them: sweeps, alerts. */
export class Collection<T extends { readonly id: string }> {
  private readonly current = signal<ReadonlyMap<string, T>>(new Map());
  /** What is told while a list is on its way. */
  private meanwhile: T[] | null = null;
  private calls = 0;

  readonly things: ReadonlySignal<ReadonlyMap<string, T>> = this.current;

  constructor(
    private readonly list: () => Promise<readonly T[]>,
    /** What is no longer of it goes. */
    private readonly belongs: (thing: T) => boolean = () => true,
  ) {}

  /** Ask for all of them; what is told meanwhile wins. */
  async reload(): Promise<void> {
    const call = ++this.calls;
    this.meanwhile = [];
    try {
      const listed = await this.list();
      if (call === this.calls) this.current.value = this.put(new Map(), [...listed, ...this.meanwhile]);
    } finally {
      if (call === this.calls) this.meanwhile = null;
    }
  }

  take(things: readonly T[]): void {
    if (things.length === 0) return;
    this.meanwhile?.push(...things);
    this.current.value = this.put(new Map(this.current.peek()), things);
  }

  private put(all: Map<string, T>, things: readonly T[]): Map<string, T> {
    for (const thing of things) {
      if (this.belongs(thing)) all.set(thing.id, thing);
      else all.delete(thing.id);
    }
    return all;
  }
}
