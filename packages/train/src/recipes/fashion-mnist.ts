import { binary, ternary } from "lowbit/quantize";
import { digitsDataset } from "../data/dataset.ts";
import { slice } from "../data/digits.ts";
import { readMnist } from "../data/mnist.ts";
import { clipped } from "../estimators/gradients.ts";
import { relu, sign } from "../layers/activations.ts";
import { normalizedPixels } from "../layers/input.ts";
import type { Layer } from "../layers/layer.ts";
import type { Recipe, RecipeData } from "../recipe.ts";
import { straightThroughTraining } from "../strategies/straight-through.ts";
import { floatTraining, type Strategy } from "../strategies/strategy.ts";
import { butFirst } from "./but-first.ts";
import { threeConvolutions } from "./three-convolutions.ts";

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
  ...threeConvolutions(activation),
];

const cnn = (
  scheme: string,
  description: string,
  strategy: () => Strategy,
  { activation = relu, epochs = 12 } = {},
): Recipe => ({
  name: `fashion-mnist-cnn-${scheme}`,
  description: `CNN of three convolutions on Fashion-MNIST, ${description}`,
  data: fashion,
  layers: network(activation),
  strategy,
  epochs,
  batch: 64,
  peakRate: 0.003,
  warmup: 200,
  shift: 1,
});

/** Signs that flip settle while the rate falls, for which low-bit networks have two epochs more. What helps them is a float first convolution and, with signs, the shortcut; a float teacher did not. */
export const fashionMnist: readonly Recipe[] = [
  cnn("float", "float", () => floatTraining, { epochs: 10 }),
  cnn("ternary", "ternary weights, the first convolution float", () =>
    straightThroughTraining({ quantizer: ternary(), layers: butFirst }),
  ),
  cnn("binary", "binary weights, the first convolution float", () =>
    straightThroughTraining({ quantizer: binary(), layers: butFirst }),
  ),
  cnn(
    "xnor",
    "binary weights and activations, the first convolution float",
    () => straightThroughTraining({ quantizer: binary(), layers: butFirst, estimator: clipped }),
    { activation: sign },
  ),
];
