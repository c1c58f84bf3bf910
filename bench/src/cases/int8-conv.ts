/** int8 convolutions, requantized: the bodies of ResNet-18, a pointwise one, a strided one, and depthwise ones of MobileNet. */
import { convCases } from "./product.ts";
import { productFamily } from "./product-family.ts";

const types = { x: "int8", w: "weight8", y: "int8" } as const;

export const int8Conv = productFamily(
  "int8 convolution, requantized",
  convCases("int8_conv", types, [
    "56x56x64-k3x3-64!",
    "56x56x128-k3x3-128",
    "28x28x128-k3x3-128",
    "28x28x256-k1x1-256",
    "14x14x256-k3x3-256",
    "7x7x512-k3x3-512",
  ]),
);

export const int8ConvStride2 = productFamily(
  "int8 convolution of stride 2, requantized",
  convCases("int8_conv_stride2", { ...types, stride: 2 }, ["224x224x3-k3x3-32", "56x56x64-k3x3-128"]),
);

export const int8Depthwise = productFamily(
  "int8 depthwise convolution, requantized",
  convCases("int8_depthwise", { ...types, depthwise: true }, [
    "112x112x32-k3x3-32",
    "56x56x128-k3x3-128!",
    "14x14x512-k3x3-512",
  ]),
);

export const int8DepthwiseStride2 = productFamily(
  "int8 depthwise convolution of stride 2, requantized",
  convCases("int8_depthwise_stride2", { ...types, depthwise: true, stride: 2 }, ["112x112x64-k3x3-64"]),
);
