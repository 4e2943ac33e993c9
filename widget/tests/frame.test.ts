import { expect, test } from "vitest";
import { frame } from "../src/frame";

test("a panel in an output is as high as was asked for, and never higher than a page can bear", () => {
  const height = (asked: unknown): string => {
    const style = {} as CSSStyleDeclaration;
    frame({ style } as HTMLElement, asked);
    return style.height;
  };
  expect([800, 1, 1e7, undefined, NaN, "9px"].map(height)).toEqual([
    "800px",
    "200px",
    "4000px",
    "560px",
    "560px",
    "560px",
  ]);
});
