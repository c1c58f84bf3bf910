/** Searches run on weights times a power of two, exactly, so that no square leaves f32's range and 2^p w has the codes of w. */
import { floorLog2, powerOfTwo } from "../powers.ts";
import type { Weights } from "../weights.ts";

export interface Unit {
  /** Brings the largest magnitude into [1, 2). */
  readonly factor: number;
  /** Levels back to the size of the weights; a new array. */
  readonly restore: (levels: Float32Array) => Float32Array;
}

export function unitOf(weights: Weights): Unit {
  let max = 0;
  for (const value of weights.absMax()) max = Math.max(max, value);
  const exponent = max === 0 ? 0 : floorLog2(max);
  const unit = powerOfTwo(exponent);
  return { factor: powerOfTwo(-exponent), restore: (levels) => levels.map((level) => level * unit) };
}
