import { expect, test, vi } from "vitest";
import type { Run } from "../../src/api/records";
import { ALL } from "../../src/live/runs";
import { RunStore } from "../../src/live/store";
import { memoryNavigation } from "../../src/ui/navigation";
import { Session } from "../../src/ui/session";
import { run } from "../live/runs";
import { eventually, Server, Tab } from "../server";

interface Begun {
  readonly session: Session;
  readonly server: Server;
  readonly send: (each: Run) => void;
  /** What is shown is to be asked for again. */
  readonly reset: () => void;
}

/** A session whose lists have come, and its event stream. */
async function begun(runs: readonly Run[]): Promise<Begun> {
  const server = new Server();
  const session = new Session(server.client, new Tab(), memoryNavigation());
  (await server.asked("/runs")).json(runs);
  server.one("/sweeps").json([]);
  server.one("/alerts").json([]);
  server.one("").json({ status: "ok", version: "1", counts: { ready: runs.length } });
  const stream = await server.asked("/events");
  stream.stream();
  await eventually(() => expect(session.store.runs.value.shown).toHaveLength(runs.length));
  const send = (each: Run): void => stream.event({ type: "run", run: each });
  return { session, server, send, reset: () => stream.event({ type: "reset" }) };
}

test("a run that is looked at alone follows its events", async () => {
  const { session, server, send } = await begun([run("a")]);
  const seen = session.run("a");
  expect((seen.value as Run).status).toBe("ready"); // from the list, at once
  const asked = server.one("/runs/a");
  send(run("a", { status: "running" }));
  await eventually(() => expect((seen.value as Run).status).toBe("running"));
  asked.json(run("a")); // as it was before
  send(run("a", { status: "running", name: "renamed" }));
  await eventually(() => expect((seen.value as Run).name).toBe("renamed"));
  expect((seen.value as Run).status).toBe("running");
  session.close();
});

test("a run that there is not says so; one that was seen stays while the server is away", async () => {
  const { session, server } = await begun([run("a")]);
  const none = session.run("b");
  const words = "there is no run b";
  server.one("/runs/b").json({ message: words, reason: "Not Found", detail: words }, 404);
  const known = session.run("a");
  server.one("/runs/a").fail(new TypeError("network"));
  await eventually(() => expect((none.value as Error | null)?.message).toBe(words));
  expect((known.value as Run).id).toBe("a");
  session.close();
});

test("what a run was made into follows its events and is asked for again, until it is left", async () => {
  const { session, server, send, reset } = await begun([]);
  const store = new RunStore(session.client, 2);
  const made = (): string[] => store.runs.value.shown.map(({ id, status }) => `${id} ${status}`);
  const from = (id: string, more: Partial<Run> = {}): Run => run(id, { parent_run_id: "p", ...more });
  const leave = session.follow(store, { ...ALL, archived: true, parent: "p" });
  const request = server.one("/runs");
  expect(Object.fromEntries(request.url.searchParams)).toEqual({ parent_run_id: "p", archived: "true", limit: "2" });
  send(from("c", { created_at: 3 })); // while it is asked for
  await eventually(() => expect(session.store.runs.value.shown).toHaveLength(1));
  const link = '</base/ra-jobs/runs?before=a&limit=2>; rel="next"';
  request.json([from("b", { created_at: 2, is_archived: true }), from("a", { created_at: 1 })], 200, { Link: link });
  await eventually(() => expect(made()).toEqual(["c ready", "b ready", "a ready"]));
  expect(store.runs.value.next).not.toBeNull();
  send(run("other", { created_at: 4 }));
  send(from("older", { created_at: 0 })); // below what was asked for
  send(from("a", { created_at: 1, status: "running" }));
  await eventually(() => expect(made()).toEqual(["c ready", "b ready", "a running"]));
  reset();
  await eventually(() => expect(server.requests).not.toEqual([]));
  const asked = server.taken("/runs");
  asked.find(({ url }) => url.searchParams.has("parent_run_id"))?.json([from("d", { created_at: 5 })]);
  await eventually(() => expect(made()).toEqual(["d ready"]));
  server.requests.splice(0);
  leave();
  send(from("e", { created_at: 6 }));
  reset();
  await eventually(() => expect(server.requests).not.toEqual([]));
  const others = server.taken("/runs");
  expect([others.map(({ url }) => url.searchParams.has("parent_run_id")), made()]).toEqual([[false], ["d ready"]]);
  session.close();
});

