// Sources of the packages, bundled for a script: they are in no entry of a package, and Node 20 reads no TypeScript.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { root } from "./setup/paths.mjs";

/** Loads what `contents`, a module that lies in `folder`, exports. */
export async function loadSources(name, contents, folder) {
  // One folder below the package, so that the modules of WASM are where its code looks for them.
  const outfile = join(root, "packages", "core", ".cache", `${name}.mjs`);
  await build({
    stdin: { contents, resolveDir: folder },
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    // Node 20 has no `using`.
    target: "es2022",
    conditions: ["@lowbit/source"],
    logLevel: "warning",
  });
  return import(pathToFileURL(outfile).href);
}
