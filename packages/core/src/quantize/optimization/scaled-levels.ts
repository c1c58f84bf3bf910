/** Fixed levels times a scale of least error: the projection that loss-aware quantization, ADMM and LC share. */
import type { Weights } from "../weights.ts";

/** Passes of the alternation; N(0,1) settles in about 30. */
const MAX_PASSES = 200;

/** Symmetric levels around 0 up to a scale. */
export interface Levels {
  /** Level of each code. */
  readonly values: Float32Array;
  /** Codes of weights divided by a scale (> 0) per group: the nearest level. */
  readonly codes: (w: Weights, scale: Float32Array) => Uint8Array;
}

/** -n ... -1, 0, 1 ... n as codes 0..2n of a grid with the zero point n; ties go to the even level. */
export function integerLevels(n: number): Levels {
  return {
    values: Float32Array.from({ length: 2 * n + 1 }, (_, code) => code - n),
    codes: (w, scale) => w.gridCodes({ scale, zeroPoint: n, minCode: 0, maxCode: 2 * n }),
  };
}

/** ±2^(n-1) ... ±2, ±1, 0, descending, so that a tie goes to the larger magnitude. */
export function powerLevels(n: number): Levels {
  const magnitudes = Array.from({ length: n }, (_, i) => 2 ** (n - 1 - i));
  const values = Float32Array.from([...magnitudes.flatMap((m) => [m, -m]), 0]);
  return { values, codes: (w, scale) => w.nearest(values, scale) };
}

/**
 * min over α >= 0 per group and q from the levels of Σ h (w - α q)², where h is the importance of each weight (1 where absent), in alternation
 *
 *   q = Π(w / α), the nearest level;   α = Σ h w q / Σ h q²,
 *
 * until α stays as it is. Neither step raises the error: the end is a local optimum, for ternary levels and a log-concave density the only one. The start is the α at which the
 * levels other than 0 have the mean magnitude of the weights; from above, a single outlier could hold it. A group of zeros (or of no importance where q is not 0) has α = 0.
 */
export function projectOnLevels(
  w: Weights,
  levels: Levels,
  importance?: Float32Array,
): { codes: Uint8Array; scale: Float32Array } {
  const used = levels.values.filter((level) => level !== 0);
  const mean = used.reduce((sum, level) => sum + Math.abs(level), 0) / used.length;
  let scale: Float32Array = w.meanAbs().map((m) => m / mean);
  // Of plain squares the alternation runs on sorted weights; below it only has to agree, weight by weight.
  if (importance === undefined)
    scale = w.levelScale(Float32Array.from(new Set(levels.values.map(Math.abs))).sort(), scale);
  let codes = levels.codes(w, scale.map(positive));
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const { dot, power } = w.scaleSums(codes, levels.values, importance);
    const next = Float32Array.from(dot, (d, group) => (power[group] === 0 ? 0 : d / power[group]!));
    const settled = next.every((a, group) => a === scale[group]);
    scale = next;
    if (settled) break;
    codes = levels.codes(w, scale.map(positive));
  }
  return { codes, scale };
}

/** Codes of a group without a scale are those of w / 1; times 0 they are 0 all the same. */
const positive = (scale: number): number => (scale === 0 ? 1 : scale);
