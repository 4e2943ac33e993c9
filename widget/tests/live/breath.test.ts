import { expect, test, vi } from "vitest";
import { Breath } from "../../src/live/breath";

test("pieces that are there at once leave time for frames", async () => {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const frames: number[] = [];
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => {
    frames.push(done.length);
    setTimeout(callback);
  });
  const done: number[] = [];
  const breath = new Breath();
  for (let n = 0; n < 20; n++) {
    await breath.after(() => {
      now += 3;
      done.push(n);
    });
    now += 100; // waiting is nobody's work
  }
  expect(frames).toEqual([3, 6, 9, 12, 15, 18]);
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});
