import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Run } from "../../src/api/records";
import {
  ALL,
  extended,
  type Filter,
  matches,
  queryOf,
  type Runs,
  runsOf,
  toggled,
  visible,
  withChanges,
  withPage,
} from "../../src/live/runs";
import { run } from "./runs";

function ids({ shown }: Runs): string[] {
  return shown.map(({ id }) => id);
}

test.each<[Partial<Filter>, Partial<Run>, boolean]>([
  [{}, {}, true],
  [{}, { is_archived: true }, false],
  [{ archived: true }, { is_archived: true }, true],
  [{ statuses: ["running", "failed"] }, { status: "failed" }, true],
  [{ statuses: ["running"] }, { status: "failed" }, false],
  [{ text: "TrAin" }, { command: "python train.py" }, true],
  [{ text: "x" }, { name: "ABX" }, true],
  [{ text: "x" }, { name: "a", command: "b" }, false],
  [{ tag: "a" }, { tags: ["b", "a"] }, true],
  [{ tag: "a" }, { tags: ["ab"] }, false],
  [{ sweep: "s" }, { sweep_id: "s" }, true],
  [{ sweep: "s" }, {}, false],
  [{ parent: "p" }, { parent_run_id: "p" }, true],
  [{ parent: "p" }, { parent_run_id: null }, false],
])("filter %j of %j: %s", (filter, of, expected) =>
  expect(matches(run("a", of), { ...ALL, ...filter })).toBe(expected),
);

test("the server is asked for what it can filter by", () => {
  expect(queryOf({ statuses: ["running", "failed"], text: "a b", tag: "t", sweep: "s", archived: true })).toEqual({
    status: "running,failed",
    q: "a b",
    sweep_id: "s",
    archived: "true",
  });
  expect(queryOf({ ...ALL, parent: "p" })).toEqual({ parent_run_id: "p" });
  expect(queryOf(ALL)).toEqual({});
});

describe("changes", () => {
  const page = [run("c", { created_at: 3 }), run("b", { created_at: 2 })];
  const below = withPage(runsOf(ALL), page, { before: "b" });
  const whole = withPage(runsOf(ALL), page, null);

  test("of what is shown stay in their place", () => {
    const after = withChanges(whole, [run("b", { created_at: 2, status: "running" })]);
    expect(after.shown.map(({ id, status }) => [id, status])).toEqual([
      ["c", "ready"],
      ["b", "running"],
    ]);
  });

  test("that take it out of the filter take it away, and bring it back", () => {
    const gone = withChanges(whole, [run("c", { created_at: 3, is_archived: true })]);
    expect(ids(gone)).toEqual(["b"]);
    expect(ids(withChanges(gone, page))).toEqual(["c", "b"]);
  });

  test("that are new come first, those of one moment as they were made", () => {
    expect(ids(withChanges(whole, [run("d", { created_at: 4 }), run("e", { created_at: 4 })]))).toEqual([
      "e",
      "d",
      "c",
      "b",
    ]);
  });

  test("of older ones wait for their page, if there is one", () => {
    const old = run("a", { created_at: 1 });
    expect(ids(withChanges(below, [old]))).toEqual(["c", "b"]);
    expect(ids(withChanges(whole, [old]))).toEqual(["c", "b", "a"]);
    expect(ids(withPage(below, [old], null))).toEqual(["c", "b", "a"]);
  });

  test("none are lost or doubled, in any order of pages and events", () => {
    const all = Array.from({ length: 30 }, (_, n) => run(`r${n}`, { created_at: 30 - n }));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 29 }), fc.boolean()), { maxLength: 60 }), (steps) => {
        const now = [...all];
        let state = runsOf(ALL);
        for (const [n, isPage] of steps) {
          const next = state.next === null ? all.length : Number(state.next["before"] ?? 0);
          if (isPage && state.next !== null) {
            const page = now.slice(next, next + 7);
            state = withPage(state, page, next + 7 < all.length ? { before: String(next + 7) } : null);
          } else {
            now[n] = { ...(now[n] as Run), status: now[n]?.status === "running" ? "failed" : "running" };
            state = withChanges(state, [now[n]]);
          }
        }
        const loaded = state.next === null ? all.length : Number(state.next["before"] ?? 0);
        expect(state.shown).toEqual(now.slice(0, loaded));
      }),
    );
  });

  test("10,000 runs are no effort", () => {
    const many = Array.from({ length: 10_000 }, (_, n) => run(`r${n}`, { created_at: 10_000 - n }));
    let state = withPage(runsOf(ALL), many, null);
    for (let n = 0; n < 100; n++)
      state = withChanges(state, [run(`r${n * 97}`, { created_at: 10_000 - n * 97, status: "running" })]);
    expect(state.shown.filter(({ status }) => status === "running")).toHaveLength(100);
    expect(state.shown).toHaveLength(10_000);
  });
});

describe("selection", () => {
  const shown = ["a", "b", "c", "d"].map((id) => run(id));

  test("one by one", () => {
    expect([...toggled(toggled(new Set(), "a"), "b")]).toEqual(["a", "b"]);
    expect([...toggled(new Set(["a", "b"]), "a")]).toEqual(["b"]);
  });

  test("from one to another, either way", () => {
    expect([...extended(new Set(["a"]), shown, "b", "d")].sort()).toEqual(["a", "b", "c", "d"]);
    expect([...extended(new Set(), shown, "c", "b")].sort()).toEqual(["b", "c"]);
    expect([...extended(new Set(), shown, "gone", "b")]).toEqual(["b"]);
  });

  test("what is not shown is not selected", () => {
    expect([...visible(new Set(["a", "x"]), shown)]).toEqual(["a"]);
  });
});
