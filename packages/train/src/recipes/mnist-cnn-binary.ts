import { binaryWeights } from "../estimators/weights.ts";
import { sign } from "../layers/activations.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { conv } from "../layers/conv.ts";
import { dense } from "../layers/dense.ts";
import { int8Pixels } from "../layers/input.ts";
import { maxPool } from "../layers/pool.ts";
import type { Recipe } from "../recipe.ts";

/**
 * A CNN with one bit per weight in every layer and one bit per activation everywhere but in the pixels (BinaryNet). The
 * pools stand in front of the signs, on integers, and the normalizations there have no scale: each sign is then a
 * threshold on an integer, +1 at or above it. 5.7 million multiply-adds an image, 87 thousand weights.
 */
export const mnistCnnBinary: Recipe = {
  name: "mnist-cnn-binary",
  description: "CNN on MNIST with binary weights and binary activations, int8 pixels",
  epochs: 10,
  batch: 64,
  peakRate: 0.003,
  warmup: 200,
  shift: 1,
  layers: () => [
    int8Pixels("input"),
    conv("conv1", { inputs: 1, outputs: 32, weights: binaryWeights }),
    maxPool("pool1"),
    batchNorm("norm1", { channels: 32, scale: false }),
    sign("sign1"),
    conv("conv2", { inputs: 32, outputs: 64, weights: binaryWeights, border: 1 }),
    maxPool("pool2"),
    batchNorm("norm2", { channels: 64, scale: false }),
    sign("sign2"),
    conv("conv3", { inputs: 64, outputs: 64, weights: binaryWeights, border: 1 }),
    batchNorm("norm3", { channels: 64, scale: false }),
    sign("sign3"),
    dense("dense", { from: [7, 7, 64], outputs: 10, weights: binaryWeights }),
    batchNorm("norm4", { channels: 10 }),
  ],
};
