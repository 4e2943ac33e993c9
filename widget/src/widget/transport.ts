import type { Fetch } from "../api/client";
import type { LogEvent, LogPage, Run } from "../api/records";
import { ENDED } from "../api/records";
import type { Kernel } from "./model";

/** Stands for the server in addresses that no request is ever made of. */
export const BASE = "https://kernel.invalid/ra-jobs";

const LOOK = 2_000;
const RELOAD = 5_000;
const PAGE = 102_400;

/** Requests by way of the kernel. It has no streams: those are made of looks. */
export function transport(kernel: Kernel): Fetch {
  const ask = async (method: string, path: string, body?: string, signal?: AbortSignal): Promise<Response> => {
    const answer = await kernel.ask({ method, path, ...(body !== undefined && { body }) }, signal);
    return new Response(answer.body, { status: answer.status ?? 500, headers: answer.headers ?? {} });
  };
  return async (url, { method = "GET", headers, body, signal }) => {
    const path = url.slice(BASE.length) || "/";
    const more = signal ?? undefined;
    if (new Headers(headers).get("Accept") !== "text/event-stream") {
      return ask(method, path, typeof body === "string" ? body : undefined, more);
    }
    const look = async <T>(of: string): Promise<T> => {
      const response = await ask("GET", of, undefined, more);
      if (!response.ok) throw new Error(`status ${response.status}`);
      return (await response.json()) as T;
    };
    const events = path.startsWith("/events") ? reloads() : logOf(path, look);
    return new Response(streamOf(events, more), { headers: { "Content-Type": "text/event-stream" } });
  };
}

type Told = { type: "reset" } | LogEvent;

async function* reloads(): AsyncGenerator<Told> {
  for (;;) {
    yield { type: "reset" };
    await sleep(RELOAD);
  }
}

/** What a stream of `…/runs/ID/logs/stream?offset=…` would tell. */
async function* logOf(path: string, look: <T>(of: string) => Promise<T>): AsyncGenerator<Told> {
  const url = new URL(`${BASE}${path}`);
  const log = url.pathname.slice(new URL(BASE).pathname.length).replace(/\/stream$/, "");
  const asked = url.searchParams.get("offset");
  let offset = asked === null ? -PAGE : Number(asked);
  for (;;) {
    // Asked before the last bytes, or they are lost.
    const run = await look<Run>(log.replace(/\/[^/]+$/, ""));
    let page: LogPage;
    do {
      page = await look<LogPage>(`${log}?offset=${offset}&limit=${PAGE}`);
      const { content, next_offset, gap } = page;
      if (next_offset > page.offset) {
        yield { type: "delta", content, offset: page.offset, next_offset, gap: gap ?? null };
      }
      offset = next_offset;
    } while (page.has_more_after);
    if (ENDED.has(run.status)) {
      yield { type: "done", status: run.status };
      return;
    }
    await sleep(LOOK);
  }
}

function streamOf(events: AsyncGenerator<Told>, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (controller) => {
      const next: IteratorResult<Told, unknown> = await events.next();
      if (next.done === true || signal?.aborted === true) controller.close();
      else controller.enqueue(encoder.encode(`data: ${JSON.stringify(next.value)}\n\n`));
    },
    cancel: async () => {
      await events.return(undefined);
    },
  });
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
