import { relu } from "../layers/activations.ts";
import { dense } from "../layers/dense.ts";
import { normalizedPixels } from "../layers/input.ts";
import type { Recipe } from "../recipe.ts";
import { MEAN, STD } from "./mnist-pixels.ts";

/**
 * LeNet-300-100 (LeCun et al. 1998), 266,610 weights and biases, of which 19 in 20 weights are pruned: what compression by
 * quantization and entropy coding is measured on (Han et al. 2016, Choi et al. 2017).
 */
export const mnistLenet300100: Recipe = {
  name: "mnist-lenet-300-100",
  description: "LeNet-300-100 on MNIST, 95 % of its weights pruned by magnitude",
  epochs: 24,
  batch: 64,
  peakRate: 0.002,
  warmup: 200,
  shift: 1,
  pruning: {
    fractions: { "dense1.weight": 0.955, "dense2.weight": 0.92, "dense3.weight": 0.7 },
    epochs: [7, 14],
  },
  layers: () => [
    normalizedPixels("input", MEAN, STD),
    dense("dense1", { from: [28, 28, 1], outputs: 300, bias: true }),
    relu("relu1"),
    dense("dense2", { from: [300], outputs: 100, bias: true }),
    relu("relu2"),
    dense("dense3", { from: [100], outputs: 10, bias: true }),
  ],
};
