/** int8 activations by -1, 0, +1 in two bits: one token of a ternary language model, weights in cache and out of it, and more rows. */
import { gemmCases } from "./product.ts";
import { productFamily } from "./product-family.ts";

const types = { x: "int8", w: "trit", y: "int32" } as const;

export const ternaryGemv = productFamily(
  "Ternary matrix by vector, weights in cache",
  gemmCases("ternary_gemv", types, ["1x1024x1024", "1x4096x4096!", "1x5632x2048"]),
);

export const ternaryGemvCold = productFamily(
  "Ternary matrix by vector, weights from memory",
  gemmCases("ternary_gemv_cold", { ...types, cold: true, wBits: 2 }, ["1x4096x4096!", "1x5632x2048"]),
);

export const ternaryGemm = productFamily(
  "Ternary matrix product",
  gemmCases("ternary_gemm", types, ["16x4096x4096", "64x1024x1024!", "256x1024x1024"]),
);
