import fc from "fast-check";
import { expect, test } from "vitest";
import { age, bytes, duration, number, outcome, remaining } from "../src/format";

test.each<[number, string]>([
  [-3, "0 s"],
  [0, "0 s"],
  [0.04, "0 s"],
  [0.44, "0.4 s"],
  [3, "3 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [59.6, "1 min"],
  [185, "3 min 5 s"],
  [3600, "1 h"],
  [3599.7, "1 h"],
  [8040, "2 h 14 min"],
  [442_800, "5 d 3 h"],
  [NaN, ""],
])("duration of %d s: %s", (seconds, words) => expect(duration(seconds)).toBe(words));

test.each<[number, string]>([
  [-100, "now"],
  [0, "now"],
  [4.9, "now"],
  [5, "5 s"],
  [59.9, "59 s"],
  [60, "1 min"],
  [7199, "1 h"],
  [86_400 * 400, "400 d"],
])("age of %d s: %s", (seconds, words) => expect(age(1e9, 1e9 + seconds)).toBe(words));

test.each<[number, string]>([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1 KB"],
  [1536, "1.5 KB"],
  [9_960, "10 KB"],
  [999_499, "999 KB"],
  [999_500, "1 MB"],
  [1e10, "10 GB"],
  [5e18, "5000 PB"],
])("%d bytes: %s", (count, words) => expect(bytes(count)).toBe(words));

test.each<[number | null, number, number | null]>([
  [null, 100, null],
  [0.5, 100, null],
  [100, 100, null],
  [50, 0.2, null],
  [25, 30, 90],
])("left after %d%% in %d s: %d s", (percent, elapsed, left) => expect(remaining(percent, elapsed)).toBe(left));

test.each<[number, string]>([
  [0, "0"],
  [12, "12"],
  [1_234_567, "1,234,567"],
  [-1_234_567, "-1,234,567"],
  [0.123456, "0.1235"],
  [1.5, "1.5"],
  [12345.678, "12,346"],
  [1.23456e-7, "1.235e-7"],
  [3e12, "3e12"],
  [NaN, "NaN"],
  [-Infinity, "-∞"],
])("number %d: %s", (value, words) => expect(number(value)).toBe(words));

test("any number is short", () => {
  fc.assert(fc.property(fc.double(), (value) => number(value).length <= 12 && duration(value) !== "NaN s"));
});

test.each<[number | null, string | null, string]>([
  [null, null, ""],
  [0, null, "exit code 0"],
  [3, null, "exit code 3"],
  [127, null, "exit code 127 (command not found)"],
  [137, null, "exit code 137 (SIGKILL: killed, perhaps for want of memory)"],
  [130, "SIGINT", "SIGINT (interrupted)"],
  [162, "SIGRTMIN", "SIGRTMIN"],
  [255, null, "exit code 255"],
])("exit code %d, signal %s: %s", (code, signal, words) => expect(outcome(code, signal)).toBe(words));
