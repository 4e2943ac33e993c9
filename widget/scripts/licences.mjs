// Fails when a package has a licence that we don't accept: permissive ones for what is in the bundles, and
// for what only builds and tests them also those that ask something of who changes the package itself.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const SHIPPED = new Set(["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0"]);
const TOOLS = new Set([...SHIPPED, "BlueOak-1.0.0", "CC0-1.0", "MPL-2.0", "Python-2.0"]);

const lock = JSON.parse(await readFile(join(import.meta.dirname, "..", "package-lock.json"), "utf8"));
for (const [path, { license = "", dev = false }] of Object.entries(lock.packages)) {
  if (path === "") continue;
  const parts = license.replace(/[()]/g, "").split(/ (?:AND|OR) /);
  if (!parts.every((part) => (dev ? TOOLS : SHIPPED).has(part))) {
    console.error(`${path}: ${license || "no licence"} is not one that we accept`);
    process.exitCode = 1;
  }
}
