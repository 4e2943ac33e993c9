import { describe, expect, test } from "vitest";
import { Unreachable } from "../../src/api/errors";
import type { Run } from "../../src/api/records";
import { Collection } from "../../src/live/collection";
import { ALL } from "../../src/live/runs";
import { RunStore } from "../../src/live/store";
import { Server } from "../server";
import { run } from "./runs";

const MANY = Array.from({ length: 1_200 }, (_, n) =>
  run(`r${n}`, { created_at: 2_000 - n, tags: n % 600 === 599 ? ["rare"] : [] }),
);

function answer(server: Server, request = server.one("/runs")): URLSearchParams {
  const query = request.url.searchParams;
  const from = query.has("before") ? MANY.findIndex(({ id }) => id === query.get("before")) + 1 : 0;
  const page = MANY.slice(from, from + Number(query.get("limit")));
  const last = page.at(-1) as Run;
  const more = from + page.length < MANY.length;
  request.json(page, 200, more ? { Link: `</base/ra-jobs/runs?before=${last.id}&limit=9>; rel="next"` } : {});
  return query;
}

function make(): [RunStore, Server] {
  const server = new Server();
  return [new RunStore(server.client), server];
}

function ids(store: RunStore): string[] {
  return store.runs.value.shown.map(({ id }) => id);
}

test("pages are loaded as they are asked for, and all of them again in few calls", async () => {
  const [store, server] = make();
  const first = store.filter(ALL);
  expect(store.loading.value).toBe(true);
  expect(answer(server).get("limit")).toBe("100");
  await first;
  expect([ids(store).length, store.loading.value]).toEqual([100, false]);
  const more = store.more();
  void store.more(); // while one is on its way, nothing
  expect(Object.fromEntries(answer(server))).toEqual({ before: "r99", limit: "500" });
  await more;
  expect(ids(store)).toEqual(MANY.slice(0, 600).map(({ id }) => id));
  const again = store.reload();
  expect(Object.fromEntries(answer(server))).toEqual({ limit: "600" });
  await again;
  expect(ids(store)).toHaveLength(600);
});

test("a tag is looked for in as many pages as it takes", async () => {
  const [store, server] = make();
  const loaded = store.filter({ ...ALL, tag: "rare" });
  for (let calls = 0; calls < 2; calls++) answer(server, await server.asked("/runs"));
  await loaded;
  expect(ids(store)).toEqual(["r599"]);
});

test("what changed while a page was on its way is not undone by it", async () => {
  const [store, server] = make();
  const loaded = store.filter(ALL);
  store.take([
    { type: "run", run: run("r3", { created_at: 1_997, status: "running" }) },
    { type: "run", run: run("new", { created_at: 3_000 }) },
  ]);
  answer(server);
  await loaded;
  expect(ids(store).slice(0, 2)).toEqual(["new", "r0"]);
  expect(store.runs.value.shown.find(({ id }) => id === "r3")?.status).toBe("running");
});

test("the last filter counts, whatever comes first", async () => {
  const [store, server] = make();
  const first = store.filter({ ...ALL, text: "a" });
  const second = store.filter({ ...ALL, text: "b" });
  const [one, other] = server.taken("/runs");
  expect(one?.signal?.aborted).toBe(true);
  other?.json([run("b", { name: "b" })]);
  await Promise.all([first, second]);
  expect([ids(store), store.runs.value.filter.text]).toEqual([["b"], "b"]);
});

test("a call that fails says so, and leaves what is shown", async () => {
  const [store, server] = make();
  const first = store.filter(ALL);
  answer(server);
  await first;
  const again = store.reload();
  server.one("/runs").fail(new TypeError("network"));
  await expect(again).rejects.toBeInstanceOf(Unreachable);
  expect([ids(store).length, store.loading.value]).toEqual([100, false]);
});

describe("selection", () => {
  test("of what is shown", async () => {
    const [store, server] = make();
    const first = store.filter(ALL);
    answer(server);
    await first;
    store.toggle("r1");
    store.extend("r3");
    expect([...store.selection.value]).toEqual(["r1", "r2", "r3"]);
    store.change([run("r2", { is_archived: true })]);
    expect([...store.selection.value]).toEqual(["r1", "r3"]);
    store.selectAll(true);
    expect(store.selection.value.size).toBe(99);
    store.selectAll(false);
    expect(store.selection.value.size).toBe(0);
  });
});

test("a collection keeps what was told while it was listed, and lets go what is no longer of it", async () => {
  type Thing = { id: string; status: string };
  let resolve: (things: Thing[]) => void = () => undefined;
  const alerts = new Collection<Thing>(
    () => new Promise((done) => (resolve = done)),
    ({ status }) => status === "pending",
  );
  const listed = alerts.reload();
  alerts.take([
    { id: "a", status: "resolved" },
    { id: "b", status: "pending" },
  ]);
  resolve([
    { id: "a", status: "pending" },
    { id: "c", status: "pending" },
  ]);
  await listed;
  expect([...alerts.things.value.keys()].sort()).toEqual(["b", "c"]);
  alerts.take([{ id: "c", status: "resolved" }]);
  expect([...alerts.things.value.keys()]).toEqual(["b"]);
});
