import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeAtomically } from "./files.ts";
import { type EpochEntry, formatEntry } from "./log.ts";
import type { PackedRecord, TrainingRecord } from "./record.ts";

/** Keeps a finished run for good: `<folder>/<recipe>/<seed>.json`, the record, and `<seed>.log`, a line an epoch. */
export async function keepRun(folder: string, record: TrainingRecord | PackedRecord): Promise<void> {
  const own = join(folder, record.recipe);
  await mkdir(own, { recursive: true });
  const before = "before" in record ? (record.before ?? []) : [];
  const part = (name: string, log: readonly EpochEntry[]) => [
    name,
    ...log.map((entry) => formatEntry(entry, log.length)),
  ];
  const lines = [
    record.command,
    ...before.flatMap(({ recipe, log }) => part(recipe, log)),
    ...part(record.recipe, record.log),
  ];
  await writeAtomically(join(own, `${record.seed}.log`), `${lines.join("\n")}\n`);
  await writeAtomically(join(own, `${record.seed}.json`), `${JSON.stringify(record, undefined, 2)}\n`);
}
