// Bundles the suite as a page: dist/page. What runs there is the source of this package and of lowbit; the WASM modules and the peers'
// runtimes come from the server, out of their own packages.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = join(fileURLToPath(import.meta.url), "..", "..");
const page = join(folder, "src", "page");
const dist = join(folder, "dist", "page");

await build({
  entryPoints: [join(page, "main.ts")],
  outdir: dist,
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  conditions: ["@lowbit/source"],
  chunkNames: "chunk-[hash]",
  sourcemap: "linked",
  sourcesContent: false,
  // Reached only where there are files.
  external: ["node:*"],
  logLevel: "warning",
});
// Where threads.ts looks for it: beside the bundle.
cpSync(join(folder, "node_modules", "lowbit", "src", "thread-worker.js"), join(dist, "thread-worker.js"));
for (const file of ["index.html", "style.css"]) cpSync(join(page, file), join(dist, file));
