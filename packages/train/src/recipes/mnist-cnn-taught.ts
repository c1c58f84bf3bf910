import { binary } from "lowbit/quantize";
import { clipped } from "../estimators/gradients.ts";
import { sign } from "../layers/activations.ts";
import { normalizedPixels } from "../layers/input.ts";
import type { Recipe } from "../recipe.ts";
import { straightThroughTraining } from "../strategies/straight-through.ts";
import { butFirst } from "./but-first.ts";
import { mnistCnnFloat } from "./mnist-cnn-float.ts";
import { MEAN, STD } from "./mnist-pixels.ts";
import { taught } from "./taught.ts";
import { threeConvolutions } from "./three-convolutions.ts";

const signs: Recipe = {
  name: "mnist-cnn-xnor",
  description: "CNN of three convolutions on MNIST, binary weights and activations, the first convolution float",
  layers: () => [normalizedPixels("input", MEAN, STD), ...threeConvolutions(sign, 128)],
  strategy: () => straightThroughTraining({ quantizer: binary(), layers: butFirst, estimator: clipped }),
  epochs: 10,
  batch: 64,
  peakRate: 0.003,
  warmup: 200,
  shift: 1,
};

/** Beside `mnist-cnn-binary`: scales in weights and normalizations, a shortcut, a hidden layer, a float first convolution and a teacher. */
export const mnistCnnTaught: Recipe = taught(signs, mnistCnnFloat);
