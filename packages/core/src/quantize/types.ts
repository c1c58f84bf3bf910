/**
 * What a quantizer is. One is made by a factory (`uniform({ bits: 4 })`), by `parseScheme("int4")`, or by
 * `defineQuantizer` from a user's own formula; all three are the same kind of object.
 */
import type { Decoding } from "../graph/types.ts";
import type { KernelInstance } from "../kernels/instance.ts";
import type { Random } from "./random.ts";
import type { Weights } from "./weights.ts";

/** Floats to quantize, row-major; axis 0 is the output channel. An f32 `Tensor` is one. */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** How codes become weights: the Graph's decodings, or `identity` (32-bit floats as they are). */
export type DecodingKind = Decoding["kind"] | "identity";

/** What shares a scale: the tensor, each output channel (row), or each run of `group` weights along a row. */
export type Per = "tensor" | "channel" | { readonly group: number };

type LowBits = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Bits that a code may have, by decoding. */
interface BitsByDecoding {
  sign: 1;
  affine: LowBits;
  offset: LowBits;
  bases: LowBits;
  table: LowBits;
  product: LowBits;
  additive: LowBits;
  hashed: 0;
  identity: 32;
}

/** Bits that a code of this decoding may have. */
export type BitsOf<D extends DecodingKind> = BitsByDecoding[D];

/**
 * A law that a quantizer's formula implies. Declared, it is a promise that `checkLaws` tests. With Q the map from weights to
 * what their codes stand for, and away from the ends of f32's range:
 * - `idempotent`: Q(Q(w)) = Q(w), to within the rounding of a scale;
 * - `scaleEquivariant`: Q(2^p w) = 2^p Q(w) with the same codes, bit for bit;
 * - `signSymmetric`: Q(-w) = -Q(w), where no weight is 0 or lies on a tie;
 * - `nearest`: every weight (or sub-vector) is at the nearest of the levels that its group uses;
 * - `optimalScale`: with the codes kept no other scale has less squared error, that is, w - Q(w) is orthogonal to Q(w) in every group;
 * - `keepsZero`: Q(w) = 0 where w = 0;
 * - `keepsMean`: Q(w) has the mean of w in every group, weighted with the curvature where the formula needs one;
 * - `ordered`: Q(v) <= Q(w) where v <= w, for two weights of a group;
 * - `unbiased`: over many seeds the mean of Q(w) is w, to within six standard errors, for w within {@link QuantizerTraits.range};
 * - `adjacent`: no level of the group lies between w and Q(w), for w within that range. Unbiased as well, with a and b the levels on either side of w,
 *   its variance is exactly (w - a)(b - w), at most a quarter of the step squared;
 * - `noWorseOutput`: on the calibration inputs the squared error of the layer's output is at most that of {@link QuantizerTraits.uncalibrated};
 * - `monotoneInBits`: on bell-shaped and on heavy-tailed weights, {@link QuantizerTraits.coarser} has at least as much error.
 */
export type Law =
  | "idempotent"
  | "scaleEquivariant"
  | "signSymmetric"
  | "nearest"
  | "optimalScale"
  | "keepsZero"
  | "keepsMean"
  | "ordered"
  | "unbiased"
  | "adjacent"
  | "noWorseOutput"
  | "monotoneInBits";

/** Where the formula comes from. */
export interface Paper {
  readonly title: string;
  readonly authors: string;
  readonly year: number;
  readonly url: string;
}

/**
 * What a formula looks at besides the weights: nothing (`weights`), inputs of the layer, or the curvature of the loss (a diagonal Hessian).
 * It is part of the type: `quantize` asks for what is needed and takes nothing else.
 */
export type Need = "weights" | "inputs" | "curvature";

/** Inputs of the layer, for quantizers that look at data: row-major f32 [samples, K], K = weights of a row. */
export interface Calibration {
  readonly samples: number;
  readonly inputs: Float32Array;
}

