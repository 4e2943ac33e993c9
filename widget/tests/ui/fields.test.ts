import { expect, test } from "vitest";
import { changesOf, nameOf, tagsOf, variablesOf } from "../../src/ui/fields";

test("variables, a line each", () => {
  const text = "A=1\n\n  export B_2=x=y z \nnot one\n3=no\nEMPTY=";
  expect(variablesOf(text)).toEqual({ env: { A: "1", B_2: "x=y z ", EMPTY: "" }, wrong: ["not one", "3=no"] });
});

test("a variable of any name is a variable", () => {
  expect(Object.entries(variablesOf("__proto__=1").env)).toEqual([["__proto__", "1"]]);
});

test("tags, each once", () => {
  expect(tagsOf(" a, b ,a,,")).toEqual(["a", "b"]);
  expect(tagsOf("")).toEqual([]);
});

test("a name from a command", () => {
  expect(nameOf("  python train.py\necho done")).toBe("python train.py");
  expect(nameOf("x".repeat(100))).toHaveLength(60);
  expect(nameOf(" ")).toBe("");
});

test("what is saved is what was changed", () => {
  const before = { name: "a", notes: null, tags: ["x"] as readonly string[] };
  expect(changesOf(before, { name: "b", notes: null, tags: ["x"] })).toEqual({ name: "b" });
  expect(changesOf(before, { tags: [] })).toEqual({ tags: [] });
  expect(changesOf(before, before)).toEqual({});
});
