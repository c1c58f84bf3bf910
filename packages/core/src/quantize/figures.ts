/** Error figures between a tensor and what stands for it. */
import type { ErrorSums } from "./inner.ts";
import { log10 } from "./powers.ts";

/** What replacing w by ŵ costs, over all elements. */
export interface ErrorFigures {
  /** Mean of (w - ŵ)². */
  readonly mse: number;
  /** Σ(w - ŵ)² / Σw²; 0 where both are 0. */
  readonly relativeMse: number;
  /** Signal to quantization noise, 10 log10(Σw² / Σ(w - ŵ)²) in dB; Infinity where nothing is lost. */
  readonly sqnr: number;
  /** Σwŵ / sqrt(Σw² Σŵ²), within -1..1; 1 where both are all zero, 0 where one is. */
  readonly cosine: number;
  /** Largest |w - ŵ|. */
  readonly maxAbs: number;
}

/** Figures from sums over `count` elements (count >= 1). */
export function errorFigures({ noise, signal, power, dot, maxAbs }: ErrorSums, count: number): ErrorFigures {
  const exact = noise === 0;
  return {
    mse: noise / count,
    relativeMse: exact ? 0 : noise / signal,
    sqnr: exact ? Number.POSITIVE_INFINITY : 10 * log10(signal / noise),
    cosine: signal === 0 || power === 0 ? (signal === power ? 1 : 0) : cosineOf(dot, signal, power),
    maxAbs,
  };
}

/** Two square roots instead of one of the product, which could leave the range; rounding may not push it beyond 1. */
const cosineOf = (dot: number, signal: number, power: number): number =>
  Math.max(-1, Math.min(1, dot / (Math.sqrt(signal) * Math.sqrt(power))));

export const addSums = (a: ErrorSums, b: ErrorSums): ErrorSums => ({
  noise: a.noise + b.noise,
  signal: a.signal + b.signal,
  power: a.power + b.power,
  dot: a.dot + b.dot,
  // Math.max passes a NaN on.
  maxAbs: Math.max(a.maxAbs, b.maxAbs),
});

export const NO_ERROR: ErrorSums = { noise: 0, signal: 0, power: 0, dot: 0, maxAbs: 0 };
