import { expect, test } from "vitest";
import { memoryNavigation } from "../../src/ui/navigation";

test("a panel in another's page keeps its address in memory, and tells it", () => {
  const told: string[] = [];
  const navigation = memoryNavigation({ address: "#/runs/a", moved: (address) => told.push(address) });
  expect(navigation.route.value).toEqual({ view: "run", id: "a" });
  navigation.go("#/sweeps");
  expect(navigation.route.value).toEqual({ view: "sweeps" });
  navigation.replace("#/alerts");
  expect(told).toEqual(["#/sweeps", "#/alerts"]);
});
