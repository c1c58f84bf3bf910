import { binary, ternary } from "lowbit/quantize";
import { digitsDataset } from "../data/dataset.ts";
import { slice } from "../data/digits.ts";
import { readMnist } from "../data/mnist.ts";
import { clipped } from "../estimators/gradients.ts";
import { relu, sign } from "../layers/activations.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { conv } from "../layers/conv.ts";
import { dense } from "../layers/dense.ts";
import { normalizedPixels } from "../layers/input.ts";
import type { Layer } from "../layers/layer.ts";
import { maxPool } from "../layers/pool.ts";
import type { Recipe, RecipeData } from "../recipe.ts";
import { straightThroughTraining } from "../strategies/straight-through.ts";
import { floatTraining, type Strategy } from "../strategies/strategy.ts";

/** Mean and standard deviation of its training pixels, 0..255. */
const [MEAN, STD] = [72.94, 90.02];

/** The last 5,000 training images choose nothing but are looked at after each epoch. */
const VALIDATION = 5_000;

/** Fashion-MNIST (Xiao et al. 2017) in MNIST's files; Debian has it as `dataset-fashion-mnist`. */
const fashion: RecipeData = async (folder) => {
  const whole = await readMnist(folder, "train");
  const kept = whole.count - VALIDATION;
  return {
    training: digitsDataset(slice(whole, 0, kept)),
    validation: digitsDataset(slice(whole, kept, whole.count)),
    test: digitsDataset(await readMnist(folder, "t10k")),
    input: { name: "image", dtype: "f32", shape: [28, 28, 1] },
  };
};

const network = (activation: (name: string) => Layer) => (): Layer[] => [
  normalizedPixels("input", MEAN, STD),
  ...[
    [1, 32],
    [32, 64],
    [64, 64],
  ].flatMap(([inputs, outputs], i) => [
    conv(`conv${i + 1}`, { inputs: inputs!, outputs: outputs!, border: activation === sign && i > 0 ? 1 : 0 }),
    ...(i < 2 ? [maxPool(`pool${i + 1}`)] : []),
    batchNorm(`norm${i + 1}`, { channels: outputs! }),
    activation(`act${i + 1}`),
  ]),
  dense("dense", { from: [7, 7, 64], outputs: 10 }),
  batchNorm("norm4", { channels: 10 }),
];

const cnn = (scheme: string, description: string, strategy: () => Strategy, activation = relu): Recipe => ({
  name: `fashion-mnist-cnn-${scheme}`,
  description: `CNN of three convolutions on Fashion-MNIST, ${description}`,
  data: fashion,
  layers: network(activation),
  strategy,
  epochs: 10,
  batch: 64,
  peakRate: 0.003,
  warmup: 200,
  shift: 1,
});

export const fashionMnist: readonly Recipe[] = [
  cnn("float", "float", () => floatTraining),
  cnn("ternary", "ternary weights", () => straightThroughTraining({ quantizer: ternary() })),
  cnn("binary", "binary weights", () => straightThroughTraining({ quantizer: binary() })),
  cnn(
    "xnor",
    "binary weights and activations",
    () => straightThroughTraining({ quantizer: binary(), estimator: clipped }),
    sign,
  ),
];
