// Builds the package in the current folder: one bundled ES module per entry of its package.json by esbuild, and
// declarations by tsc. Called as each package's `build` script, in dependency order, by turbo.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./setup/paths.mjs";
import { run } from "./setup/run.mjs";

const folder = process.cwd();
const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const sourceCondition = "@lowbit/source";

/** The TypeScript file behind each entry that the published package has. */
function entries() {
  return Object.keys(manifest.publishConfig.exports)
    .map((name) => manifest.exports[name]?.[sourceCondition])
    .filter(Boolean);
}

/** Packages that are put into the bundle, so that what uses it does not load their many small files one by one: `bundled` of package.json. */
const bundled = manifest.bundled ?? [];
const external = Object.keys(manifest.dependencies ?? {}).filter((name) => !bundled.includes(name));

async function bundle() {
  const { metafile } = await build({
    entryPoints: entries(),
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    // Runs in browsers and in Node alike: nothing of either is resolved at build time.
    platform: "neutral",
    target: "es2022",
    ...(bundled.length === 0
      ? { packages: "external", external: ["node:*"] }
      : { external: ["node:*", ...external.flatMap((name) => [name, `${name}/*`])], mainFields: ["module", "main"] }),
    metafile: true,
    chunkNames: "chunk-[hash]",
    sourcemap: "linked",
    sourcesContent: false,
    legalComments: "none",
    logLevel: "warning",
  });
  if (manifest.sideEffects === false) dropBareImports();
  if (bundled.length > 0) writeNotices(Object.keys(metafile.inputs).filter((path) => path.includes("node_modules")));
}

/** Who wrote what was put into the bundle, and under which licence: the heads of its files, each once. */
function writeNotices(paths) {
  const heads = new Set(paths.map((path) => /^(?:\/\/.*\n)+/.exec(readFileSync(path, "utf8"))?.[0]).filter(Boolean));
  writeFileSync(
    join("dist", "third-party.txt"),
    `Parts of this bundle are from ${bundled.join(", ")}:\n\n${[...heads].join("\n")}`,
  );
}

/**
 * esbuild keeps the order in which the parts of a bundle run by imports of nothing (`import "./chunk-….js"`). Ours say that they have no side effects, so there is no order
 * to keep; but a user's bundler that follows such an import puts what is behind it, code for `import()` too, into the page's first file.
 */
function dropBareImports() {
  for (const name of readdirSync("dist").filter((name) => name.endsWith(".js"))) {
    const file = join("dist", name);
    // An empty line in its place, for the source map.
    writeFileSync(file, readFileSync(file, "utf8").replace(/^import "\.\/chunk-[^"]+";$/gm, ""));
  }
}

/** Declarations point at each other by `.ts`, which only a workspace may do; readers of a package want `.js`. */
function rewriteExtensions(below) {
  for (const entry of readdirSync(below, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".d.ts")) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace(/((?:from|import\()\s*["']\.{1,2}\/[^"']*)\.ts(["'])/g, "$1.js$2"),
    );
  }
}

async function declarations() {
  const config = join(root, ".cache", "tsconfig", `${manifest.name.replace("/", "-")}.json`);
  mkdirSync(join(config, ".."), { recursive: true });
  const options = {
    extends: join(root, "tsconfig.base.json"),
    // Other packages are seen as a user sees them: by their built declarations.
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: join(folder, "src"),
      outDir: join(folder, "dist"),
      customConditions: [],
      typeRoots: [join(root, "node_modules", "@types")],
    },
    files: entries().map((entry) => join(folder, entry)),
  };
  writeFileSync(config, JSON.stringify(options));
  const tsc = createRequire(join(root, "package.json")).resolve("typescript/bin/tsc");
  await run(process.execPath, [tsc, "-p", config], { cwd: folder, timeout: 300 });
  rewriteExtensions("dist");
}

rmSync("dist", { recursive: true, force: true });
try {
  await Promise.all([bundle(), declarations()]);
} catch (error) {
  console.error(error.output ?? error.message);
  process.exit(1);
}
// Plain JavaScript is shipped as it is: workers, which are files of their own.
for (const file of readdirSync("src").filter((name) => name.endsWith(".js")))
  cpSync(join("src", file), join("dist", file));
for (const license of ["LICENSE-MIT", "LICENSE-APACHE"]) cpSync(join(root, license), license);
