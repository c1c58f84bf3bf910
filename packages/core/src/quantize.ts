/** Entry `lowbit/quantize`: quantizers, and what they make of tensors. */

export type { KernelInstance } from "./kernels/instance.ts";
export { type KernelOptions, loadKernels } from "./kernels/load.ts";
export { availableTiers, type Tier } from "./kernels/tiers.ts";
export { fromBlocks, toBlocks } from "./quantize/blocks/gguf.ts";
export type { BlockCodes, BlockType } from "./quantize/blocks/layout.ts";
export { mxfp4 } from "./quantize/blocks/mxfp4.ts";
export { type Nf4Options, nf4 } from "./quantize/blocks/nf4.ts";
export { nvfp4 } from "./quantize/blocks/nvfp4.ts";
export { q4_0 } from "./quantize/blocks/q4-0.ts";
export { q4_k } from "./quantize/blocks/q4-k.ts";
export { q8_0 } from "./quantize/blocks/q8-0.ts";
export { tq1_0, tq2_0 } from "./quantize/blocks/tq.ts";
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
export type { Grid, Grouping } from "./quantize/inner.ts";
export { checkLaws, type LawOptions } from "./quantize/laws.ts";
export { binary } from "./quantize/optimization/binary.ts";
export { type TernaryOptions, ternary } from "./quantize/optimization/ternary.ts";
export { compareFloats, dequantize, quantize } from "./quantize/quantize.ts";
export type { ConstantOf, DecodingOf, Quantized } from "./quantize/quantized.ts";
export { Random } from "./quantize/random.ts";
export { registry } from "./quantize/registry.ts";
export { type Pow2Bits, pow2 } from "./quantize/rounding/pow2.ts";
export { type UniformBits, type UniformOptions, uniform } from "./quantize/rounding/uniform.ts";
export { parseScheme } from "./quantize/scheme.ts";
export { integerArgument, modifiers, perSuffix, type SchemeFamily } from "./quantize/scheme-family.ts";
export type {
  BitsOf,
  Calibration,
  Context,
  DecodingKind,
  Encoded,
  FloatTensor,
  Law,
  Paper,
  Per,
  QuantizeOptions,
  Quantizer,
  QuantizerTraits,
} from "./quantize/types.ts";
export { type KmeansOptions, kmeans } from "./quantize/vector/kmeans.ts";
export { type PqOptions, pq } from "./quantize/vector/pq.ts";
export { Weights } from "./quantize/weights.ts";
