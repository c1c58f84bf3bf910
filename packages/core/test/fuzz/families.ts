/** The fuzzers of every family of crates/kernels/src/registry.rs: one line each. A family without a line is a type error. */
import type { KernelFamily } from "../../src/generated/registry.ts";
import * as elements from "./elements.ts";
import * as images from "./images.ts";
import type { Fuzzer } from "./problem.ts";
import * as products from "./products.ts";
import { quantizers } from "./quantizers.ts";

export const fuzzers: Readonly<Record<KernelFamily, readonly Fuzzer[]>> = {
  affine_gemm: [products.affineGemm, products.groupedAffineGemm],
  bitpack: [elements.bitpack, images.bitMaxPool],
  codebook_gemm: [products.codebookGemm],
  convert: [elements.quantizing, elements.dequantizing],
  depthwise: [images.depthwiseF32, images.depthwiseAffine],
  elementwise: [elements.elementwise],
  gemm_f32: [products.gemmF32, products.matmulF32],
  normalize: [elements.normalize],
  pool: [images.pool],
  quantize: [quantizers],
  ternary_gemm: [products.ternaryGemm],
  transform: [elements.transform],
  xnor_gemm: [products.xnorGemm, products.xnorConvolution],
};
