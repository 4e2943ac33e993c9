import { expect, test } from "vitest";
import { columnsOf, inOrder, smoothed } from "../../src/ui/metrics/series";

test("smoothing keeps a constant, begins at the first value, and lets no NaN spread", () => {
  expect(smoothed([2, 2, 2], 0.9)).toEqual([2, 2, 2]);
  expect(smoothed([1, 3], 0.5)).toEqual([1, 3.5 / 1.5]);
  expect(smoothed([1, NaN, 1], 0.5)).toEqual([1, NaN, 1]);
  expect(smoothed([5, 1, 4], 0)).toEqual([5, 1, 4]);
});

test("columns are in the order of steps; what can't be drawn is a hole", () => {
  const points = [
    { step: 2, value: -1 },
    { step: 1, value: 10 },
    { step: 3, value: Infinity },
  ];
  expect(columnsOf(points, 0, false)).toEqual([
    [1, 2, 3],
    [10, -1, null],
  ]);
  expect(columnsOf(points, 0, true)[1]).toEqual([10, null, null]);
  expect(columnsOf(points, 0.5, false)).toHaveLength(3);
});

test("losses come first", () => {
  expect(inOrder(["lr", "val_acc", "train_loss", "a"])).toEqual(["train_loss", "val_acc", "a", "lr"]);
});
