/**
 * The fuzzers of the families of crates/kernels/src/registry.rs: one line each. A family without a line is a type error; those of the modules for search and quantizers have suites
 * of their own in test/kernels, and are fuzzed natively.
 */
import type { KernelFamily } from "../../src/generated/registry.ts";
import * as arithmetic from "./arithmetic.ts";
import * as elements from "./elements.ts";
import { fixedPoint } from "./fixed-point.ts";
import * as images from "./images.ts";
import * as moves from "./moves.ts";
import { multibitGemm } from "./multibit.ts";
import type { Fuzzer } from "./problem.ts";
import * as products from "./products.ts";
import { nearest, quantizers } from "./quantizers.ts";
import * as transformers from "./transformers.ts";
import { matmulInteger, resize, windows } from "./windows.ts";

export const inOtherModules = [
  "pq_tables",
  "pq_scan",
  "pq_fast_scan",
  "hamming",
  "flat_scan",
  "rabitq",
  "hnsw",
  "solve",
] as const satisfies KernelFamily[];

/** Families of the module with every kernel of networks, and those of lowbit/ops. */
export type Fuzzed = Exclude<KernelFamily, (typeof inOtherModules)[number]>;

export const fuzzers: Readonly<Record<Fuzzed, readonly Fuzzer[]>> = {
  affine_gemm: [products.affineGemm, products.groupedAffineGemm],
  attention: [transformers.attention],
  arithmetic: [arithmetic.arithmetic],
  bitpack: [elements.bitpack, images.bitMaxPool],
  codebook_gemm: [products.codebookGemm],
  convert: [elements.quantizing, elements.dequantizing],
  depthwise: [images.depthwiseF32, images.depthwiseAffine],
  elementwise: [elements.elementwise],
  embedding: [transformers.embedding],
  fixed_point: [fixedPoint],
  gemm_f32: [products.gemmF32, products.matmulF32],
  matmul_integer: [matmulInteger],
  multibit_gemm: [multibitGemm],
  nearest: [nearest],
  normalize: [elements.normalize],
  pool: [images.pool],
  quantize: [quantizers],
  resize: [resize],
  reduce: [arithmetic.reduce],
  strided: [moves.strided],
  gather: [moves.gather],
  ternary_gemm: [products.ternaryGemm],
  transform: [elements.transform],
  windows: [windows],
  xnor_gemm: [products.xnorGemm, products.xnorConvolution],
};
