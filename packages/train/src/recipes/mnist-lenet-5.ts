import { relu } from "../layers/activations.ts";
import { conv } from "../layers/conv.ts";
import { dense } from "../layers/dense.ts";
import { normalizedPixels } from "../layers/input.ts";
import { maxPool } from "../layers/pool.ts";
import type { Recipe } from "../recipe.ts";
import { MEAN, STD } from "./mnist-pixels.ts";

/**
 * LeNet-5 as Caffe has it, 431,080 weights and biases, of which 19 in 20 weights are pruned: what compression by
 * quantization and entropy coding is measured on (Han et al. 2016, Choi et al. 2017).
 */
export const mnistLenet5: Recipe = {
  name: "mnist-lenet-5",
  description: "LeNet-5 (Caffe's) on MNIST, 95 % of its weights pruned by magnitude",
  epochs: 12,
  batch: 64,
  peakRate: 0.002,
  warmup: 200,
  shift: 1,
  pruning: {
    fractions: { "conv1.weight": 0.4, "conv2.weight": 0.88, "dense1.weight": 0.96, "dense2.weight": 0.8 },
    epochs: [3, 7],
  },
  layers: () => [
    normalizedPixels("input", MEAN, STD),
    conv("conv1", { inputs: 1, outputs: 20, size: 5, border: "none", bias: true }),
    maxPool("pool1"),
    conv("conv2", { inputs: 20, outputs: 50, size: 5, border: "none", bias: true }),
    maxPool("pool2"),
    dense("dense1", { from: [4, 4, 50], outputs: 500, bias: true }),
    relu("relu1"),
    dense("dense2", { from: [500], outputs: 10, bias: true }),
  ],
};
