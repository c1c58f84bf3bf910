// The sources that the table of methods is made from, bundled: they are in no entry of a package, and Node 20 reads no TypeScript.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { root } from "../setup/paths.mjs";

const contents = `
export { methods } from "./src/quantize/methods.ts";
export { parseScheme, quantize, registry } from "./src/quantize.ts";
export { createModel, loadKernels, Tensor } from "./src/index.ts";
export { lowerGraph } from "./src/runtime/lower/index.ts";
export { importModel, readNpz, runPasses } from "../convert/src/index.ts";
`;

export async function loadSources() {
  const core = join(root, "packages", "core");
  // One folder below the package, so that the modules of WASM are where its code looks for them.
  const outfile = join(core, ".cache", "methods.mjs");
  await build({
    stdin: { contents, resolveDir: core },
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
