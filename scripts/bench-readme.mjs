// `pnpm bench:readme`: writes the tables of READMEs between their markers, from the newest committed benchmark record, or the newest of a machine:
//
//   <!-- bench machine=amd-epyc-2-cores platform=node24 families=binary_conv,int8_conv peers=litert:int8,litert:fp32 -->
//   <!-- /bench -->
//
// and <!-- asked platform=node24 --> … <!-- /asked -->, what scripts/bench-asked.mjs makes of the newest record of each machine.
//
// With { check: true } (or --check) it fails where one of them does not hold what the record says.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { askedTable } from "./bench-asked.mjs";
import { newestOfEach, recordsOf } from "./bench-records.mjs";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const readmes = ["README.md", "bench/README.md"];
const askedMarkers = /(<!-- asked platform=(\w+) -->\n)[\s\S]*?(<!-- \/asked -->)/g;
const markers = /(<!-- bench ([^>]*?) ?-->\n)[\s\S]*?(<!-- \/bench -->)/g;

/** `text`, which stands in `folder`, with every table between markers as the first of `records` has it that is of the marker's machine. */
export function withTables(text, { benchSource, benchTable }, records, folder) {
  const ofEach = newestOfEach(records).map(({ record }) => record);
  const asked = text.replace(
    askedMarkers,
    (_, open, platform, close) => `${open}${askedTable(ofEach, platform)}\n${close}`,
  );
  return asked.replace(markers, (_, open, words, close) => {
    const choice = Object.fromEntries(words.split(" ").map((word) => word.split("=")));
    const { platform, machine } = choice;
    if (platform === undefined) throw new Error(`bench marker without a platform: ${words}`);
    const found = records.find(({ record }) => machine === undefined || record.machine.name === machine);
    if (!found) throw new Error(`bench marker of a machine without a record: ${words}`);
    const { record, path } = found;
    const list = (names) => names?.split(",");
    const table = benchTable(record, { platform, families: list(choice.families), peers: list(choice.peers) });
    const link = relative(folder, path).replaceAll("\\", "/");
    return `${open}${table}\n\n${benchSource(record, link, platform)}\n${close}`;
  });
}

export async function writeBenchTables({ check = false } = {}) {
  const records = recordsOf();
  if (records.length === 0) return;
  const report = await import("../packages/cli/dist/report/index.js");
  for (const file of readmes) {
    const path = join(root, file);
    const text = readFileSync(path, "utf8");
    const next = withTables(text, report, records, dirname(path));
    if (next === text) continue;
    if (check) throw new Error(`${file}: its benchmark tables are not those of bench/record: run pnpm bench:readme`);
    writeFileSync(path, next);
  }
}

await whenMain(import.meta.url, () => writeBenchTables({ check: process.argv.includes("--check") }));
