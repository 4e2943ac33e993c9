import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Follower } from "../../src/live/follow";
import { Lines } from "../../src/log/lines";
import { texts } from "../log/text";
import { Server, Tab } from "../server";

const ID = "0123456789ab";
const PATH = `/runs/${ID}/logs/stream`;
let server: Server;
let lines: Lines;
let follower: Follower;

beforeEach(() => {
  vi.useFakeTimers();
  [server, lines] = [new Server(), new Lines()];
});

afterEach(() => {
  follower.close();
  vi.useRealTimers();
});

async function pass(seconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

async function open(): Promise<ReturnType<Server["one"]>> {
  await pass();
  const request = server.one(PATH);
  request.stream();
  return request;
}

test("from an empty window: the end of the log, then what comes, to the run's end", async () => {
  follower = new Follower(lines, server.client, ID, "logs", new Tab());
  const request = await open();
  expect(request.url.search).toBe("");
  request.event({ type: "initial", content: "a\n", offset: 10, next_offset: 12 }, 12);
  request.event({ type: "delta", content: "b\n", offset: 12, next_offset: 14 }, 14);
  await pass();
  expect([texts(lines), lines.start, follower.version.value]).toEqual([["a", "b"], 10, 2]);
  request.event({ type: "done", status: "failed" });
  await pass(600);
  expect([follower.ended.value, follower.link.value, server.requests]).toEqual(["failed", "closed", []]);
});

test("over a broken connection without gap or repeat, though the cursor was lost", async () => {
  lines.append({ content: "a\n", offset: 0, next_offset: 2 });
  follower = new Follower(lines, server.client, ID, "logs", new Tab());
  const request = await open();
  expect(request.url.search).toBe("?offset=2");
  request.event({ type: "delta", content: "b\n", offset: 2, next_offset: 4 });
  request.send('data: {"type":"delta","content":"c');
  await pass();
  request.break();
  await pass(1);
  const next = await open();
  expect(next.url.search).toBe("?offset=4");
  next.event({ type: "delta", content: "c\n", offset: 4, next_offset: 6 }, 6);
  next.event({ type: "gap", offset: 6, next_offset: 100 }, 100);
  next.event({ type: "delta", content: "d\n", offset: 100, next_offset: 102 }, 102);
  await pass();
  expect(texts(lines)).toEqual(["a", "b", "c", "", "d"]);
});

test("a window that dropped its end is left alone", async () => {
  const small = new Lines({ text: 10, rows: 100 }, 0);
  small.append({ content: "c\n23456789\n", offset: 20, next_offset: 31 });
  follower = new Follower(small, server.client, ID, "logs", new Tab());
  const request = await open();
  request.event({ type: "delta", content: "d\n", offset: 31, next_offset: 33 }, 33);
  await pass();
  expect(follower.isApart.value).toBe(false);
  small.prepend({ content: "a\n3456789\n", offset: small.start - 10, next_offset: small.start });
  expect(small.end).toBeLessThan(33);
  const before = texts(small);
  request.event({ type: "delta", content: "e\n", offset: 33, next_offset: 35 }, 35);
  await pass();
  expect([texts(small), follower.isApart.value]).toEqual([before, true]);
  request.break();
  await pass(1);
  expect((await open()).url.search).toBe("?offset=35");
});

test("a log that can't be read says why", async () => {
  follower = new Follower(lines, server.client, ID, "logs", new Tab());
  (await open()).event({ type: "error", error: "run.log is not a regular file" });
  await pass(600);
  expect([follower.error.value, server.requests]).toEqual(["run.log is not a regular file", []]);
});

test("a run that is gone is not asked for again", async () => {
  follower = new Follower(lines, server.client, ID, "logs", new Tab());
  await pass();
  server.one(PATH).json({ message: "no run", reason: "Not Found", detail: "" }, 404);
  await pass(600);
  expect([follower.link.value, server.requests]).toEqual(["closed", []]);
});
