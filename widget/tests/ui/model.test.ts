import { expect, test } from "vitest";
import { kindsOf } from "../../src/ui/log/kinds";
import { LogModel } from "../../src/ui/log/model";
import { eventually, Server, Tab } from "../server";

const LOG = Array.from({ length: 40_000 }, (_, n) => `line ${n}${n === 9_000 ? " ERROR: no" : ""}\n`).join("");

/** Answer what was asked of the log's pages. */
async function answer(server: Server): Promise<void> {
  const request = await server.asked("/runs/r/logs");
  const given = Number(request.url.searchParams.get("offset"));
  const limit = Number(request.url.searchParams.get("limit"));
  const offset = given < 0 ? Math.max(0, LOG.length + given) : given;
  const content = LOG.slice(offset, offset + limit);
  const next_offset = offset + content.length;
  request.json({
    content,
    offset,
    next_offset,
    total_size: LOG.length,
    has_more_before: offset > 0,
    has_more_after: next_offset < LOG.length,
    gap: null,
  });
}

async function opened(streaming: boolean): Promise<[LogModel, Server]> {
  const server = new Server();
  const model = new LogModel(server.client, "r", "logs", new Tab());
  const done = model.toEnd(streaming ? "active" : "ended");
  await answer(server);
  await done;
  return [model, server];
}

test("it opens with the last page, and no more", async () => {
  const [model, server] = await opened(false);
  expect([model.state.value, model.lines.end, model.total.value]).toEqual(["ready", LOG.length, LOG.length]);
  expect(model.lines.row(model.lines.last - 1)?.text).toBe("line 39999");
  expect([model.hasOlder, model.isApart.value, model.isComplete.value]).toEqual([true, false, true]);
  expect(server.requests).toEqual([]);
});

test("older pages come before, one at a time, up to the beginning", async () => {
  const [model, server] = await opened(false);
  while (model.hasOlder) {
    const { last } = model.lines;
    const asked = [model.older(), model.older()];
    await answer(server);
    expect(await Promise.all(asked)).toEqual([true, false]);
    expect(model.lines.last).toBe(last); // rows keep their numbers
  }
  expect(model.text()).toBe(LOG.trimEnd());
  expect(await model.older()).toBe(false);
});

test("what is added is followed, until it is closed", async () => {
  const [model, server] = await opened(true);
  const stream = await server.asked("/runs/r/logs/stream");
  expect(stream.url.searchParams.get("offset")).toBe(String(LOG.length));
  stream.stream();
  const before = model.version.value;
  stream.event({ type: "delta", content: "more\n", offset: LOG.length, next_offset: LOG.length + 5 });
  await eventually(() => expect(model.total.value).toBe(LOG.length + 5));
  expect(model.version.value).toBeGreaterThan(before);
  expect(model.lines.row(model.lines.last - 1)?.text).toBe("more");
  stream.event({ type: "done", status: "finished" });
  expect(model.isComplete.value).toBe(false);
  await eventually(() => expect(model.isStreaming.value).toBe(false));
  expect(model.isComplete.value).toBe(true);
  model.close();
});

test("a place that is not held is gone to, and from there down to the end", async () => {
  const [model, server] = await opened(false);
  const offset = LOG.indexOf("line 20000\n");
  const going = model.goTo(offset);
  await answer(server);
  const row = (await going) as number;
  expect([model.lines.row(row)?.text, model.isApart.value]).toEqual(["line 20000", true]);
  while (model.isApart.value) {
    const more = model.newer();
    await answer(server);
    await more;
  }
  expect(model.lines.end).toBe(LOG.length);
});

test("an error is looked for in older pages", async () => {
  const [model, server] = await opened(false);
  const looking = model.nextError(model.lines.last, -1);
  while (!model.text().includes("ERROR")) {
    const { first } = model.lines;
    await answer(server);
    await eventually(() => expect(model.lines.first).toBeLessThan(first));
  }
  const row = (await looking) as number;
  expect(model.lines.row(row)?.text).toBe("line 9000 ERROR: no");
  expect([...kindsOf(model.lines, row - 1, row + 2)]).toEqual([[row, "error"]]);
});

test("what goes wrong is told, and trying again may go right", async () => {
  const server = new Server();
  const model = new LogModel(server.client, "r", "logs", new Tab());
  const done = model.toEnd("ended");
  server.one("/runs/r/logs").fail(new TypeError("network"));
  await done;
  expect([model.state.value, model.error.value]).toEqual(["failed", "the server does not answer"]);
  const again = model.toEnd("ended");
  await answer(server);
  await again;
  expect([model.state.value, model.error.value]).toEqual(["ready", null]);
});