test("what a run was made into is asked for again, when that failed", async () => {
  vi.useFakeTimers();
  const { session, server, send } = await begun([]);
  send(run("other")); // the stream is live: nothing else is asked for
  await vi.advanceTimersByTimeAsync(1_000);
  server.one("").json({ status: "ok", version: "1", counts: {} });
  const store = new RunStore(session.client, 2);
  const leave = session.follow(store, { ...ALL, parent: "p" });
  for (const status of [503, 502]) {
    server.one("/runs").json({ message: "no", reason: "no", detail: "no" }, status);
    await vi.advanceTimersByTimeAsync(5_000);
  }
  server.one("/runs").json([run("a", { parent_run_id: "p" })]);
  await vi.advanceTimersByTimeAsync(0);
  expect(store.runs.value.shown).toHaveLength(1);
  leave();
  session.close();
  vi.useRealTimers();
});

test("a run that nobody looks at any more is not asked for again", async () => {
  const { session, server, reset } = await begun([run("a"), run("b")]);
  const leave = session.run("a").subscribe(() => undefined);
  const stay = session.run("b").subscribe(() => undefined);
  for (const id of ["a", "b"]) server.one(`/runs/${id}`).json(run(id));
  leave();
  reset();
  await eventually(() => expect(server.requests).not.toEqual([]));
  expect([server.taken("/runs/a").length, server.taken("/runs/b").length]).toEqual([0, 1]);
  stay();
  session.close();
});

test("an answer that comes after what followed from it changes nothing", async () => {
  const { session, server, send } = await begun([run("a")]);
  const seen = session.run("a");
  server.one("/runs/a").json(run("a"));
  const acting = session.act("start", session.store.runs.value.shown);
  const asked = server.one("/runs/a/start");
  send(run("a", { status: "finished" }));
  await eventually(() => expect((seen.value as Run).status).toBe("finished"));
  asked.json({ message: "", run: run("a", { status: "launching" }) });
  await acting;
  expect([(seen.value as Run).status, session.store.runs.value.shown[0]?.status]).toEqual(["finished", "finished"]);
  send(run("a", { status: "queued" })); // it is launched again
  await eventually(() => expect((seen.value as Run).status).toBe("queued"));
  session.close();
});

test("a list that can't be had is asked for again", async () => {
  vi.useFakeTimers();
  const { session, server, reset } = await begun([run("a")]);
  await vi.advanceTimersByTimeAsync(0);
  reset();
  await vi.advanceTimersByTimeAsync(0);
  server.one("/runs").fail(new TypeError("network"));
  for (const path of ["/sweeps", "/alerts"]) server.one(path).json([]);
  server.one("").json({ status: "ok", version: "1", counts: {} });
  await vi.advanceTimersByTimeAsync(5_000);
  server.one("/runs").json([run("a", { status: "finished" })]);
  await vi.advanceTimersByTimeAsync(0);
  expect(session.store.runs.value.shown[0]?.status).toBe("finished");
  session.close();
  vi.useRealTimers();
});

test("many are archived, and that is undone; what was refused is told", async () => {
  const { session, server } = await begun([run("a"), run("b")]);
  const acting = session.act("archive", session.store.runs.value.shown);
  server.one("/runs/a/archive").json({ message: "", run: run("a", { is_archived: true }) });
  server.one("/runs/b/archive").json({ message: "no", reason: "Conflict", detail: "no" }, 409);
  expect((await acting).map(({ id }) => id)).toEqual(["a"]);
  expect(session.store.runs.value.shown.map(({ id }) => id)).toEqual(["b"]);
  const [refused, done] = session.notices.value;
  expect([refused?.text, refused?.isError, done?.text]).toEqual(["Archive: no", true, "Archived: run a"]);
  done?.undo?.();
  server.one("/runs/a/unarchive").json({ message: "", run: run("a") });
  await eventually(() => expect(session.store.runs.value.shown).toHaveLength(2));
  session.close();
});
