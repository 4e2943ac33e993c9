import { expect, test } from "vitest";
import { commandOf, countOf, firstOf, parametersOf, valuesOf } from "../../src/ui/sweeps/grid";

test("values are what they look like", () => {
  expect(valuesOf('0.1, 1e-3, adam , true, null, "a, b", [1')).toEqual([0.1, 0.001, "adam", true, null, "a, b", "[1"]);
  expect(valuesOf(" , ")).toEqual([]);
});

test("a grid goes through the last parameter first; a zip through all at once", () => {
  const parameters = parametersOf([
    { name: "a", values: "1,2" },
    { name: "b", values: "x,y,z" },
    { name: " ", values: "9" },
  ]);
  expect([countOf(parameters, "grid"), countOf(parameters, "zip"), countOf({}, "grid")]).toEqual([6, 2, 0]);
  expect(firstOf(parameters, "grid", 4)).toEqual([
    { a: 1, b: "x" },
    { a: 1, b: "y" },
    { a: 1, b: "z" },
    { a: 2, b: "x" },
  ]);
  expect(firstOf(parameters, "zip", 4)).toEqual([
    { a: 1, b: "x" },
    { a: 2, b: "y" },
  ]);
});

test("a command with its values, quoted where a shell needs it", () => {
  expect(commandOf("train {lr} ", { lr: 0.1, name: "it's" })).toBe(`train 0.1 --name='it'"'"'s'`);
});
