import { type ReadonlySignal, signal } from "@preact/signals";
import { Refused, Unreachable } from "../api/errors";
import { type Block, Blocks } from "./blocks";
import { Breath } from "./breath";

/**
 * `connecting`: not yet known; `live`: the stream is open; `retrying`: it is not, and is tried again;
 * `refused`: the server wants a login, or does not allow it; `hidden`: closed while nobody looks; `closed`.
 */
export type Link = "connecting" | "live" | "retrying" | "refused" | "hidden" | "closed";

/** Whether the page is seen, and who is told when that changes; the function that it gives ends the telling. */
export interface Visibility {
  readonly visible: () => boolean;
  readonly watch: (changed: () => void) => () => void;
}

export interface Stream {
  /** Opens the stream at what `at` says. Raises Refused, Unreachable. */
  readonly open: (signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  /** It is open, and nothing of it was read. */
  readonly opened?: () => void;
  /** A block of it; false ends the connection for good. */
  readonly take: (block: Block) => boolean;
}

/** The server says that it lives every 15 s. */
const SILENCE = 40_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** Nobody logs in so fast that it should be asked more often. */
const REFUSED_PAUSE = 30_000;

/** Keeps a stream open while the page is seen, with pauses that grow between tries. */
export class Connection {
  private readonly current = signal<Link>("connecting");
  private readonly problem = signal<Error | null>(null);
  private readonly unwatch: () => void;
  private abort = new AbortController();
  private pause = FIRST_PAUSE;
  private wake: () => void = () => undefined;

  constructor(
    private readonly stream: Stream,
    private readonly visibility: Visibility,
    /** While true, it stays open in a page that is hidden: somebody wants to be told of something. */
    private readonly kept: () => boolean = () => false,
  ) {
    this.unwatch = visibility.watch(() => this.changed());
    void this.run();
  }

  get link(): ReadonlySignal<Link> {
    return this.current;
  }

  /** Why it is not live, when it is not. */
  get error(): ReadonlySignal<Error | null> {
    return this.problem;
  }

  /** Try again now: somebody logged in, or asked for it. */
  retry(): void {
    this.pause = FIRST_PAUSE;
    this.wake();
  }

  close(): void {
    this.current.value = "closed";
    this.unwatch();
    this.abort.abort();
    this.wake();
  }

  private isClosed(): boolean {
    return this.current.peek() === "closed";
  }

  private isWanted(): boolean {
    return this.visibility.visible() || this.kept();
  }

  private changed(): void {
    if (this.isWanted()) this.retry();
    else this.abort.abort();
  }

  private async run(): Promise<void> {
    while (!this.isClosed()) {
      if (!this.isWanted()) {
        this.current.value = "hidden";
        await this.sleep(Infinity);
        continue;
      }
      this.abort = new AbortController();
      const { signal: aborted } = this.abort;
      const silent = new Unreachable("the server sends nothing");
      let pause = await this.once(this.abort).catch((problem: unknown) =>
        this.failed(aborted.aborted ? silent : problem),
      );
      if (this.isClosed() || !this.isWanted()) continue;
      pause ??= this.pause * (0.75 + Math.random() / 2); // not all pages at once, after a restart
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
      if (this.current.peek() !== "refused") this.current.value = "retrying";
      await this.sleep(pause);
    }
  }

  /** One stream, to its end. */
  private async once(abort: AbortController): Promise<number | null> {
    let timer = setTimeout(() => abort.abort(), SILENCE);
    try {
      const body = await this.stream.open(abort.signal);
      // A body that hangs does not end with its request everywhere: the reader is told too.
      const reader = body.getReader();
      abort.signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
      const blocks = new Blocks();
      const breath = new Breath();
      this.stream.opened?.();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || abort.signal.aborted) return null;
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(), SILENCE);
        this.current.value = "live";
        this.problem.value = null;
        this.pause = FIRST_PAUSE;
        const goesOn = await breath.after(() => blocks.feed(value).every((block) => this.stream.take(block)));
        if (goesOn) continue;
        this.close();
        return null;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** How long to wait after this; null when that is ours to say. */
  private failed(problem: unknown): number | null {
    this.problem.value = problem instanceof Error ? problem : new Error(String(problem));
    if (!(problem instanceof Refused)) return null;
    if (problem.status === 404) this.close(); // what it is about is gone
    if (problem.status !== 403) return problem.retryAfter === null ? null : problem.retryAfter * 1000;
    this.current.value = "refused";
    return REFUSED_PAUSE;
  }

  private sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = milliseconds === Infinity ? undefined : setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
