import fc from "fast-check";
import { expect, test } from "vitest";
import { ALL } from "../../src/live/runs";
import { hashOf, hashOfRuns, type Route, routeOf, STATUSES } from "../../src/ui/route";

const words = fc.string({ unit: "binary" }).map((text) => text.toWellFormed());
const filter = fc.record({
  statuses: fc.subarray([...STATUSES]),
  text: words,
  tag: words,
  sweep: words,
  archived: fc.boolean(),
});
const routes = fc.oneof(
  fc.constantFrom<Route>({ view: "sweeps" }, { view: "alerts" }),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/).map((id): Route => ({ view: "run", id })),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/).map((id): Route => ({ view: "sweep", id })),
  filter.map((each): Route => ({ view: "runs", filter: each })),
);

test("an address leads to what it was made of", () => {
  fc.assert(
    fc.property(routes, (route) => {
      expect(routeOf(hashOf(route))).toEqual(route);
    }),
  );
});

test("whatever stands in the address, something is shown", () => {
  fc.assert(
    fc.property(fc.string(), (hash) => {
      expect(["runs", "run", "sweep", "sweeps", "alerts"]).toContain(routeOf(hash).view);
    }),
  );
  for (const hash of ["", "#", "#/", "#/nowhere", "#/runs/a/b", "#/runs?status=none"]) {
    expect(routeOf(hash)).toEqual({ view: "runs", filter: ALL });
  }
});

test("an address says no more than it must", () => {
  expect(hashOfRuns()).toBe("#/runs");
  expect(hashOfRuns({ statuses: ["failed"], text: "a&b" })).toBe("#/runs?status=failed&q=a%26b");
});
