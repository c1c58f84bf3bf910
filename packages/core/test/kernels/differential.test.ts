/**
 * The built modules, every tier that this engine runs, against plain TypeScript. A family with vector code without a suite here does not compile; the
 * others are the same code in every tier and are tested through the runtime.
 */
import { beforeAll, describe, it } from "vitest";
import { bundledWasm } from "../../src/bundled.ts";
import type { kernelFamilies } from "../../src/generated/registry.ts";
import type { KernelInstance } from "../../src/kernels/instance.ts";
import { loadKernels } from "../../src/kernels/load.ts";
import { availableTiers, tiers } from "../../src/kernels/tiers.ts";
import { affineGemm } from "./affine-gemm.suite.ts";
import { bitpack } from "./bitpack.suite.ts";
import { codebookGemm } from "./codebook-gemm.suite.ts";
import { convert } from "./convert.suite.ts";
import { depthwise } from "./depthwise.suite.ts";
import { gemmF32 } from "./gemm-f32.suite.ts";
import { hnsw } from "./hnsw.suite.ts";
import { multibitGemm } from "./multibit-gemm.suite.ts";
import { nearest } from "./nearest.suite.ts";
import { quantize } from "./quantize.suite.ts";
import { flatScans, rabitqScans } from "./rows.suite.ts";
import { hamming, pqFastScans, pqScans, pqTables } from "./search.suite.ts";
import { solve } from "./solve.suite.ts";
import { ternaryGemm } from "./ternary-gemm.suite.ts";
import { attention, normalize } from "./transformer.suite.ts";
import { xnorGemm } from "./xnor-gemm.suite.ts";

type Family = (typeof kernelFamilies)[number];
type VectorFamily = Extract<Family, { tiers: readonly [string, string, ...string[]] }>["name"];

type Suite = (kernels: () => KernelInstance) => void;

/** Those of the module for search, and the scans that have one form for all tiers. */
type SearchFamily = Extract<
  Family["name"],
  "pq_tables" | "pq_scan" | "pq_fast_scan" | "hamming" | "flat_scan" | "rabitq" | "hnsw"
>;

const searchSuites: Record<SearchFamily, Suite> = {
  pq_tables: pqTables,
  pq_scan: pqScans,
  pq_fast_scan: pqFastScans,
  hamming,
  flat_scan: flatScans,
  rabitq: rabitqScans,
  hnsw,
};

/** Those of the module for transformers. */
const transformerSuites: Record<Extract<VectorFamily, "attention" | "normalize">, Suite> = { attention, normalize };

/** `quantize` has no vector code, but its loops stand behind every quantizer; `solve` is in the module of those alone. */
const suites: Record<Exclude<VectorFamily, SearchFamily | "solve" | "attention" | "normalize"> | "quantize", Suite> = {
  affine_gemm: affineGemm,
  bitpack,
  codebook_gemm: codebookGemm,
  convert,
  depthwise,
  gemm_f32: gemmF32,
  multibit_gemm: multibitGemm,
  nearest,
  quantize,
  ternary_gemm: ternaryGemm,
  xnor_gemm: xnorGemm,
};

describe.each(tiers)("%s", (tier) => {
  if (!availableTiers().includes(tier)) {
    it.skip(`every family (this engine does not run the tier ${tier})`);
    return;
  }
  let instance: KernelInstance;
  let search: KernelInstance;
  let quantizers: KernelInstance;
  let transformers: KernelInstance;
  beforeAll(async () => {
    instance = await loadKernels({ tier, part: "ops", wasm: bundledWasm });
    search = await loadKernels({ tier, part: "search", wasm: bundledWasm });
    transformers = await loadKernels({ tier, part: "transformer", wasm: bundledWasm });
    quantizers = await loadKernels({ tier, part: "quantize", wasm: bundledWasm });
  });
  for (const [name, suite] of Object.entries(suites)) describe(name, () => suite(() => instance));
  for (const [name, suite] of Object.entries(searchSuites)) describe(name, () => suite(() => search));
  for (const [name, suite] of Object.entries(transformerSuites)) describe(name, () => suite(() => transformers));
  describe("solve", () => solve(() => quantizers));
});
