import { xsrfToken } from "./base";
import { errorOf, Unreachable } from "./errors";
import type { paths } from "./schema";

type Value = string | number | boolean | null | undefined;
type Method = "get" | "post" | "put";
type PathsWith<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, object> ? P : never }[keyof paths];
type Operation<P extends keyof paths, M extends Method> = M extends keyof paths[P] ? paths[P][M] : never;
type Parameters<O> = O extends { parameters: infer All } ? All : never;
type Given<All, K extends string> = All extends { [N in K]?: infer Part } ? Exclude<Part, undefined> : never;
type Json<Content> = Content extends { "application/json": infer Body } ? Body : never;
type BodyOf<O> = O extends { requestBody?: infer R }
  ? Exclude<R, undefined> extends { content: infer Content }
    ? Json<Content>
    : never
  : never;

/** What an operation answers. */
export type Answer<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: { 200: { content: infer Content } } } ? Json<Content> : never;

type Field<K extends string, Value, Empty> = [Value] extends [never]
  ? Empty
  : Record<string, never> extends Value
    ? { readonly [N in K]?: Value }
    : { readonly [N in K]: Value };

/** What a call of an operation takes, with `null` and what is left out being the same in a query. */
export type Ask<P extends keyof paths, M extends Method> = Field<
  "path",
  Given<Parameters<Operation<P, M>>, "path">,
  unknown
> &
  Field<"query", Given<Parameters<Operation<P, M>>, "query">, unknown> &
  Field<"body", BodyOf<Operation<P, M>>, unknown> & { readonly signal?: AbortSignal };

/** An answer, and where the next page of it is: the query of that call. */
export interface Paged<T> {
  readonly items: T;
  readonly next: Readonly<Record<string, string>> | null;
}

interface Loose {
  readonly path?: object;
  readonly query?: object;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Calls the HTTP API. All calls raise Refused, Unreachable, or AbortError when their signal says so. */
export class Client {
  private readonly fetch: Fetch;

  /** `cookies` is asked at each call: a login in another tab changes them; `relay` carries all, when it is there. */
  constructor(
    readonly base: string,
    private readonly cookies: () => string,
    private readonly relay?: Fetch,
  ) {
    this.fetch = relay ?? ((url, init) => globalThis.fetch(url, init));
  }

  /** Whether a websocket reaches the server: what relays requests carries none. */
  get hasTerminals(): boolean {
    return this.relay === undefined;
  }

  get<P extends PathsWith<"get">>(path: P, ask: Ask<P, "get">): Promise<Answer<P, "get">> {
    return this.json("GET", path, ask);
  }

  post<P extends PathsWith<"post">>(path: P, ask: Ask<P, "post">): Promise<Answer<P, "post">> {
    return this.json("POST", path, ask);
  }

  put<P extends PathsWith<"put">>(path: P, ask: Ask<P, "put">): Promise<Answer<P, "put">> {
    return this.json("PUT", path, ask);
  }

  /** A list, with the query of its next page. */
  async page<P extends PathsWith<"get">>(path: P, ask: Ask<P, "get">): Promise<Paged<Answer<P, "get">>> {
    const response = await this.send("GET", path, ask);
    const link = /<([^>]*)>;\s*rel="next"/.exec(response.headers.get("Link") ?? "")?.[1];
    const query = link === undefined ? null : new URL(link, this.base).searchParams;
    return { items: await parsed(response), next: query && Object.fromEntries(query) };
  }

  /** The body of an event stream, as it comes. */
  async stream(path: keyof paths, ask: Loose, lastEventId?: string): Promise<ReadableStream<Uint8Array>> {
    const headers: Record<string, string> = lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId };
    const response = await this.send("GET", path, ask, { Accept: "text/event-stream", ...headers });
    if (response.body === null || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      throw new Unreachable("the answer is no event stream");
    }
    return response.body;
  }

  /** An address for a link: of a download, or a picture. It holds no secret: the login is the browser's cookie. */
  url(path: keyof paths, ask: Pick<Loose, "path" | "query"> = {}): string {
    const parts = (ask.path ?? {}) as Readonly<Record<string, string>>;
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      // The name of an artifact may hold slashes, and they lead to folders.
      return (parts[name] ?? "").split("/").map(encodeURIComponent).join("/");
    });
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries((ask.query ?? {}) as Readonly<Record<string, Value | Value[]>>)) {
      for (const each of Array.isArray(value) ? value : [value]) {
        if (each !== null && each !== undefined) query.append(name, String(each));
      }
    }
    const asked = query.toString();
    return `${this.base}${filled === "/" ? "" : filled}${asked && `?${asked}`}`;
  }

  /** Where a terminal of Jupyter's is watched, as a websocket. */
  terminalUrl(name: string): string {
    return `${this.jupyter.replace(/^http/, "ws")}/terminals/websocket/${name}`;
  }

  /** End a terminal of Jupyter's, also from a page that is just being left. Says nothing: it may have ended. */
  async endTerminal(name: string): Promise<void> {
    const xsrf = xsrfToken(this.cookies());
    const headers: Record<string, string> = xsrf === undefined ? {} : { "X-XSRFToken": xsrf };
    const init: RequestInit = { method: "DELETE", headers, credentials: "same-origin", keepalive: true };
    await this.fetch(`${this.jupyter}/api/terminals/${name}`, init).catch(() => undefined);
  }

  /** The server's own address: ours are below it. */
  private get jupyter(): string {
    return this.base.replace(/\/ra-jobs$/, "");
  }

  private async json<T>(method: string, path: keyof paths, ask: Loose): Promise<T> {
    return parsed(await this.send(method, path, ask));
  }

  private async send(
    method: string,
    path: keyof paths,
    ask: Loose,
    more: Record<string, string> = {},
  ): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json", ...more };
    const xsrf = xsrfToken(this.cookies());
    if (method !== "GET" && xsrf !== undefined) headers["X-XSRFToken"] = xsrf;
    const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
    if (method !== "GET") {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(ask.body ?? {});
    }
    if (ask.signal) init.signal = ask.signal;
    let response: Response;
    try {
      response = await this.fetch(this.url(path, ask), init);
    } catch (problem) {
      if (ask.signal?.aborted) throw problem;
      throw new Unreachable("the server does not answer", { cause: problem });
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }
}

async function parsed<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "AbortError") throw problem;
    throw new Unreachable("the answer is not JSON", { cause: problem }); // a login page, for one
  }
}
