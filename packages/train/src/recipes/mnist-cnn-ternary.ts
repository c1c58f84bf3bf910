import { ternaryWeights } from "../estimators/weights.ts";
import { quantizedRelu } from "../layers/activations.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { conv } from "../layers/conv.ts";
import { dense } from "../layers/dense.ts";
import { int8Pixels } from "../layers/input.ts";
import { maxPool } from "../layers/pool.ts";
import type { Recipe } from "../recipe.ts";

/** Grid of the activations, codes 0..127 reach 3.97; behind a normalization little lies beyond. A power of two. */
const STEP = 1 / 32;

/**
 * A CNN with ternary weights in every layer (Ternary Weight Networks) and int8 activations: pixels, then ReLU on a uniform
 * grid, so that every product is int8 codes by {-1, 0, +1}. 2.0 million multiply-adds an image, 55 thousand weights.
 */
export const mnistCnnTernary: Recipe = {
  name: "mnist-cnn-ternary",
  description: "CNN on MNIST with ternary weights and int8 activations",
  epochs: 12,
  batch: 64,
  peakRate: 0.003,
  warmup: 200,
  shift: 2,
  layers: () => [
    int8Pixels("input"),
    conv("conv1", { inputs: 1, outputs: 16, weights: ternaryWeights }),
    batchNorm("norm1", { channels: 16 }),
    quantizedRelu("relu1", STEP),
    maxPool("pool1"),
    conv("conv2", { inputs: 16, outputs: 32, weights: ternaryWeights }),
    batchNorm("norm2", { channels: 32 }),
    quantizedRelu("relu2", STEP),
    maxPool("pool2"),
    conv("conv3", { inputs: 32, outputs: 64, weights: ternaryWeights }),
    batchNorm("norm3", { channels: 64 }),
    quantizedRelu("relu3", STEP),
    dense("dense", { from: [7, 7, 64], outputs: 10, weights: ternaryWeights }),
    batchNorm("norm4", { channels: 10 }),
  ],
};
