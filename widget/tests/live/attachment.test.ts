import { expect, test } from "vitest";
import { attachInTab } from "../../src/live/attachment";
import { eventually, Server } from "../server";
import { run } from "./runs";

test("a tab of the host is opened by the terminal's name, and called as the run", async () => {
  const server = new Server();
  const opened: string[] = [];
  const attaching = attachInTab(server.client, run("a"), (...given) => Promise.resolve(void opened.push(...given)));
  server.one("/runs/a/terminal").json({ name: "ra_a_1" });
  await attaching;
  expect([opened, server.requests]).toEqual([["ra_a_1", "run a"], []]);
});

test("a terminal that no tab shows is ended; without one, no tab is opened", async () => {
  const server = new Server();
  const fails = (): Promise<void> => Promise.reject(new Error("no tab"));
  const attaching = attachInTab(server.client, run("a"), fails);
  server.one("/runs/a/terminal").json({ name: "ra_a_1" });
  await eventually(() => expect(server.requests).toHaveLength(1));
  const [end] = server.requests.splice(0);
  expect([end?.method, end?.url.pathname]).toEqual(["DELETE", "/base/api/terminals/ra_a_1"]);
  end?.json({});
  await expect(attaching).rejects.toThrow("no tab");
  const refused = attachInTab(server.client, run("a"), fails);
  const words = "run a has ended (finished), and its window is gone";
  server.one("/runs/a/terminal").json({ message: words, reason: "Conflict", detail: words }, 409);
  await expect(refused).rejects.toThrow("its window is gone");
  expect(server.requests).toEqual([]);
});
