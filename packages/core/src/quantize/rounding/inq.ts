/** Incremental network quantization: a net gets its powers of two part by part, and what is left is retrained in between. */
import { OutOfRangeError, ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { checkInteger } from "../define.ts";
import { innerLoops } from "../engine.ts";
import { powerOfTwo } from "../powers.ts";
import type { FloatTensor } from "../types.ts";
import { matrixOf, Weights } from "../weights.ts";
import { largestExponent, type Pow2Bits, pow2Levels } from "./pow2.ts";

/** The paper's steps: shares of a layer's weights that are quantized after each. */
export const INQ_STEPS = [0.5, 0.75, 0.875, 1] as const;

export interface InqPartition {
  /** Share of all weights that is to be frozen, 0 to 1: round(share · n) of them. */
  readonly share: number;
  /** 1 where a weight is frozen already, as the step before gave it; absent: none. */
  readonly frozen?: Uint8Array | undefined;
  /** The WASM instance to run on, of part `quantize`; absent: the package's own. */
  readonly kernels?: KernelInstance | undefined;
}

export interface InqOptions extends InqPartition {
  readonly bits: Pow2Bits;
  /** n₁ of the first step, which stays for the later ones; absent: floor(log₂(4 max|w| / 3)) of these weights. */
  readonly exponent?: number | undefined;
}

export interface InqStep {
  /** 1 where a weight is frozen: no update reaches it any more (∂L/∂w = 0 there). */
  readonly frozen: Uint8Array;
  /** The weights, powers of two where frozen. */
  readonly values: Float32Array;
  readonly exponent: number;
}

/**
 * Which weights a step freezes: those frozen before, and of the others the largest in magnitude, for they matter most to the net (the paper's pruning-inspired
 * partition); of equal ones the first.
 *
 * @throws OutOfRangeError for a share beyond 0..1 or below what is frozen; ShapeError for a mask of another length.
 */
export async function inqPartition(
  weights: FloatTensor,
  { share, frozen, kernels }: InqPartition,
): Promise<Uint8Array> {
  const { length } = weights.data;
  if (!(share >= 0 && share <= 1)) throw new OutOfRangeError("inqPartition", "share", "0 to 1", share);
  const mask = frozen ?? new Uint8Array(length);
  if (mask.length !== length) throw new ShapeError("inqPartition", "frozen", length, mask.length);
  const already = mask.reduce((sum, m) => sum + (m === 0 ? 0 : 1), 0);
  const count = Math.round(share * length);
  if (count < already)
    throw new OutOfRangeError("inqPartition", "weights to freeze", `at least the ${already} frozen`, count);
  return (await innerLoops(kernels)).largest(weights.data, count, mask);
}

/**
 * One step of INQ (Zhou et al.): the partition, and the levels of {@link pow2} for its frozen part. Retrain the others (with the gradient masked), and step on with
 * `frozen` and `exponent` of the result, until the share is 1: then all weights are what {@link pow2} makes of them with that n₁.
 *
 * @throws as {@link inqPartition}; OutOfRangeError for bits.
 */
export async function inqStep(weights: FloatTensor, options: InqOptions): Promise<InqStep> {
  const { bits, kernels } = options;
  checkInteger("inqStep", "bits", bits, 2, 8);
  const frozen = await inqPartition(weights, options);
  const loops = await innerLoops(kernels);
  const { rows, columns } = matrixOf(weights.shape);
  using w = new Weights(loops, weights.data, rows, columns, "tensor");
  const exponent = options.exponent ?? largestExponent(w.absMax()[0]!);
  const levels = pow2Levels(bits);
  const scale = Float32Array.of(powerOfTwo(exponent));
  const codes = w.nearest(levels, scale);
  const coded = { rows: 1, columns: w.length, bits: 8, codes, decoding: { kind: "table", codebook: levels } as const };
  const quantized = loops.decode({ ...coded, scale, scaleShape: [1, 1], groupSize: w.length }, 0, 1);
  return { frozen, values: loops.choose(weights.data, quantized, frozen), exponent };
}