/** What a formula returns. */
export interface Encoded<D extends DecodingKind> {
  /**
   * One code per weight, row-major [N, K]; with product decoding one per sub-vector, [N, K / dimension]; with additive decoding `count` per
   * sub-vector, [N, K / dimension, count]; none with hashed decoding.
   */
  readonly codes: Uint8Array;
  readonly decoding: Extract<Decoding, { kind: D }>;
  /** One f32 per group, row-major; absent means 1. */
  readonly scale?: Float32Array;
}

/** Floats that stand for the weights, row-major [N, K]. */
export interface EncodedFloats {
  readonly values: Float32Array;
}

/** What a formula returns, by decoding: `identity` has no codes, and returns nothing where the floats stay as they are. */
interface EncodedByDecoding {
  sign: Encoded<"sign">;
  affine: Encoded<"affine">;
  offset: Encoded<"offset">;
  bases: Encoded<"bases">;
  table: Encoded<"table">;
  product: Encoded<"product">;
  additive: Encoded<"additive">;
  hashed: Encoded<"hashed">;
  identity: EncodedFloats | undefined;
}

/** What a formula may use besides the weights; `random` exists where the quantizer is seeded, the other two where it needs them. */
export interface Context<Seeded extends boolean = boolean, N extends Need = Need> {
  readonly random: Seeded extends true ? Random : undefined;
  readonly calibration: N extends "inputs" ? Calibration : undefined;
  /**
   * ∂²L/∂w² >= 0 for every weight, row-major [N, K] (an estimate such as Adam's second moment will do; only ratios count, except where a
   * quantizer takes 1 / curvature for the variance of a posterior).
   */
  readonly curvature: N extends "curvature" ? Float32Array : undefined;
}

/** What every quantizer says about itself. */
export interface QuantizerTraits<D extends DecodingKind, Seeded extends boolean, N extends Need> {
  /** Its spelling in files and on the command line, such as `int4:g32`. */
  readonly scheme: string;
  readonly decoding: D;
  /** Bits per code. */
  readonly bits: BitsOf<D>;
  /** Levels known before the weights are seen (up to a scale), or learned from them. */
  readonly codebook: "fixed" | "adaptive";
  readonly per: Per;
  /** Whether codes are drawn at random; a seeded start of a deterministic search (k-means) is not stochastic. */
  readonly stochastic: boolean;
  /** Whether it draws random numbers at all, and so takes a seed. */
  readonly seeded: Seeded;
  /** What it looks at besides the weights. */
  readonly needs: N;
  readonly laws: readonly Law[];
  /** The least and the largest weight that the levels reach, where those do not follow the weights; what lies beyond saturates. Absent: all weights. */
  readonly range?: readonly [least: number, largest: number] | undefined;
  /** The same quantizer with fewer levels, for `monotoneInBits`; absent for the coarsest. */
  readonly coarser?: (() => Quantizer) | undefined;
  /** What it would be without a look at the inputs, for `noWorseOutput`. */
  readonly uncalibrated?: (() => Quantizer) | undefined;
  readonly paper: Paper;
}

/** A quantizer: traits and the formula. */
export interface Quantizer<
  D extends DecodingKind = DecodingKind,
  Seeded extends boolean = boolean,
  N extends Need = Need,
> extends QuantizerTraits<D, Seeded, N> {
  /** The formula: weights in, codes and levels out. Called with finite weights, at least one. `identity` returns floats, or nothing. */
  encode(weights: Weights, context: Context<Seeded, N>): EncodedByDecoding[D];
}

/** What `quantize` takes besides the tensor and the quantizer. */
export type QuantizeOptions<Seeded extends boolean = boolean, N extends Need = Need> = {
  /** Name of the tensor, for error messages. */
  readonly name?: string;
  /** The WASM instance to run on; absent: one of this package's own, shared by all such calls. */
  readonly kernels?: KernelInstance;
} & (Seeded extends true ? { /** 32-bit seed; 0 where absent. */ readonly seed?: number } : { readonly seed?: never }) &
  (N extends "inputs"
    ? { /** Inputs of the layer. */ readonly calibration: Calibration }
    : { readonly calibration?: never }) &
  (N extends "curvature"
    ? { /** Diagonal Hessian, as many numbers as weights, none negative. */ readonly curvature: Float32Array }
    : { readonly curvature?: never });
