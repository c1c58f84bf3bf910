// The committed records of the benchmark suite.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup/paths.mjs";

/** Every record of the folder, with its path, the one that ended last first. */
export function recordsOf(folder = join(root, "bench", "record")) {
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
  return records.sort((a, b) => (a.record.ended < b.record.ended ? 1 : -1));
}

/** The newest record of each machine, by its name. */
export function newestOfEach(records = recordsOf()) {
  const newest = new Map();
  for (const each of records) if (!newest.has(each.record.machine.name)) newest.set(each.record.machine.name, each);
  return [...newest.keys()].sort().map((name) => newest.get(name));
}
