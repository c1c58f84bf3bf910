import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import type { EpochEntry } from "./log.ts";
import type { RunFacts } from "./record.ts";

/** Version of an installed package; some do not export their manifest, so it is looked for above their entry. */
function versionOf(name: string): string {
  let folder = dirname(createRequire(import.meta.url).resolve(name));
  while (folder !== dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (manifest.name === name) return manifest.version;
    } catch {
      // No manifest here.
    }
    folder = dirname(folder);
  }
  return "unknown";
}

/** Facts of a run that took these epochs. */
export function factsOf(...logs: readonly (readonly EpochEntry[])[]): RunFacts {
  const seconds = logs.flat().reduce((sum, entry) => sum + entry.seconds, 0);
  return {
    seconds: Math.round(10 * seconds) / 10,
    environment: {
      node: process.versions.node,
      machine: `${process.platform} ${process.arch}, ${availableParallelism()} processors`,
      ...Object.fromEntries(["@lowbit/train", "lowbit", "@jax-js/jax"].map((name) => [name, versionOf(name)])),
    },
  };
}
