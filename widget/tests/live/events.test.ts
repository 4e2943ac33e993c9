import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Event } from "../../src/api/records";
import { Events } from "../../src/live/events";
import { Server, Tab } from "../server";
import { run } from "./runs";

let server: Server;
let tab: Tab;
let told: (string | undefined)[];
let reloads: number;
let events: Events;
let kept: boolean;
/** How many of the next lists can't be had. */
let failing: number;

/** Let everything happen that waits for nothing but time. */
async function pass(seconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

beforeEach(() => {
  vi.useFakeTimers();
  [server, tab, told, reloads, kept, failing] = [new Server(), new Tab(), [], 0, false, 0];
  const changed = (some: readonly Event[]): void => void told.push(...some.map((event) => event.run?.id));
  const reload = (): Promise<void> => {
    reloads++;
    return failing-- > 0 ? Promise.reject(new Error("no list")) : Promise.resolve();
  };
  events = new Events(server.client, { changed, reload, kept: () => kept }, tab);
});

afterEach(() => {
  events.close();
  vi.useRealTimers();
});

async function live(cursor: number): Promise<ReturnType<Server["one"]>> {
  await pass();
  const request = server.one("/events");
  request.stream();
  request.send(`id: ${cursor}\n\n`);
  await pass();
  return request;
}

test("once open, all is listed, and changes are told", async () => {
  expect(events.link.value).toBe("connecting");
  const request = await live(7);
  expect([events.link.value, reloads]).toEqual(["live", 1]);
  request.event({ type: "run", run: run("a") }, 8);
  request.event({ type: "run", run: run("b") }, 9);
  await pass();
  expect(told).toEqual(["a", "b"]);
  expect(reloads).toBe(1);
});

test("a stream that breaks goes on where it was, without a list", async () => {
  const request = await live(7);
  request.event({ type: "run", run: run("a") }, 8);
  request.send('data: {"type": "run", "ru');
  await pass();
  request.break();
  await pass();
  expect(events.link.value).toBe("retrying");
  await pass(1);
  const next = server.one("/events");
  expect(next.headers.get("Last-Event-ID")).toBe("8");
  next.stream();
  next.send("id: 8\n\n");
  next.event({ type: "run", run: run("b") }, 9);
  await pass();
  expect([told, reloads, events.link.value]).toEqual([["a", "b"], 1, "live"]);
});

test("a reset, or the cursor of another store, asks for a list", async () => {
  const request = await live(7);
  request.event({ type: "reset" });
  request.send("id: 5000\n\n");
  await pass();
  expect(reloads).toBe(2);
  request.end();
  await pass(1);
  const next = server.one("/events");
  next.stream();
  next.send("id: 3\n\n");
  await pass();
  expect([reloads, told]).toEqual([3, []]);
});

test("a list that fails is asked for again, though the stream goes on", async () => {
  const request = await live(7);
  failing = 2;
  request.event({ type: "reset" });
  request.send("id: 5000\n\n");
  await pass();
  expect([reloads, events.link.value]).toEqual([2, "live"]);
  await pass(5);
  expect(reloads).toBe(3);
  await pass(5);
  expect(reloads).toBe(4);
  await pass(10);
  expect(reloads).toBe(4);
});

test("while there is no stream, lists are asked for every five seconds, and tries grow rarer", async () => {
  await pass();
  let tries = 0;
  for (let second = 0; second < 120; second++) {
    for (const request of server.taken("/events")) {
      tries++;
      request.text("<html>bad gateway", 502);
    }
    await pass(1);
  }
  expect(reloads).toBeGreaterThanOrEqual(22);
  expect(reloads).toBeLessThanOrEqual(24);
  expect(tries).toBeGreaterThan(8);
  expect(tries).toBeLessThan(20);
  expect(events.link.value).toBe("retrying");
  await pass(20);
  await live(1);
  const before = reloads;
  await pass(12);
  expect([events.link.value, reloads]).toEqual(["live", before]);
});

test("a stream that is held back is given up, and polled for meanwhile", async () => {
  await pass();
  const held = server.one("/events");
  await pass(39);
  expect(held.signal?.aborted).toBe(false);
  expect(reloads).toBe(7);
  await pass(2);
  expect(held.signal?.aborted).toBe(true);
  expect(events.link.value).toBe("retrying");
});

test("a stream that fell silent is opened anew; one that lives is not", async () => {
  const request = await live(7);
  for (let n = 0; n < 10; n++) {
    await pass(15);
    request.send(": still here\n\n");
  }
  expect(server.taken("/events")).toEqual([]);
  await pass(41);
  expect(server.one("/events").headers.get("Last-Event-ID")).toBe("7");
});

describe("a hidden page", () => {
  test("has no stream, asks for nothing, and goes on when it is seen", async () => {
    const request = await live(7);
    tab.show(false);
    await pass();
    expect([request.signal?.aborted, events.link.value]).toEqual([true, "hidden"]);
    await pass(600);
    expect([server.requests, reloads]).toEqual([[], 1]);
    tab.show(true);
    await pass();
    expect(server.one("/events").headers.get("Last-Event-ID")).toBe("7");
  });

  test("keeps it when somebody waits to be told", async () => {
    kept = true;
    const request = await live(7);
    tab.show(false);
    await pass();
    expect([request.signal?.aborted, events.link.value]).toEqual([false, "live"]);
  });

  test("that is hidden while it waits to try again does not", async () => {
    await pass();
    server.one("/events").fail(new TypeError("network"));
    await pass();
    tab.show(false);
    await pass(600);
    expect([server.requests, events.link.value, reloads]).toEqual([[], "hidden", 0]);
  });
});

test("without a login it says so, asks seldom, and at once when told to", async () => {
  await pass();
  const body = { message: "not logged in", reason: "Forbidden", detail: "" };
  server.one("/events").json(body, 403);
  await pass();
  expect([events.link.value, events.error.value?.message]).toEqual(["refused", "not logged in"]);
  await pass(29);
  expect(server.taken("/events")).toEqual([]);
  events.retry();
  await live(1);
  expect([events.link.value, events.error.value]).toEqual(["live", null]);
});

test("of too many streams it comes again when the server says", async () => {
  await pass();
  const body = { message: "100 streams are open", reason: "Service Unavailable", detail: "" };
  server.one("/events").json(body, 503, { "Retry-After": "9" });
  await pass(8.9);
  expect(server.taken("/events")).toEqual([]);
  await pass(0.2);
  server.one("/events");
});

test("a closed one does nothing more", async () => {
  const request = await live(7);
  events.close();
  await pass(600);
  expect([request.signal?.aborted, server.requests, reloads, events.link.value]).toEqual([true, [], 1, "closed"]);
});
