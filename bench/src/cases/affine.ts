/** Integer weights of 8, 4 and 2 bits by int8 activations, requantized to int8 as layers of a network are. */
import { gemmCases } from "./product.ts";
import { productFamily } from "./product-family.ts";

const int8 = { x: "int8", w: "weight8", y: "int8" } as const;
const int4 = { x: "int8", w: "int4", y: "int8" } as const;

export const int8Gemm = productFamily(
  "int8 matrix product, requantized",
  gemmCases("int8_gemm", int8, ["64x1024x1024!", "256x1024x1024", "1024x1024x1024"]),
);

export const int8Gemv = productFamily(
  "int8 matrix by vector, weights in cache",
  gemmCases("int8_gemv", int8, ["1x1024x1024", "1x4096x4096"]),
);

export const int8GemvCold = productFamily(
  "int8 matrix by vector, weights from memory",
  gemmCases("int8_gemv_cold", { ...int8, cold: true, wBits: 8 }, ["1x4096x4096"]),
);

export const int4Gemm = productFamily(
  "int4 matrix product, requantized",
  gemmCases("int4_gemm", int4, ["64x1024x1024!", "1024x1024x1024"]),
);

export const int4GemvCold = productFamily(
  "int4 matrix by vector, weights from memory",
  gemmCases("int4_gemv_cold", { ...int4, cold: true, wBits: 4 }, ["1x4096x4096"]),
);

export const int2Gemm = productFamily(
  "int2 matrix product, requantized",
  gemmCases("int2_gemm", { x: "int8", w: "int2", y: "int8" }, ["64x1024x1024"]),
);
