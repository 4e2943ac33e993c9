// Writes src/api/schema.ts from docs/openapi.json; `--check` fails when it is not what would be written.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import openapiTS, { astToString } from "openapi-typescript";

const ROOT = join(import.meta.dirname, "..", "..");
const TARGET = join(import.meta.dirname, "..", "src", "api", "schema.ts");

// What has a default need not be sent; in an answer it may be left out too, so it is optional everywhere.
const ast = await openapiTS(await readFile(join(ROOT, "docs", "openapi.json"), "utf8"), {
  defaultNonNullable: false,
  emptyObjectsUnknown: true,
});
const text = `// Generated from docs/openapi.json by \`npm run types\`.\n\n${astToString(ast)}`;

if (!process.argv.includes("--check")) {
  await writeFile(TARGET, text);
} else if (text !== (await readFile(TARGET, "utf8"))) {
  console.error("src/api/schema.ts is not what docs/openapi.json says: npm run types");
  process.exitCode = 1;
}
