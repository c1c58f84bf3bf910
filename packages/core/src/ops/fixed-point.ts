/** Integer-only arithmetic with real factors (gemmlowp; Jacob et al. 2018): what the operators of fixed points share, and its plain form. */
import * as attribute from "../graph/attributes.ts";
import type { FixedCodes, FixedFactor } from "../kernels/fixed-point.ts";

export const MOST_MULTIPLIER = 2 ** 31 - 1;
export const [LEAST_EXPONENT, MOST_EXPONENT] = [-31, 30];

/** The codes of a result, as attributes: they must be of the type. */
export interface FixedCodesAttributes {
  readonly dtype: "int8" | "uint8";
  readonly zeroPoint: number;
  readonly min: number;
  readonly max: number;
}

export const codesRules = {
  dtype: attribute.oneOf("int8", "uint8"),
  zeroPoint: attribute.integer(-128, 255),
  min: attribute.integer(-128, 255),
  max: attribute.integer(-128, 255),
} as const;

export const codesOf = ({ dtype, zeroPoint, min, max }: FixedCodesAttributes): FixedCodes => ({
  dtype,
  zeroPoint,
  clamp: [min, max],
});

export const multiplierRule = attribute.integer(0, MOST_MULTIPLIER);
export const exponentRule = attribute.integer(LEAST_EXPONENT, MOST_EXPONENT);

/** x · multiplier · 2^(exponent - 31), x an integer: by 2^31 with halves up, then by the shift with halves away from 0. For tests. */
export function scaled(x: number, { multiplier, exponent }: FixedFactor): number {
  const wide = BigInt(Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), x * 2 ** Math.max(exponent, 0))));
  const high = (wide * BigInt(multiplier) + (1n << 30n)) >> 31n;
  const shift = BigInt(Math.max(-exponent, 0));
  const half = (1n << shift) >> 1n;
  return Number(high < 0n ? -((-high + half) >> shift) : (high + half) >> shift);
}

/** The same rounded once, halves up, kept in int32. For tests. */
export function scaledOnce(x: number, { multiplier, exponent }: FixedFactor): number {
  const bits = BigInt(31 - exponent);
  const exact = Number((BigInt(x) * BigInt(multiplier) + (1n << (bits - 1n))) >> bits);
  return Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), exact));
}

/** The code of a scaled number. For tests. */
export const codeOf = (value: number, { zeroPoint, min, max }: FixedCodesAttributes): number =>
  Math.min(max, Math.max(min, value + zeroPoint));
