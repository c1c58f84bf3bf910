// `pnpm generate`: writes every file below a `generated/` folder anew, and the tables that are made from sources. With
// { check: true } (or --check) it fails when one of them was not what its generator writes.
import { join } from "node:path";
import { buildWasm, writeTypesOfBuild } from "./build-wasm.mjs";
import { generatedFiles } from "./generated-files.mjs";
import { writeKernelRegistry } from "./kernel-registry.mjs";
import { writeKernelWords } from "./kernel-words.mjs";
import { whenMain } from "./main-module.mjs";
import { writeMethods } from "./methods.mjs";
import { writeOperators } from "./operators.mjs";
import { pnpmEnv } from "./setup/node.mjs";
import { root } from "./setup/paths.mjs";
import { run } from "./setup/run.mjs";
import { writeTierProbes } from "./tier-probes.mjs";

/** What there is to generate; each entry is one generator. */
const generators = [
  // The types of the WASM's raw exports.
  async () => {
    await buildWasm({ quiet: true });
    writeTypesOfBuild();
  },
  // The words of errors, which the kernels only number.
  writeKernelWords,
  // The list of kernel families, for tests in TypeScript and the crate's README.
  writeKernelRegistry,
  // The modules that ask an engine for a tier.
  writeTierProbes,
  // The table of methods, measured anew.
  writeMethods,
  // The table of operators, from the ONNX project's node tests; as it is where they are not there.
  writeOperators,
  // The ONNX schema.
  () => run("buf", ["generate"], { cwd: join(root, "packages", "convert"), env: pnpmEnv(), log: "buf", timeout: 120 }),
  // The loops that measure a machine's limits, and the checksums of benchmark cases that have none yet.
  () => run("node", ["bench/scripts/limits.mjs"], { log: "bench-limits", timeout: 60 }),
  () => run("node", ["bench/scripts/checksums.mjs"], { log: "bench-checksums", timeout: 300 }),
];

/** @param {Map<string, string>} [options.before] what the files held before anything was built, for a build writes some of them */
export async function generate({ check = false, before = generatedFiles() } = {}) {
  for (const generator of generators) await generator();
  if (!check) return;
  const changed = [...generatedFiles()].filter(([file, text]) => before.get(file) !== text).map(([file]) => file);
  if (changed.length > 0) throw new Error(`not as generated; they are now, so commit them:\n${changed.join("\n")}`);
}

await whenMain(import.meta.url, () => generate({ check: process.argv.includes("--check") }));
