// Writes src/generated/checksums.ts from the naive sums (of a network: from the scalar tier) of every case that has none yet (all of them with --all).
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const folder = join(fileURLToPath(import.meta.url), "..", "..");
const file = join(folder, "src", "generated", "checksums.ts");

// Below the package, whose dependencies it looks for from there.
const bundle = join(folder, ".cache", "checksums.mjs");
mkdirSync(join(bundle, ".."), { recursive: true });
await build({
  outfile: bundle,
  stdin: {
    contents:
      'export { allCases } from "./src/cases/index.ts"; export { kernelChecksum, naiveChecksum } from "./src/checksums.ts";' +
      'export { kernelsOf } from "./src/engines/lowbit.ts"; export { runtimeHost } from "./src/host/runtime.ts";',
    resolveDir: folder,
  },
  bundle: true,
  format: "esm",
  platform: "node",
  conditions: ["@lowbit/source"],
});
const { allCases, kernelChecksum, kernelsOf, naiveChecksum, runtimeHost } = await import(pathToFileURL(bundle).href);
const scalar = await kernelsOf(runtimeHost("node", []), "scalar");
const all = process.argv.includes("--all");
const lines = [];
for (const each of allCases()) {
  let { checksum } = each;
  if (all || checksum === undefined) {
    const since = Date.now();
    checksum = each.task.op === "network" ? await kernelChecksum(each, scalar) : naiveChecksum(each);
    console.log(`${each.id.padEnd(44)} ${checksum} ${((Date.now() - since) / 1000).toFixed(1)} s`);
  }
  lines.push(`  "${each.id}": "${checksum}",`);
}
const head = readFileSync(file, "utf8").split("\n").slice(0, 2);
writeFileSync(file, `${[...head, ...lines.sort(), "};"].join("\n")}\n`);
