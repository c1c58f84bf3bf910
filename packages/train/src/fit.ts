/**
 * `@lowbit/train/fit`: the part of `@lowbit/train` that runs in a browser, best in a worker: networks, strategies and `fit`. No files: data come as arrays, and what is trained goes to `model.toGraph`.
 */

export { agreementOf, packedLogits } from "./agreement.ts";
export { type Autograd, autograd, nn, np, startEngine } from "./autograd.ts";
export { type Batch, type Dataset, digitsDataset, type EpochOptions } from "./data/dataset.ts";
export type { Digits } from "./data/digits.ts";
export { chosenImages, type Images, type ImagesOptions, imagesDataset } from "./data/images.ts";
export {
  CheckpointError,
  DataError,
  DivergedError,
  HeldOutDigitsError,
  OutputError,
  RecipeError,
  UnknownRecipeError,
} from "./errors.ts";
export {
  abcActivation,
  dorefaActivation,
  lsqActivation,
  pactActivation,
  shiftedPrelu,
  shiftedSign,
  wageActivation,
  xnorScale,
} from "./estimators/activations.ts";
export { clipped, type GradientEstimator, identity, polynomial, xnorGradient } from "./estimators/gradients.ts";
export { int8Rows, type RowActivations } from "./estimators/int8-rows.ts";
export { signSte, straightThrough } from "./estimators/ste.ts";
export { binaryWeights, floatWeights, ternaryWeights, type WeightRule } from "./estimators/weights.ts";
export { classesOf, logitsOf, top1 } from "./evaluate.ts";
export { type GraphOptions, type GraphWriter, plain } from "./export/graph.ts";
export { alignToIntegers } from "./frozen/align.ts";
export type { FrozenLayer } from "./frozen/layers.ts";
export { compileFrozen } from "./frozen/run.ts";
export { gelu, quantizedRelu, relu, sign } from "./layers/activations.ts";
export { type AttentionOptions, attention } from "./layers/attention.ts";
export { type BatchNormOptions, batchNorm } from "./layers/batch-norm.ts";
export { type ConvOptions, conv } from "./layers/conv.ts";
export { type DenseOptions, dense } from "./layers/dense.ts";
export { type DepthwiseOptions, depthwise } from "./layers/depthwise.ts";
export { type EmbeddingOptions, embedding, positions } from "./layers/embedding.ts";
export { int8Pixels, normalizedPixels } from "./layers/input.ts";
export type { Context, Layer } from "./layers/layer.ts";
export { layerNorm } from "./layers/layer-norm.ts";
export { type LstmOptions, lstm } from "./layers/lstm.ts";
export { maxPool } from "./layers/pool.ts";
export { residual } from "./layers/residual.ts";
export { type XnorProductOptions, xnorProduct } from "./layers/xnor-product.ts";
export { type EpochEntry, formatEntry } from "./log.ts";
export { Model } from "./model.ts";
export { adam, adamW } from "./optimizers/adam.ts";
export { type BopOptions, bop } from "./optimizers/bop.ts";
export { extragradient } from "./optimizers/extragradient.ts";
export type { Optimizer } from "./optimizers/optimizer.ts";
export { type SgdOptions, sgd } from "./optimizers/sgd.ts";
export { type WageUpdatesOptions, wageUpdates } from "./optimizers/wage.ts";
export { Random } from "./random.ts";
export type { Recipe, RecipeData, RecipeSets } from "./recipe.ts";
export type { Agreement } from "./record.ts";
export { constantRate, learningRate, type Schedule, stepDecay } from "./schedule.ts";
export { type Admm, type AdmmOptions, admm } from "./strategies/admm.ts";
export { type BayesianCompressionOptions, bayesianCompression } from "./strategies/bayesian-compression.ts";
export { type BitwiseOptions, bitwise, bitwiseSign } from "./strategies/bitwise.ts";
export { type CodebookOptions, codebookTuning } from "./strategies/codebook.ts";
export { type DistillationOptions, distillation } from "./strategies/distillation.ts";
export {
  type ExpectationBackpropagationOptions,
  expectationBackpropagation,
  expectedSign,
} from "./strategies/expectation.ts";
export {
  type ImprovedBayesianCompressionOptions,
  improvedBayesianCompression,
} from "./strategies/improved-bayesian.ts";
export { type Inq, type InqOptions, inq } from "./strategies/inq.ts";
export { type Lc, type LcOptions, lc } from "./strategies/lc.ts";
export { dorefaTraining, lsqTraining, ttqTraining } from "./strategies/learned-levels.ts";
export { type LrNetsOptions, lrNets } from "./strategies/lr-nets.ts";
export type { GammaPrior } from "./strategies/mixture.ts";
export { type ProjectionOptions, projection } from "./strategies/projection.ts";
export { type ProximalNewtonOptions, proximalNewton } from "./strategies/proximal-newton.ts";
export { type QuantizerChoice, unitSigns, type WeightQuantizer } from "./strategies/quantized.ts";
export { type SoftWeightSharingTrainingOptions, softWeightSharingTraining } from "./strategies/soft-weight-sharing.ts";
export { type SparseDropoutTrainingOptions, sparseDropoutTraining } from "./strategies/sparse-dropout.ts";
export { type StraightThroughOptions, straightThroughTraining } from "./strategies/straight-through.ts";
export {
  floatTraining,
  type LayerChoice,
  type Outcome,
  type Scope,
  type StepInputs,
  type Strategy,
  type View,
  type WeightSlot,
} from "./strategies/strategy.ts";
export type { PosteriorOptions } from "./strategies/variational.ts";
export { type VnqOptions, vnq } from "./strategies/vnq.ts";
export { type FitOptions, type Fitted, fit, type Progress } from "./train.ts";
export { trainedLogits } from "./trained.ts";
export type { Arrays, HostTensor, HostTensors } from "./values.ts";
