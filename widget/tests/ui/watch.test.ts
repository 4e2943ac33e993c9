import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Run } from "../../src/api/records";
import type { Known } from "../../src/ui/looks";
import { memoryNavigation } from "../../src/ui/navigation";
import { Watch } from "../../src/ui/watch";
import { run } from "../live/runs";
import { eventually } from "../server";

const told: string[] = [];
const said: string[] = [];
let asked = 0;
let store = new Map<string, string>();

class Notes {
  static permission = "default";
  static answer = "granted";
  onclick = null;
  static requestPermission(): Promise<string> {
    asked++;
    Notes.permission = Notes.answer;
    return Promise.resolve(Notes.permission);
  }
  constructor(title: string, options: { body: string }) {
    told.push(`${title}, ${options.body}`);
  }
}

beforeEach(() => {
  Object.assign(Notes, { permission: "default", answer: "granted" });
  store = new Map();
  told.length = said.length = asked = 0;
  vi.stubGlobal("Notification", Notes);
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => store.get(key) ?? null,
    setItem: (key: string, value: string) => void store.set(key, value),
  });
});
afterEach(() => vi.unstubAllGlobals());

function watching(known = signal<Known<Run>>(run("a", { status: "running" }))): [Watch, typeof known] {
  const session = { run: () => known, say: (text: string) => void said.push(text), navigation: memoryNavigation() };
  return [new Watch(session, "key"), known];
}

/** What is done at once is done. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

test("nobody is asked before a run is watched; its end is told once", async () => {
  const [watch, known] = watching();
  expect(asked).toBe(0);
  await watch.toggle(known.value as Run);
  expect([asked, watch.watched.value.has("a")]).toEqual([1, true]);
  known.value = run("a", { name: "train", status: "failed", exit_code: 3, signal: null });
  await eventually(() => expect(told).toHaveLength(1));
  known.value = run("a", { status: "failed", exit_code: 3, signal: null });
  await turn();
  expect(told).toEqual(["train: failed, exit code 3"]);
  expect(watch.watched.value.size).toBe(0);
});

test("after a reload it goes on, and what ended meanwhile is told", async () => {
  const [watch, known] = watching();
  await watch.toggle(known.value as Run);
  watch.close();
  const [again] = watching(signal<Known<Run>>(run("a", { status: "finished", exit_code: 0, signal: null })));
  expect(again.watched.value.has("a")).toBe(true);
  await eventually(() => expect(told).toEqual(["run a: finished, exit code 0"]));
  expect(watching()[0].watched.value.size).toBe(0);
});

test("who is refused is told why, and who takes it back is told nothing", async () => {
  Notes.answer = "denied";
  const [watch, known] = watching();
  await watch.toggle(known.value as Run);
  expect([watch.watched.value.size, said.length]).toEqual([0, 1]);
  Notes.permission = "granted";
  await watch.toggle(known.value as Run);
  await watch.toggle(known.value as Run);
  known.value = run("a", { status: "stopped", exit_code: null, signal: null });
  await turn();
  expect(told).toEqual([]);
});

test("what somebody else left in the store is nothing", () => {
  for (const words of ["{", "3", '[1, {"a": 2}]']) {
    store.set("key", words);
    expect(watching()[0].watched.value.size).toBe(0);
  }
});
