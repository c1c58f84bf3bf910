/**
 * `@lowbit/train`: quantization-aware training in TypeScript. `train("mnist-cnn-binary", { data, out })` runs a recipe; the
 * layers, weight rules and estimators below are what recipes are made of.
 */

export { type Digits, HELD_OUT_DIGITS, readMnist, readPackagedDigits, withoutDigits } from "./data/mnist.ts";
export {
  CheckpointError,
  DataError,
  DivergedError,
  HeldOutDigitsError,
  OutputError,
  UnknownRecipeError,
} from "./errors.ts";
export { signSte, straightThrough } from "./estimators/ste.ts";
export { binaryWeights, floatWeights, ternaryWeights, type WeightRule } from "./estimators/weights.ts";
export { classesOf, logitsOf, top1 } from "./evaluate.ts";
export { alignToIntegers } from "./frozen/align.ts";
export type { FrozenLayer } from "./frozen/layers.ts";
export { compileFrozen } from "./frozen/run.ts";
export { quantizedRelu, relu, sign } from "./layers/activations.ts";
export { type BatchNormOptions, batchNorm } from "./layers/batch-norm.ts";
export { type ConvOptions, conv } from "./layers/conv.ts";
export { type DenseOptions, dense } from "./layers/dense.ts";
export { int8Pixels, normalizedPixels } from "./layers/input.ts";
export type { Context, Layer } from "./layers/layer.ts";
export { maxPool } from "./layers/pool.ts";
export { type EpochEntry, formatEntry } from "./log.ts";
export { recipeOf, type TrainOptions, train } from "./main.ts";
export { Model } from "./model.ts";
export { encodeOnnx, toOnnx } from "./onnx/export.ts";
export { Random } from "./random.ts";
export type { Recipe } from "./recipe.ts";
export { recipes } from "./recipes/index.ts";
export type { LayerFigures, NetworkFigures, TrainingRecord } from "./record.ts";
export { type FitOptions, type Fitted, fit, type Progress, startEngine } from "./train.ts";
export type { Arrays, HostTensor, HostTensors } from "./values.ts";
