/** Deterministic samples of known distributions: equally probable quantiles, so that a figure has no sampling noise. */

/**
 * The standard normal quantile by Acklam's rational approximation (relative error below 1.2e-9), after P. J. Acklam, "An algorithm for
 * computing the inverse normal cumulative distribution function", 2003.
 */
export function normalQuantile(p: number): number {
  const a = [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239,
  ];
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1];
  const c = [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
  const horner = (coefficients: readonly number[], x: number): number =>
    coefficients.reduce((sum, k) => sum * x + k, 0);
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return horner(c, q) / horner(d, q);
  }
  const q = p - 0.5;
  return (q * horner(a, q * q)) / horner(b, q * q);
}

/** The quantile of the Laplace distribution of variance 1. */
export const laplaceQuantile = (p: number): number =>
  p > 0.5 ? -laplaceQuantile(1 - p) : Math.log(2 * p) / Math.SQRT2;

/** `count` points at the quantiles (i + 1/2) / count. */
export const quantileGrid = (quantile: (p: number) => number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => quantile((i + 0.5) / count));
