import { expect, test } from "vitest";
import type { Event } from "../../src/api/records";
import { SharedEvents } from "../../src/live/shared";
import { eventually, Server, Tab } from "../server";
import { run } from "./runs";

test("one stream serves all, as long as one of them is seen", async () => {
  const server = new Server();
  const events = new SharedEvents(server.client);
  const told: Record<string, string[]> = { one: [], other: [] };
  const listener = (name: string): Parameters<SharedEvents["join"]>[0] => ({
    changed: (changes: readonly Event[]) => told[name]?.push(...changes.map(({ run: each }) => each?.id ?? "")),
    reload: () => Promise.resolve(void told[name]?.push("all")),
  });
  const [tab, otherTab] = [new Tab(), new Tab()];
  const one = events.join(listener("one"), tab);
  const other = events.join(listener("other"), otherTab);
  const stream = await server.asked("/events");
  stream.stream();
  stream.send("id: 1\n\n");
  stream.event({ type: "run", run: run("a") }, 2);
  await eventually(() => expect(told).toEqual({ one: ["all", "a"], other: ["all", "a"] }));
  tab.show(false);
  expect(stream.signal?.aborted).toBe(false);
  otherTab.show(false);
  expect(stream.signal?.aborted).toBe(true);
  otherTab.show(true);
  const again = await server.asked("/events");
  expect(again.headers.get("Last-Event-ID")).toBe("2");
  again.stream();
  one.close();
  expect(again.signal?.aborted).toBe(false);
  other.close();
  expect(again.signal?.aborted).toBe(true);
  expect(server.requests).toEqual([]);
});
