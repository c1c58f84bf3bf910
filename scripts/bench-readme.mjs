// `pnpm bench:readme`: writes the tables of READMEs between their markers, from the newest committed benchmark record:
//
//   <!-- bench platform=node24 families=binary_conv,int8_conv peers=litert:int8,litert:fp32 -->
//   <!-- /bench -->
//
// With { check: true } (or --check) it fails where one of them does not hold what the record says.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const readmes = ["README.md", "bench/README.md"];
const markers = /(<!-- bench ([^>]*?) ?-->\n)[\s\S]*?(<!-- \/bench -->)/g;

/** The record that ended last, with its path. */
export function newestRecord(folder = join(root, "bench", "record")) {
  let files = [];
  try {
    files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(".json"));
  } catch {
    // None yet.
  }
  const records = files.map((file) => ({
    path: join(folder, file),
    record: JSON.parse(readFileSync(join(folder, file), "utf8")),
  }));
  return records.sort((a, b) => (a.record.ended < b.record.ended ? 1 : -1))[0];
}

/** `text` with every table between markers as `record` has it. */
export function withTables(text, { benchSource, benchTable }, { record, link }) {
  return text.replace(markers, (_, open, words, close) => {
    const choice = Object.fromEntries(words.split(" ").map((word) => word.split("=")));
    const { platform } = choice;
    if (platform === undefined) throw new Error(`bench marker without a platform: ${words}`);
    const list = (names) => names?.split(",");
    const table = benchTable(record, { platform, families: list(choice.families), peers: list(choice.peers) });
    return `${open}${table}\n\n${benchSource(record, link, platform)}\n${close}`;
  });
}

export async function writeBenchTables({ check = false } = {}) {
  const newest = newestRecord();
  if (!newest) return;
  const report = await import("../packages/cli/dist/report/index.js");
  for (const file of readmes) {
    const path = join(root, file);
    const text = readFileSync(path, "utf8");
    const link = relative(dirname(path), newest.path).replaceAll("\\", "/");
    const next = withTables(text, report, { record: newest.record, link });
    if (next === text) continue;
    if (check) throw new Error(`${file}: its benchmark tables are not those of ${newest.path}: run pnpm bench:readme`);
    writeFileSync(path, next);
  }
}

await whenMain(import.meta.url, () => writeBenchTables({ check: process.argv.includes("--check") }));
