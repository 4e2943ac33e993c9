import { expect, test } from "vitest";
import { perform, verbsOf, verbsOfAll } from "../../src/ui/verbs";
import { run } from "../live/runs";
import { Server } from "../server";

test.each([
  ["ready", {}, "start archive"],
  ["queued", { queue_position: 2 }, "start stop archive"],
  ["queued", { sweep_id: "s" }, "stop archive"],
  ["launching", {}, "stop"],
  ["running", {}, "stop"],
  ["running", { stop_requested_at: 1 }, ""],
  ["failed", {}, "rerun archive"],
  ["finished", { is_archived: true }, "rerun unarchive"],
] as const)("of a run that is %s (%o): %s", (status, more, verbs) => {
  expect(verbsOf(run("r", { status, queue_position: null, ...more })).join(" ")).toBe(verbs);
});

test("of many, what some of them can do", () => {
  const runs = [run("a", { status: "finished" }), run("b", { status: "running" })];
  expect(verbsOfAll(runs)).toEqual(["stop", "archive"]);
  expect(verbsOfAll([])).toEqual([]);
});

test("a rerun starts, and gives the new run", async () => {
  const server = new Server();
  const made = perform(server.client, "rerun", "r1");
  const request = server.one("/runs/r1/rerun");
  expect([request.method, request.body]).toEqual(["POST", { auto_start: true }]);
  request.json(run("r2"));
  expect((await made).id).toBe("r2");
  const stopped = perform(server.client, "stop", "r1");
  server.one("/runs/r1/stop").json({ message: "", run: run("r1", { status: "stopped" }) });
  expect((await stopped).status).toBe("stopped");
});
