/** Powers of two, whose products are shifts. */
import { checkInteger, defineQuantizer } from "../define.ts";
import type { Method } from "../method.ts";
import { INQ } from "../papers.ts";
import { floorLog2, powerOfTwo } from "../powers.ts";
import { integerArgument, modifiers, perSuffix, type SchemeFamily } from "../scheme-family.ts";
import type { Per, Quantizer } from "../types.ts";

export type Pow2Bits = 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** The largest exponent of an f32. */
const MAX_EXPONENT = 127;

/**
 * Incremental network quantization's levels {0, ±2^n₂ ... ±2^n₁} (after LogNet's powers of two):
 *
 *   n₁ = floor(log₂(4 max|w| / 3)),   n₂ = n₁ + 1 - 2^(b-1) / 2
 *
 * and each weight goes to the nearest level, the larger magnitude on a tie (INQ: β where (α + β)/2 <= |w| < 3β/2). That is
 * 2^(b-1) + 1 levels in b bits; b = 2 is ternary with a power-of-two scale. Stored as the table {±1, ±1/2 ..., 0} times 2^n₁ per group
 * (default: one per tensor, as in the paper). LogNet rounds log₂|w| instead, which puts thresholds at √2 rather than 1.5.
 *
 * Gradient in training: straight through. n₁ is at most 127, so magnitudes above 1.5 · 2^127 become 2^127; a group of zeros has n₁ = 0.
 */
export function pow2({
  bits,
  per = "tensor",
}: {
  readonly bits: Pow2Bits;
  readonly per?: Per;
}): Quantizer<"table", false, "weights"> {
  checkInteger("pow2:<b>", "bits", bits, 2, 8);
  return defineQuantizer({
    scheme: `pow2:${bits}${perSuffix(per, "tensor")}`,
    decoding: "table",
    bits,
    codebook: "fixed",
    per,
    laws: ["idempotent", "scaleEquivariant", "signSymmetric", "nearest", "keepsZero", "monotoneInBits"],
    coarser: bits > 2 ? () => pow2({ bits: (bits - 1) as Pow2Bits, per }) : undefined,
    paper: INQ,
    encode(w) {
      const codebook = pow2Levels(bits);
      const scale = w.absMax().map((max) => powerOfTwo(largestExponent(max)));
      return { codes: w.nearest(codebook, scale), decoding: { kind: "table", codebook }, scale };
    },
  });
}

/** INQ's n₁ for weights up to max; 0 where that is 0. */
export const largestExponent = (max: number): number =>
  max === 0 ? 0 : Math.min(MAX_EXPONENT, floorLog2((4 * max) / 3));

/** +1, -1, +1/2, -1/2 ... of 2^(b-2) exponents, then 0: descending, so that a tie's lowest index is the larger magnitude. */
export function pow2Levels(bits: Pow2Bits): Float32Array {
  const magnitudes = Array.from({ length: 2 ** (bits - 1) / 2 }, (_, i) => powerOfTwo(-i));
  return Float32Array.from([...magnitudes.flatMap((m) => [m, -m]), 0]);
}

export const pow2Family: SchemeFamily = {
  syntax: "pow2:<2..8>[:channel|:g<n>]",
  summary: "0 and signed powers of two below max |w| of the tensor (INQ)",
  examples: ["pow2:2", "pow2:3", "pow2:4", "pow2:5", "pow2:4:channel"],
  owns: (head) => head === "pow2",
  parse(scheme, _head, [bits, ...args]) {
    return pow2({
      bits: integerArgument(scheme, "bits of pow2:<bits>", bits, 2, 8) as Pow2Bits,
      per: modifiers(scheme, args, { per: "tensor" }).per,
    });
  },
};

export const pow2Method: Method = {
  method: "Powers of two (INQ's levels)",
  section: "deterministic: rounding",
  file: "rounding/pow2.ts",
  paper: INQ,
  scheme: "pow2:4",
  published: "at most 1/3 of a weight: the distance to the nearer power of two",
};
