/** ±1 by ±1: every value is a bit on our side, an int8 or an f32 on a peer's. */
import { gemmCases } from "./product.ts";
import { productFamily } from "./product-family.ts";

const types = { x: "sign", w: "sign", y: "int32" } as const;

export const xnorGemm = productFamily(
  "Binary matrix product",
  gemmCases("xnor_gemm", types, ["1x4096x4096", "16x1024x1024", "64x1024x1024!", "256x128x1152", "1024x1024x1024"]),
);
