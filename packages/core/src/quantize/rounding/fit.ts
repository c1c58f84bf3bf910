/** Scales of least squared error for given codes. */
import type { Weights } from "../weights.ts";

/** Σ w l and Σ l² over the weights w of a tensor and the levels l that their codes name. */
export function levelSums(w: Weights, codes: Uint8Array, levels: Float32Array): { cross: number; square: number } {
  const { sums, counts } = w.sumsByCode(codes, levels.length);
  let [cross, square] = [0, 0];
  for (const [code, level] of levels.entries()) {
    cross += level * sums[code]!;
    square += level * level * counts[code]!;
  }
  return { cross, square };
}

/** α = Σ w l / Σ l², the least of Σ(w - αl)². 0 where every weight is, or every level. */
export function fittedScale(w: Weights, codes: Uint8Array, levels: Float32Array): Float32Array {
  const { cross, square } = levelSums(w, codes, levels);
  return Float32Array.of(square === 0 ? 0 : cross / square);
}

/** The line scale · code + offset through the weights of a tensor and their codes with the least squared error; where all codes are equal, their mean. */
export function fittedLine(w: Weights, codes: Uint8Array, levels: number): { scale: number; offset: number } {
  const { sums, counts } = w.sumsByCode(codes, levels);
  let [code1, code2, weight, product] = [0, 0, 0, 0];
  for (const [code, count] of counts.entries()) {
    code1 += code * count;
    code2 += code * code * count;
    weight += sums[code]!;
    product += code * sums[code]!;
  }
  const variance = code2 - (code1 * code1) / w.length;
  const scale = variance > 0 ? Math.fround((product - (code1 * weight) / w.length) / variance) : 0;
  return { scale, offset: (weight - scale * code1) / w.length };
}
