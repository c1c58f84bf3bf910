/** The float kernels: no relaxed multiply-add, one chain a sum, and therefore one checksum in every engine. */
import { convCases, gemmCases } from "./product.ts";
import { productFamily } from "./product-family.ts";

const types = { x: "f32", w: "f32", y: "f32" } as const;

export const gemmF32 = productFamily(
  "f32 matrix product",
  gemmCases("gemm_f32", types, ["1x4096x4096", "64x1024x1024!", "1024x1024x1024"]),
);

export const convF32 = productFamily(
  "f32 convolution",
  convCases("conv_f32", types, ["56x56x64-k3x3-64", "14x14x256-k3x3-256", "28x28x256-k1x1-256"]),
);

export const depthwiseF32 = productFamily(
  "f32 depthwise convolution",
  convCases("depthwise_f32", { ...types, depthwise: true }, ["56x56x128-k3x3-128"]),
);
