// Bundles a bench and runs it: node itself takes no TypeScript before version 22.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const folder = await mkdtemp(join(tmpdir(), "ra-bench-"));
try {
  const outfile = join(folder, "lines.mjs");
  const entry = join(import.meta.dirname, "lines.ts");
  await build({ entryPoints: [entry], outfile, bundle: true, format: "esm", target: "es2022", logLevel: "error" });
  await import(pathToFileURL(outfile).href);
} finally {
  await rm(folder, { recursive: true });
}
