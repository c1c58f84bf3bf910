// Seeded differential fuzzing of the built WASM: draws problems of every kernel family, runs them on every tier that this Node has, and compares each with plain
// arithmetic and with the scalar tier, bit for bit. A difference ends the run with its seed and the command that repeats it.
//
//   pnpm fuzz:wasm                                        20 seconds, a seed of the clock
//   pnpm fuzz:wasm --seconds 600 --seed 7                 ten minutes from seed 7
//   node scripts/fuzz-wasm.mjs --family xnor_gemm --seed 42 --cases 1
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { whenMain } from "./main-module.mjs";
import { root } from "./setup/paths.mjs";

const number = (text, name, low) => {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= low))
    throw new Error(`--${name}: an integer of ${low} or more, not ${text}`);
  return value;
};

/** The fuzzers are TypeScript: bundled into one module. */
async function fuzzersOf() {
  const outfile = join(root, ".cache", "fuzz", "fuzz.mjs");
  mkdirSync(join(outfile, ".."), { recursive: true });
  const contents = `
    export { check, families } from "./packages/core/test/fuzz/run.ts";
    export { loadKernels } from "./packages/core/src/kernels/load.ts";
    export { tierReport } from "./packages/core/src/kernels/tiers.ts";`;
  const stdin = { contents, resolveDir: root, loader: "ts" };
  await build({ stdin, bundle: true, format: "esm", platform: "node", target: "node20", outfile, logLevel: "warning" });
  return import(pathToFileURL(outfile));
}

async function fuzz() {
  const options = {
    seconds: { type: "string" },
    seed: { type: "string" },
    family: { type: "string" },
    cases: { type: "string" },
  };
  const { values } = parseArgs({ options });
  const seconds = number(values.seconds ?? "20", "seconds", 1);
  const first = number(values.seed ?? String(Date.now() % 2 ** 31), "seed", 0);
  const cases = number(values.cases ?? String(Number.MAX_SAFE_INTEGER), "cases", 1);
  const { check, families, loadKernels, tierReport } = await fuzzersOf();
  if (values.family && !families.includes(values.family))
    throw new Error(`--family: one of ${families.join(", ")}, not ${values.family}`);
  const wanted = values.family ? [values.family] : families;
  const instances = [];
  for (const { tier, available, reason } of tierReport()) {
    if (!available) console.log(`tier ${tier} is left out: ${reason}`);
    else {
      const file = join(root, "packages", "core", "wasm", `lowbit-ops.${tier}.wasm`);
      instances.push(await loadKernels({ tier, wasm: pathToFileURL(file) }));
    }
  }
  console.log(`seed ${first}, tiers ${instances.map(({ tier }) => tier).join(", ")}, ${wanted.join(", ")}`);
  const end = values.cases ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1000;
  let count = 0;
  for (let seed = first; seed - first < cases && performance.now() < end; seed++)
    for (const family of wanted) {
      check(family, seed, instances);
      count++;
    }
  console.log(`${count} problems, no difference`);
}

await whenMain(import.meta.url, fuzz);
