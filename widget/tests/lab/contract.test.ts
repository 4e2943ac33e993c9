import { expect, test } from "vitest";
import { shared } from "../../src/lab/contract";

const module = (name: string): (() => Promise<() => string>) => {
  return () => Promise.resolve(() => name);
};

test("the module that is in use is taken, or the newest; there may be none", async () => {
  const scope = {
    used: { "9.0.0": { get: module("not") }, "2.0.0": { get: module("this"), loaded: 1 } },
    unused: { "9.0.0": { get: module("not") }, "10.0.0": { get: module("this") } },
  };
  expect(await shared(scope, "used")).toBe("this");
  expect(await shared(scope, "unused")).toBe("this");
  expect(await shared(scope, "none")).toBeUndefined();
});
