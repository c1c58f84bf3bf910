import { binary } from "lowbit/quantize";
import { clipped } from "../estimators/gradients.ts";
import { sign } from "../layers/activations.ts";
import { int8Pixels } from "../layers/input.ts";
import type { Recipe } from "../recipe.ts";
import { straightThroughTraining } from "../strategies/straight-through.ts";
import { mnistCnnFloat } from "./mnist-cnn-float.ts";
import { taught } from "./taught.ts";
import { threeConvolutions } from "./three-convolutions.ts";

const binaryCnn: Recipe = {
  name: "mnist-cnn-xnor",
  description: "CNN of three convolutions on MNIST, binary weights and activations, int8 pixels",
  layers: () => [int8Pixels("input"), ...threeConvolutions(sign)],
  strategy: () => straightThroughTraining({ quantizer: binary(), estimator: clipped }),
  epochs: 20,
  batch: 64,
  peakRate: 0.003,
  warmup: 200,
  shift: 1,
};

/** The layers of `mnist-cnn-binary` with scales in weights and normalizations, a teacher, and twice the epochs. */
export const mnistCnnTaught: Recipe = taught(binaryCnn, mnistCnnFloat);
