import { defineConfig } from "vitest/config";

export default defineConfig({
  // Two at most: the machines that run this have two cores, and a server's tests beside it.
  test: { include: ["tests/**/*.test.ts"], environment: "node", maxWorkers: 2, testTimeout: 60_000 },
});
