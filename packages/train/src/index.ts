/**
 * `@lowbit/train`: quantization-aware training in TypeScript. `train("mnist-cnn-binary", { data, out })` runs a recipe; the
 * layers, weight rules and estimators are what recipes are made of.
 */

export { type NamedImages, readJpegTar } from "./data/jpeg-tar.ts";
export { HELD_OUT_DIGITS, readMnist, readPackagedDigits, withoutDigits } from "./data/mnist.ts";
export { type MnistDigits, mnistDigits } from "./data/mnist-sets.ts";
export { type NpzNames, readImagesNpz } from "./data/npz-images.ts";
export { part, readText, type Text, textDataset, textOf } from "./data/text.ts";
export * from "./fit.ts";
export { recipeOf, type TrainOptions, train } from "./main.ts";
export { encodeOnnx, toOnnx } from "./onnx/export.ts";
export { type ParallelOptions, type ParallelResult, trainInParallel } from "./parallel/coordinator.ts";
export { runGradientWorker, type Shard, type WorkerPlace } from "./parallel/worker.ts";
export { recipes } from "./recipes/index.ts";
export type { LayerFigures, NetworkFigures, PackedRecord, RunFacts, TrainingRecord } from "./record.ts";
