import fc from "fast-check";
import { expect, test } from "vitest";
import { inView, revealing } from "../../src/ui/window";

test("what is drawn covers what is in view, and little more, however many there are", () => {
  const numbers = fc.record({
    top: fc.integer({ min: -50, max: 700_000 }),
    viewport: fc.integer({ min: 0, max: 2_000 }),
    count: fc.integer({ min: 0, max: 10_000 }),
  });
  fc.assert(
    fc.property(numbers, ({ top, viewport, count }) => {
      const { from, to } = inView(top, viewport, 60, count, 5);
      expect(0 <= from && from <= to && to <= count).toBe(true);
      expect(to - from).toBeLessThanOrEqual(viewport / 60 + 12);
      for (let row = 0; row < count; row += 97) {
        const isInView = (row + 1) * 60 > Math.max(0, top) && row * 60 < Math.max(0, top) + viewport;
        if (isInView) expect(from <= row && row < to).toBe(true);
      }
    }),
  );
});

test("a row is brought into view by as little as that takes", () => {
  expect(revealing(5, 0, 600, 60)).toBe(0);
  expect(revealing(10, 0, 600, 60)).toBe(60);
  expect(revealing(2, 300, 600, 60)).toBe(120);
});
