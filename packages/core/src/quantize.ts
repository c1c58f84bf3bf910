/** Entry `lowbit/quantize`: quantizers, and what they make of tensors. */

export type { KernelInstance } from "./kernels/instance.ts";
export { type KernelOptions, loadKernels } from "./kernels/load.ts";
export { availableTiers, type Tier } from "./kernels/tiers.ts";
export { type DynamicActivationOptions, dynamicActivations } from "./quantize/activations/dynamic.ts";
export { clippedGradients } from "./quantize/activations/gradients.ts";
export { type HwgqOptions, hwgq, hwgqLevels } from "./quantize/activations/hwgq.ts";
export { type LsqOptions, lsq, lsqGradients, lsqStep } from "./quantize/activations/lsq.ts";
export { type PactOptions, pact, pactGradients } from "./quantize/activations/pact.ts";
export { signActivations } from "./quantize/activations/sign.ts";
export {
  type ActivationRange,
  type StaticActivationOptions,
  staticActivations,
} from "./quantize/activations/static.ts";
export type {
  ActivationBits,
  ActivationCalibrator,
  ActivationObserver,
  ActivationOptions,
  ActivationQuantizer,
  QuantizedActivations,
} from "./quantize/activations/types.ts";
export {
  dorefaActivations,
  type WageActivationOptions,
  wageActivations,
  wrpnActivations,
} from "./quantize/activations/unit.ts";
export { fromBlocks, toBlocks } from "./quantize/blocks/gguf.ts";
export { type BlockCodes, type BlockLayout, type BlockType, blockLayouts } from "./quantize/blocks/layout.ts";
export { mxfp4 } from "./quantize/blocks/mxfp4.ts";
export { type Nf4Options, nf4 } from "./quantize/blocks/nf4.ts";
export { nvfp4 } from "./quantize/blocks/nvfp4.ts";
export { q4_0 } from "./quantize/blocks/q4-0.ts";
export { q4_k } from "./quantize/blocks/q4-k.ts";
export { q8_0 } from "./quantize/blocks/q8-0.ts";
export { tq1_0, tq2_0 } from "./quantize/blocks/tq.ts";
export { type StoredFloat, widenFloats } from "./quantize/blocks/widen.ts";
export { type AdaroundOptions, adaround } from "./quantize/calibrated/adaround.ts";
export { type AqlmOptions, aqlm } from "./quantize/calibrated/aqlm.ts";
export { type AwqOptions, awq } from "./quantize/calibrated/awq.ts";
export { type BiasCorrection, correctBias } from "./quantize/calibrated/bias-correction.ts";
export { inputCurvature, inputMax, inputMean } from "./quantize/calibrated/curvature.ts";
export {
  type AwqScaled,
  awqScales,
  divideOutputs,
  type Equalized,
  equalizeLayers,
  type Scaled,
  smoothQuant,
} from "./quantize/calibrated/equalization.ts";
export { type GptqOptions, gptq } from "./quantize/calibrated/gptq.ts";
export { hadamardRotation, type Rotation, rotateRows } from "./quantize/calibrated/hadamard.ts";
export { type HqqOptions, hqq } from "./quantize/calibrated/hqq.ts";
export { outputError } from "./quantize/calibrated/output-error.ts";
export { type TwoStepOptions, twoStep } from "./quantize/calibrated/two-step.ts";
export { defineQuantizer, type QuantizerDefinition } from "./quantize/define.ts";
export { LawError, QuantizerError, SchemeError, WireError } from "./quantize/errors.ts";
export type { ErrorFigures } from "./quantize/figures.ts";
export { float } from "./quantize/float.ts";
export { type GradientCodec, type GradientOptions, gradientCodec } from "./quantize/gradients/codec.ts";
export { type DorefaGradientOptions, dorefaGradient } from "./quantize/gradients/dorefa.ts";
export {
  type DoubleSample,
  type DoubleSamplingOptions,
  doubleSampledGradient,
  doubleSampling,
} from "./quantize/gradients/double-sampling.ts";
export { dynamicTree } from "./quantize/gradients/dynamic-tree.ts";
export type { GradientLoops } from "./quantize/gradients/loops.ts";
export { type OneBitOptions, oneBitSgd } from "./quantize/gradients/one-bit.ts";
export { type QsgdOptions, qsgd } from "./quantize/gradients/qsgd.ts";
export { efSignSgd, majorityVote, signSgd } from "./quantize/gradients/sign.ts";
export { type TernGradOptions, ternGrad } from "./quantize/gradients/terngrad.ts";
export { stromThreshold, type ThresholdOptions } from "./quantize/gradients/threshold.ts";
export type { GradientQuantizer, GradientState } from "./quantize/gradients/types.ts";
export type { Bases, Bins, Grid, Grouping, Side, StochasticGrid } from "./quantize/inner.ts";
export { checkLaws, type LawOptions } from "./quantize/laws.ts";
export { type AbcBases, type AbcNetOptions, abcNet } from "./quantize/optimization/abc-net.ts";
export {
  type AdmmShiftOptions,
  type AdmmState,
  admmGradient,
  admmShift,
  admmStep,
  admmTernary,
} from "./quantize/optimization/admm.ts";
export type { BaseCount } from "./quantize/optimization/bases.ts";
export { binary } from "./quantize/optimization/binary.ts";
export { lab, proximalNewtonStep } from "./quantize/optimization/lab.ts";
export { type LaqBits, type LaqOptions, laq, laqLog } from "./quantize/optimization/laq.ts";
export { lcCompress, lcMultipliers, lcPenaltyGradient, lcTernary } from "./quantize/optimization/lc.ts";
export { type LloydMaxOptions, lloydMax } from "./quantize/optimization/lloyd-max.ts";
export { type LqNetsOptions, lqNets } from "./quantize/optimization/lq-nets.ts";
export { type MultibitOptions, multibit } from "./quantize/optimization/multibit.ts";
export { type SketchOptions, sketch } from "./quantize/optimization/sketch.ts";
export { type TernaryOptions, ternary } from "./quantize/optimization/ternary.ts";
export { ttq } from "./quantize/optimization/ttq.ts";
export { magnitudeMasks } from "./quantize/pruning/masks.ts";
export { type PruneOptions, prune } from "./quantize/pruning/prune.ts";
export { compareFloats, dequantize, quantize } from "./quantize/quantize.ts";
export type { ConstantOf, DecodingOf, Quantized } from "./quantize/quantized.ts";
export { Random } from "./quantize/random.ts";
export { registry } from "./quantize/registry.ts";
export { absmean } from "./quantize/rounding/absmean.ts";
export { type ApotBits, apot } from "./quantize/rounding/apot.ts";
export { type BalancedOptions, balanced } from "./quantize/rounding/balanced.ts";
export { type Relaxed, type RelaxSchedule, relax, relaxation } from "./quantize/rounding/binary-relax.ts";
export { bucket } from "./quantize/rounding/bucket.ts";
export { type DorefaOptions, dorefa } from "./quantize/rounding/dorefa.ts";
export { type FixedOptions, fixed } from "./quantize/rounding/fixed.ts";
export {
  INQ_STEPS,
  type InqOptions,
  type InqPartition,
  type InqStep,
  inqPartition,
  inqStep,
} from "./quantize/rounding/inq.ts";
export {
  type IntegerMultiplier,
  integerMultiplier,
  multiplyByInteger,
} from "./quantize/rounding/integer-multiplier.ts";
export { type LogBits, type LogOptions, log } from "./quantize/rounding/log.ts";
export { type Pow2Bits, pow2 } from "./quantize/rounding/pow2.ts";
export type { RangeRule } from "./quantize/rounding/ranges.ts";
export { allocateBits, type BitAllocation, sqnr } from "./quantize/rounding/sqnr.ts";
export { type UniformBits, type UniformOptions, uniform } from "./quantize/rounding/uniform.ts";
export { type WageBits, wage } from "./quantize/rounding/wage.ts";
export { weightedEntropy } from "./quantize/rounding/weighted-entropy.ts";
export { type WrpnBits, wrpn } from "./quantize/rounding/wrpn.ts";
export { parseScheme } from "./quantize/scheme.ts";
export { integerArgument, modifiers, perSuffix, type SchemeFamily } from "./quantize/scheme-family.ts";
export { type StochasticLevels, stochasticBinary } from "./quantize/stochastic/binary.ts";
export { type FixedPointOptions, stochasticFixed } from "./quantize/stochastic/fixed.ts";
export {
  type PartialChoice,
  type PartiallyQuantized,
  type PartialProbability,
  quantizePartially,
} from "./quantize/stochastic/partial.ts";
export type { PosteriorOptions } from "./quantize/stochastic/posterior.ts";
export {
  type PosteriorBits,
  type PosteriorGridOptions,
  posteriorBits,
  posteriorGrid,
} from "./quantize/stochastic/posterior-bits.ts";
export { type SoftWeightSharingOptions, softWeightSharing } from "./quantize/stochastic/soft-weight-sharing.ts";
export { type SparseDropoutOptions, sparseDropout } from "./quantize/stochastic/sparse-dropout.ts";
export { stochasticTernary } from "./quantize/stochastic/ternary.ts";
export {
  type StochasticUniformOptions,
  stochasticAsymmetric,
  stochasticUniform,
} from "./quantize/stochastic/uniform.ts";
export { type VariationalOptions, variational } from "./quantize/stochastic/variational.ts";
export type {
  BitsOf,
  Calibration,
  Context,
  DecodingKind,
  Encoded,
  EncodedFloats,
  FloatTensor,
  Law,
  Paper,
  Per,
  QuantizeOptions,
  Quantizer,
  QuantizerTraits,
} from "./quantize/types.ts";
export {
  type AdditiveCodebooks,
  type AdditiveCodebooksOptions,
  trainAdditiveCodebooks,
} from "./quantize/vector/additive-codebooks.ts";
export { type AqOptions, aq } from "./quantize/vector/aq.ts";
export { type EcsqOptions, ecsq, hessianEcsq } from "./quantize/vector/ecsq.ts";
export { ecsqUniform } from "./quantize/vector/ecsq-uniform.ts";
export { hashed } from "./quantize/vector/hashed.ts";
export { hkmeans } from "./quantize/vector/hkmeans.ts";
export { type KmeansOptions, kmeans } from "./quantize/vector/kmeans.ts";
export { type PqOptions, pq } from "./quantize/vector/pq.ts";
export {
  type ProductCodebooks,
  type ProductCodebooksOptions,
  type RotatedCodebooks,
  type RotatedCodebooksOptions,
  trainProductCodebooks,
  trainRotatedCodebooks,
} from "./quantize/vector/product-codebooks.ts";
export { type RqOptions, rq } from "./quantize/vector/rq.ts";
export { Weights } from "./quantize/weights.ts";
