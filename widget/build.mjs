// Builds the panel's bundles into jupyter_ra_jobs/static: hashed ES modules, split where an import() asks
// for it, and in labextensions/ what JupyterLab loads; beside manifest.json, which is written last: what it names
// is there. `--watch` goes on building.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { build, context } from "esbuild";

const HERE = import.meta.dirname;
const OUT = join(HERE, "..", "jupyter_ra_jobs", "static");
const LAB_FOLDER = join("labextensions", "jupyter-ra-jobs");
const ENTRIES = { panel: "src/panel.ts", page: "src/page.ts" };
// What the bundles depend on; tools/panel.py has the same list, and the same way to hash it.
const VERSION = "../jupyter_ra_jobs/_version.py";
const SOURCES = [VERSION, "build.mjs", "package-lock.json", "package.json", "tsconfig.json", "src"];

async function filesOf(path) {
  const entries = await readdir(join(HERE, path), { withFileTypes: true, recursive: true });
  return entries.filter((each) => each.isFile()).map((each) => relative(HERE, join(each.parentPath, each.name)));
}

async function sourcesHash() {
  const names = (await Promise.all(SOURCES.map((path) => (path.includes(".") ? [path] : filesOf(path))))).flat();
  const hash = createHash("sha256");
  for (const name of names.sort()) {
    const digest = createHash("sha256")
      .update(await readFile(join(HERE, name)))
      .digest("hex");
    hash.update(`${name} ${digest}\n`);
  }
  return hash.digest("hex");
}

/** The full licence text of every package of which something is in the bundles. */
async function licences(inputs) {
  const folders = new Set();
  for (const input of Object.keys(inputs)) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) folders.add(found[1]);
  }
  const texts = [];
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(HERE, folder, "package.json"), "utf8"));
    const file = (await readdir(join(HERE, folder))).find((each) => /^licen[cs]e/i.test(each));
    if (!file) throw new Error(`${name} ${version} has no licence file`);
    texts.push(`${name} ${version} (${license})\n\n${(await readFile(join(HERE, folder, file), "utf8")).trim()}\n`);
  }
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

/** What JupyterLab reads to find the extension; `_build` is what its own builder would write there. */
async function labPackage(outputs) {
  const { 1: version } = /__version__ = "(.+)"/.exec(await readFile(join(HERE, VERSION), "utf8"));
  const load = Object.keys(outputs).find((path) => outputs[path].entryPoint === LAB.entryPoints.remoteEntry);
  const described = {
    name: "jupyter-ra-jobs",
    version,
    description: "Runs and sweeps of jupyter_ra_jobs, live in notebooks and as a tab.",
    license: "BSD-3-Clause",
    jupyterlab: {
      extension: true,
      _build: { load: `static/${basename(load)}`, extension: "./extension" },
    },
  };
  return { name: join(LAB_FOLDER, "package.json"), contents: Buffer.from(`${JSON.stringify(described, null, 1)}\n`) };
}

async function publish(result, sources) {
  const [alone, lab] = await Promise.all([build(ALONE), build(LAB)]);
  const files = [...result.outputFiles, ...alone.outputFiles, ...lab.outputFiles].map((file) => ({
    name: relative(OUT, file.path),
    contents: file.contents,
  }));
  files.push(await labPackage(lab.metafile.outputs));
  files.push({ name: "licences.txt", contents: Buffer.from(await licences(result.metafile.inputs)) });
  for (const { name, contents } of files) {
    await mkdir(dirname(join(OUT, name)), { recursive: true });
    await writeFile(join(OUT, name), contents);
  }
  const entries = {};
  const named = { ...ENTRIES, ...ALONE.entryPoints };
  for (const [path, output] of Object.entries({ ...result.metafile.outputs, ...alone.metafile.outputs })) {
    const entry = Object.keys(named).find((name) => named[name] === output.entryPoint);
    if (entry && path.endsWith(".js")) entries[entry] = basename(path);
  }
  const manifest = { sources, entries, files: files.map(({ name }) => name).sort() };
  await writeFile(join(OUT, "manifest.json.new"), `${JSON.stringify(manifest, null, 1)}\n`);
  await rename(join(OUT, "manifest.json.new"), join(OUT, "manifest.json"));
  const kept = new Set([...manifest.files, "manifest.json"]);
  for (const each of await readdir(OUT, { withFileTypes: true, recursive: true })) {
    const path = join(each.parentPath, each.name);
    if (each.isFile() && !kept.has(relative(OUT, path))) await rm(path);
  }
  for (const { name, contents } of files.filter(({ name }) => name.endsWith(".js"))) {
    console.log(`${name}: ${contents.length} bytes, ${gzipSync(contents).length} gzipped`);
  }
}

/**
 * xterm.js writes its colours into `<style>` elements and `style` attributes, which the page's policy forbids. Here
 * they go where it allows them. A version in which they are not where we know them fails the build.
 */
const withoutInlineStyles = {
  name: "without-inline-styles",
  setup(builder) {
    builder.onLoad({ filter: /@xterm[/\\]xterm[/\\]lib[/\\]xterm\.mjs$/ }, async ({ path }) => {
      const found = { elements: 0, attributes: 0 };
      const contents = (await readFile(path, "utf8"))
        .replaceAll(/[\w.]+\.createElement\("style"\)/g, () => (found.elements++, "$styleElement()"))
        .replaceAll(/(\w+)\.setAttribute\("style",/g, (_, of) => (found.attributes++, `$setStyle(${of},`));
      if (found.elements !== 3 || found.attributes !== 1) throw new Error(`${path}: ${JSON.stringify(found)}`);
      const helpers = JSON.stringify(join(HERE, "src", "heavy", "sheets.ts"));
      return {
        contents: `import { styleElement as $styleElement, setStyle as $setStyle } from ${helpers};\n${contents}`,
        loader: "js",
      };
    });
  },
};

const watching = process.argv.includes("--watch");
const options = {
  absWorkingDir: HERE,
  entryPoints: ENTRIES,
  outdir: OUT,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: !watching,
  sourcemap: watching ? "inline" : false,
  // Style sheets are texts, so that a host can adopt them in its own document or shadow root, whatever its CSP.
  loader: { ".css": "text" },
  legalComments: "none", // the whole texts are in licences.txt
  metafile: true,
  plugins: [withoutInlineStyles],
  write: false,
};

// Each in one file: a notebook's page has them from the kernel.
const ALONE = {
  ...options,
  entryPoints: { widget: "src/widget/entry.ts", alone: "src/alone.ts" },
  splitting: false,
  external: ["*/heavy/terminal"], // Jupyter's terminals can't be reached from there
};

// A script, since JupyterLab loads it as one.
const LAB = {
  ...options,
  entryPoints: { remoteEntry: "src/lab/entry.ts" },
  outdir: join(OUT, LAB_FOLDER, "static"),
  entryNames: "[name].[hash]",
  splitting: false,
  format: "iife",
};

if (watching) {
  const publisher = {
    name: "publish",
    setup(builder) {
      let sources;
      builder.onStart(async () => {
        // Large, with source maps in it: no build hook takes this for current.
        sources = `${await sourcesHash()} (watched)`;
      });
      builder.onEnd(async (result) => {
        if (!result.errors.length) await publish(result, sources);
      });
    },
  };
  const building = await context({ ...options, logLevel: "info", plugins: [withoutInlineStyles, publisher] });
  await building.watch();
} else {
  // Before the build: a source that is changed meanwhile makes the next one necessary.
  const sources = await sourcesHash();
  await publish(await build(options), sources);
}
