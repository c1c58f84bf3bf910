/** A real multiplier as integers: what requantizes int32 sums where there is no float arithmetic. */
import { OutOfRangeError } from "../../errors.ts";
import { checkInteger } from "../define.ts";
import { floorLog2, powerOfTwo } from "../powers.ts";

/** M = multiplier · 2^-31 · 2^-shift. */
export interface IntegerMultiplier {
  /** M₀ · 2^31, an int32 of 2^30 to 2^31 - 1: M₀ is in 0.5..1. */
  readonly multiplier: number;
  /** n, 0 to 31: how far a product is shifted to the right. */
  readonly shift: number;
}

/**
 * Jacob et al., eq. 6: M = S₁S₂/S₃ of an integer-only product of matrices as M = 2^-n M₀ with M₀ in [0.5, 1), an int32 of at least 30 bits of accuracy: relative error at
 * most 2^-31. This library's kernels multiply by an f32 instead (24 bits); the function is for code generators and hardware that have no floats.
 *
 * @param m above 0 and below 1, as the paper finds it always is; at least 2^-32.
 * @throws OutOfRangeError
 */
export function integerMultiplier(m: number): IntegerMultiplier {
  if (!(m >= powerOfTwo(-32) && m < 1))
    throw new OutOfRangeError("integerMultiplier", "multiplier", "2^-32 up to but not 1", m);
  const n = -floorLog2(m) - 1;
  const multiplier = Math.round(m * powerOfTwo(n + 31));
  if (multiplier < 2 ** 31) return { multiplier, shift: n };
  // Rounded up to 1: half of that, and a bit less to shift; of the largest numbers below 1 the largest that there is.
  return n > 0 ? { multiplier: 2 ** 30, shift: n - 1 } : { multiplier: 2 ** 31 - 1, shift: 0 };
}

/**
 * round(acc · M) as integer hardware does it (the paper's reference code, gemmlowp): the upper half of twice the product, rounded to nearest with
 * halves upwards, then a shift to the right, rounded to nearest with halves away from 0. Within 1 of the real number.
 *
 * @param acc int32
 * @throws OutOfRangeError for numbers out of range
 */
export function multiplyByInteger(acc: number, { multiplier, shift }: IntegerMultiplier): number {
  checkInteger("multiplyByInteger", "acc", acc, -(2 ** 31), 2 ** 31 - 1);
  checkInteger("multiplyByInteger", "multiplier", multiplier, 2 ** 30, 2 ** 31 - 1);
  checkInteger("multiplyByInteger", "shift", shift, 0, 31);
  const high = (BigInt(acc) * BigInt(multiplier) + (1n << 30n)) >> 31n;
  return Number(roundingShift(high, BigInt(shift)));
}

/** x / 2^bits to the nearest integer, half away from 0. */
function roundingShift(x: bigint, bits: bigint): bigint {
  if (bits === 0n) return x;
  const half = 1n << (bits - 1n);
  return x < 0n ? -((-x + half) >> bits) : (x + half) >> bits;
}
