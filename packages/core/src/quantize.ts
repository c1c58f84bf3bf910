/** Entry `lowbit/quantize`: quantizers, and what they make of tensors. */

export type { KernelInstance } from "./kernels/instance.ts";
export { type KernelOptions, loadKernels } from "./kernels/load.ts";
export { availableTiers, type Tier } from "./kernels/tiers.ts";
export { defineQuantizer, type QuantizerDefinition } from "./quantize/define.ts";
export { LawError, QuantizerError, SchemeError } from "./quantize/errors.ts";
export type { ErrorFigures } from "./quantize/figures.ts";
export { float } from "./quantize/float.ts";
export type { Grid, Grouping } from "./quantize/inner.ts";
export { checkLaws, type LawOptions } from "./quantize/laws.ts";
export { binary } from "./quantize/optimization/binary.ts";
export { type TernaryOptions, ternary } from "./quantize/optimization/ternary.ts";
export { magnitudeMasks } from "./quantize/pruning/masks.ts";
export { type PruneOptions, prune } from "./quantize/pruning/prune.ts";
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
  EncodedFloats,
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
