/** The 3×3 bodies of ResNet-18 in bits, BN and sign as thresholds: bits in, bits out. Padding counts as real 0. */
import { convCases } from "./product.ts";
import { productFamily } from "./product-family.ts";

export const binaryConv = productFamily(
  "Binary convolution, threshold to bits",
  convCases("binary_conv", { x: "sign", w: "sign", y: "bits" }, [
    "56x56x64-k3x3-64",
    "56x56x128-k3x3-128!",
    "28x28x128-k3x3-128",
    "14x14x256-k3x3-256!",
    "7x7x512-k3x3-512",
  ]),
);
