/** The built modules, every tier that this engine runs, against plain TypeScript; a family of the registry without a suite does not compile. */
import { beforeAll, describe, it } from "vitest";
import { bundledWasm } from "../../src/bundled.ts";
import { type KernelFamily, kernelFamilies } from "../../src/generated/registry.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { loadKernels } from "../../src/kernels/load.ts";
import { availableTiers, tiers } from "../../src/kernels/tiers.ts";
import { bitpack } from "./bitpack.suite.ts";
import { gemmF32 } from "./gemm-f32.suite.ts";
import { xnorGemm } from "./xnor-gemm.suite.ts";

const suites: Record<KernelFamily, (kernels: () => KernelInstance) => void> = {
  bitpack,
  gemm_f32: gemmF32,
  xnor_gemm: xnorGemm,
};

describe.each(tiers)("%s", (tier) => {
  const available = availableTiers().includes(tier);
  if (!available) {
    it.skip(`every family (this engine does not run the tier ${tier})`);
    return;
  }
  let instance: KernelInstance;
  beforeAll(async () => {
    instance = await loadKernels({ tier, wasm: bundledWasm });
  });
  for (const { name } of kernelFamilies) describe(name, () => suites[name](() => instance));
});
