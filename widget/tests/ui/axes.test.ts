import { expect, test } from "vitest";
import { axisOf } from "../../src/ui/sweeps/axes";

test("numbers stand by their size, those of many magnitudes by these", () => {
  const even = axisOf([2, 4, 10, 4]);
  expect([2, 4, 10].map(even.place)).toEqual([0, 0.25, 1]);
  expect(even.ticks.map(({ label }) => label)).toEqual(["2", "4", "10"]);
  const wide = axisOf([0.0001, 0.01, 1]);
  expect(wide.place(0.01)).toBeCloseTo(0.5);
  expect(axisOf([7, 7]).place(7)).toBe(0.5);
});

test("what is no number stands at equal distances", () => {
  const axis = axisOf(["adam", "sgd", [1, 2]]);
  expect(["adam", "sgd", [1, 2]].map(axis.place)).toEqual([0, 0.5, 1]);
  expect(axis.ticks.map(({ label }) => label)).toEqual(["adam", "sgd", "[1,2]"]);
});

test("what is missing, or not finite, is nowhere", () => {
  for (const value of [null, undefined, NaN, Infinity, "no"]) expect(axisOf([1, 2]).place(value)).toBeNull();
  expect(axisOf(["a"]).place(undefined)).toBeNull();
  expect(axisOf([]).ticks).toEqual([]);
});

test("of many values the ends are labelled", () => {
  expect(axisOf(Array.from({ length: 50 }, (_, n) => n)).ticks.map(({ label }) => label)).toEqual(["0", "49"]);
});
