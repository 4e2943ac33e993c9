import { expect, test } from "vitest";
import { Client } from "../src/api/client";
import { Kernel } from "../src/widget/model";
import { BASE, transport } from "../src/widget/transport";
import { eventually } from "./server";

interface Asked {
  readonly id: number;
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

/** A kernel whose answers a test gives by hand. */
function begun(): { client: Client; asked: Asked[]; answer: (id: number, body: unknown, status?: number) => void } {
  const asked: Asked[] = [];
  let heard: (content: unknown) => void = () => undefined;
  const kernel = new Kernel({
    get: () => null,
    send: (content) => void asked.push(content as Asked),
    on: (_, told) => void (heard = told),
    off: () => undefined,
  });
  const answer = (id: number, body: unknown, status = 200): void =>
    heard({ id, status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return { client: new Client(BASE, () => "", transport(kernel)), asked, answer };
}

test("a request goes by way of the kernel, and so does what the server says", async () => {
  const { client, asked, answer } = begun();
  const stopping = client.post("/runs/{run_id}/stop", { path: { run_id: "a" } });
  const listing = client.get("/runs", { query: { limit: 2, q: "a b" } });
  const refused = expect(listing).rejects.toThrow("no");
  await eventually(() => expect(asked).toHaveLength(2));
  expect(asked.map(({ method, path, body }) => [method, path, body])).toEqual([
    ["POST", "/runs/a/stop", "{}"],
    ["GET", "/runs?limit=2&q=a+b", undefined],
  ]);
  answer(2, { message: "no", reason: "Conflict", detail: "no" }, 409);
  answer(1, { message: "", run: { id: "a" } });
  expect((await stopping).run.id).toBe("a");
  await refused;
});

test("a log's stream is made of looks, to the end of a run that has ended", async () => {
  const { client, asked, answer } = begun();
  const body = await client.stream("/runs/{run_id}/logs/stream", { path: { run_id: "a" }, query: { offset: 7 } });
  const text = new Response(body).text();
  await eventually(() => expect(asked.map(({ path }) => path)).toEqual(["/runs/a"]));
  answer(1, { id: "a", status: "finished" });
  await eventually(() => expect(asked.at(-1)?.path).toBe("/runs/a/logs?offset=7&limit=102400"));
  answer(2, { content: "one", offset: 7, next_offset: 10, has_more_after: true });
  await eventually(() => expect(asked.at(-1)?.path).toBe("/runs/a/logs?offset=10&limit=102400"));
  answer(3, { content: "two", offset: 10, next_offset: 13, has_more_after: false });
  const told = (await text)
    .split("\n\n")
    .filter(Boolean)
    .map((block) => JSON.parse(block.slice(6)) as object);
  expect(told).toEqual([
    { type: "delta", content: "one", offset: 7, next_offset: 10, gap: null },
    { type: "delta", content: "two", offset: 10, next_offset: 13, gap: null },
    { type: "done", status: "finished" },
  ]);
});
