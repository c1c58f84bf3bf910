/** Seeded fuzzing of the built modules, a short run; `pnpm fuzz:wasm --seconds 600` runs longer and with seeds of its own. */
import { beforeAll, expect, it } from "vitest";
import { bundledWasm } from "../src/bundled.ts";
import { kernelFamilies } from "../src/generated/registry.ts";
import type { KernelInstance } from "../src/kernels/instance.ts";
import { loadKernels } from "../src/kernels/load.ts";
import { availableTiers } from "../src/kernels/tiers.ts";
import { fuzzers, inOtherModules } from "./fuzz/families.ts";
import type { Problem } from "./fuzz/problem.ts";
import { check, Difference, families, problemOf } from "./fuzz/run.ts";

const cases = 60;

let instances: KernelInstance[];
beforeAll(async () => {
  instances = await Promise.all(availableTiers().map((tier) => loadKernels({ tier, part: "ops", wasm: bundledWasm })));
});

it.each(families)(`%s: ${cases} drawn problems, every tier against plain arithmetic and each other`, (family) => {
  for (let seed = 1; seed <= cases; seed++) check(family, seed, instances);
});

it("every family of the registry has a fuzzer", () => {
  expect([...families, ...inOtherModules].toSorted()).toEqual(kernelFamilies.map(({ name }) => name).toSorted());
});

it("the same seed draws the same problem, another seed another", () => {
  for (const family of families) {
    expect(problemOf(family, 5).text).toBe(problemOf(family, 5).text);
    const texts = new Set(Array.from({ length: 20 }, (_, seed) => problemOf(family, seed).text));
    expect(texts.size).toBeGreaterThan(10);
  }
});

it("a difference is found, and names the command that repeats it", () => {
  const list = fuzzers.gemm_f32 as unknown as Problem[];
  const broken = { text: "broken", run: () => Float32Array.of(1, 2), expected: () => [1, 3] } satisfies Problem;
  const saved = [...list];
  list.splice(0, list.length, (() => broken) as unknown as Problem);
  try {
    expect(() => check("gemm_f32", 7, instances)).toThrow(Difference);
    expect(() => check("gemm_f32", 7, instances)).toThrow(
      /gemm_f32 \(broken\): element 1 is 2 in tier scalar, 3 by plain arithmetic\n.*--family gemm_f32 --seed 7 --cases 1/,
    );
  } finally {
    list.splice(0, list.length, ...saved);
  }
});
