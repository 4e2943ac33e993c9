import { vi } from "vitest";
import { Client } from "../src/api/client";
import type { Visibility } from "../src/live/connection";

// Node draws nothing.
globalThis.requestAnimationFrame = (callback) => setTimeout(callback);

/** What it gives, once it does not raise: what is asked and answered takes some turns of the event loop. */
export function eventually<T>(check: () => T): Promise<T> {
  return vi.waitFor(check, { interval: 1, timeout: 20_000 });
}

/** A request that a test answers. */
export class Request {
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(
    readonly method: string,
    readonly url: URL,
    readonly headers: Headers,
    readonly body: unknown,
    readonly signal: AbortSignal | null,
    private readonly resolve: (response: Response) => void,
    readonly fail: (problem: Error) => void,
  ) {}

  json(body: unknown, status = 200, headers: Record<string, string> = {}): void {
    this.resolve(
      new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } }),
    );
  }

  text(body: string, status = 200): void {
    this.resolve(new Response(body, { status, headers: { "Content-Type": "text/html" } }));
  }

  /** Answer with an event stream. */
  stream(): void {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.controller = controller) });
    this.resolve(new Response(body, { headers: { "Content-Type": "text/event-stream" } }));
  }

  send(text: string): void {
    this.controller?.enqueue(new TextEncoder().encode(text));
  }

  event(event: unknown, id?: number): void {
    this.send(`data: ${JSON.stringify(event)}\n\n${id === undefined ? "" : `id: ${id}\n\n`}`);
  }

  end(): void {
    this.controller?.close();
  }

  break(): void {
    this.controller?.error(new TypeError("network"));
  }
}

/** A server whose answers a test gives by hand. */
export class Server {
  readonly requests: Request[] = [];
  cookies = "";

  readonly client = new Client(
    "http://host/base/ra-jobs",
    () => this.cookies,
    (url, init) =>
      new Promise((resolve, reject) => {
        const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : null;
        const headers = new Headers(init.headers);
        const signal = init.signal ?? null;
        signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
        this.requests.push(new Request(init.method ?? "GET", new URL(url), headers, body, signal, resolve, reject));
      }),
  );

  /** The requests that came since the last call of this, of this path. */
  taken(path: string): Request[] {
    const found = this.requests.filter(({ url }) => url.pathname === `/base/ra-jobs${path}`);
    for (const request of found) this.requests.splice(this.requests.indexOf(request), 1);
    return found;
  }

  /** The only one. */
  one(path: string): Request {
    const [request, ...others] = this.taken(path);
    if (request !== undefined && others.length === 0) return request;
    throw new Error(`${others.length + (request ? 1 : 0)} requests of ${path}, not one`);
  }

  /** The only one, once it is there. */
  asked(path: string): Promise<Request> {
    return eventually(() => this.one(path));
  }
}

/** A page that a test shows and hides. */
export class Tab implements Visibility {
  private seen = true;
  private readonly watchers = new Set<() => void>();

  readonly visible = (): boolean => this.seen;
  readonly watch = (changed: () => void): (() => void) => {
    this.watchers.add(changed);
    return () => this.watchers.delete(changed);
  };

  show(seen: boolean): void {
    this.seen = seen;
    for (const changed of this.watchers) changed();
  }
}
