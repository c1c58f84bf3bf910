// Writes src/generated/checksums.ts from the naive sums of every case that has none yet (all of them with --all).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = join(fileURLToPath(import.meta.url), "..", "..");
const file = join(folder, "src", "generated", "checksums.ts");

const { outputFiles } = await build({
  stdin: {
    contents: 'export { allCases } from "./src/cases/index.ts"; export { naiveChecksum } from "./src/checksums.ts";',
    resolveDir: folder,
  },
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
  conditions: ["@lowbit/source"],
});
const { allCases, naiveChecksum } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`
);
const all = process.argv.includes("--all");
const lines = [];
for (const each of allCases()) {
  let { checksum } = each;
  if (all || checksum === undefined) {
    const since = Date.now();
    checksum = naiveChecksum(each);
    console.log(`${each.id.padEnd(44)} ${checksum} ${((Date.now() - since) / 1000).toFixed(1)} s`);
  }
  lines.push(`  "${each.id}": "${checksum}",`);
}
const head = readFileSync(file, "utf8").split("\n").slice(0, 2);
writeFileSync(file, `${[...head, ...lines.sort(), "};"].join("\n")}\n`);
