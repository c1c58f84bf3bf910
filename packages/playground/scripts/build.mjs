// Builds the page and what puts its data beside it: dist/page, for browsers, and dist/site, for Node.
import { cpSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const source = (...path) => join(folder, "src", ...path);
rmSync(join(folder, "dist"), { recursive: true, force: true });

const shared = { bundle: true, format: "esm", target: "es2022", logLevel: "warning" };
await build({
  ...shared,
  entryPoints: [source("site", "main.ts"), source("site", "encode-worker.ts")],
  outdir: join(folder, "dist", "site"),
  splitting: true,
  platform: "node",
  packages: "external",
});

const page = join(folder, "dist", "page");
await build({
  ...shared,
  entryPoints: ["main", "worker", "service-worker"].map((name) => source("page", `${name}.ts`)),
  outdir: page,
  minify: true,
  platform: "browser",
  // Reached only where there are files.
  external: ["node:*"],
});
for (const name of readdirSync(source("page")).filter((name) => /\.(html|css|svg|webmanifest)$/.test(name)))
  cpSync(source("page", name), join(page, name));
