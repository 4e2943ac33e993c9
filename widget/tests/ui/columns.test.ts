import { expect, test } from "vitest";
import { bestOf, columnsOf, judgedOf, type SweepRow } from "../../src/ui/sweeps/columns";

function row(run_id: string, parameters: Record<string, unknown>, metrics: Record<string, number | null>): SweepRow {
  return { run_id, name: run_id, parameters, status: "finished", exit_code: 0, duration: 1, retried: false, metrics };
}

const ROWS = [
  row("a", { lr: 0.1, seed: 1, layers: [1] }, { loss: 0.5, acc: 0.8 }),
  row("b", { lr: 0.2, seed: 1, layers: [1, 2] }, { loss: null, acc: 0.9 }),
  row("c", { lr: 0.3, seed: 1, layers: [1] }, { loss: 0.4 }),
];

test("columns are the parameters that differ, and all metrics", () => {
  expect(columnsOf(ROWS)).toEqual({ parameters: ["lr", "layers"], metrics: ["loss", "acc"] });
  expect(columnsOf(ROWS.slice(0, 1)).parameters).toEqual(["lr", "seed", "layers"]);
  expect(columnsOf([])).toEqual({ parameters: [], metrics: [] });
});

test("the best is the least of a loss, and the most of what is no loss", () => {
  expect([bestOf(ROWS, "loss"), bestOf(ROWS, "acc"), bestOf(ROWS, "none")]).toEqual(["c", "b", undefined]);
});

test("the metric that a sweep is judged by", () => {
  expect(judgedOf(["loss", "val_loss", "val_acc"])).toEqual({ metric: "val_loss", mode: "min" });
  expect(judgedOf(["lr", "accuracy"])).toEqual({ metric: "accuracy", mode: "max" });
  expect(judgedOf(["neg_mean_squared_error", "acceleration", "r2"])).toEqual({ metric: "r2", mode: "max" });
  expect(judgedOf(["lr", "mapping"])).toBeUndefined();
});
