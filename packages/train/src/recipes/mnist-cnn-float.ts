import { relu } from "../layers/activations.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { conv } from "../layers/conv.ts";
import { dense } from "../layers/dense.ts";
import { normalizedPixels } from "../layers/input.ts";
import { maxPool } from "../layers/pool.ts";
import type { Recipe } from "../recipe.ts";
import { MEAN, STD } from "./mnist-pixels.ts";

/** A float CNN: what quantizers are tried on. 1.1 million multiply-adds an image, 106 thousand weights. */
export const mnistCnnFloat: Recipe = {
  name: "mnist-cnn-float",
  description: "float CNN on MNIST: two 3x3 convolutions with batch normalization, two dense layers",
  epochs: 12,
  batch: 64,
  peakRate: 0.004,
  warmup: 200,
  shift: 2,
  layers: () => [
    normalizedPixels("input", MEAN, STD),
    conv("conv1", { inputs: 1, outputs: 16 }),
    batchNorm("norm1", { channels: 16 }),
    relu("relu1"),
    maxPool("pool1"),
    conv("conv2", { inputs: 16, outputs: 32 }),
    batchNorm("norm2", { channels: 32 }),
    relu("relu2"),
    maxPool("pool2"),
    dense("dense1", { from: [7, 7, 32], outputs: 64, bias: true }),
    relu("relu3"),
    dense("dense2", { from: [64], outputs: 10, bias: true }),
  ],
};
