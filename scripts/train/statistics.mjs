// Means over seeds, their errors, and when one method may be said to beat another.

/** Fewest seeds that an order is claimed on: the error of a mean of two differences is hardly known. */
const LEAST_SEEDS = 3;

export function mean(values) {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/** Standard error of a mean; undefined of one value. */
export function standardError(values) {
  if (values.length < 2) return undefined;
  const centre = mean(values);
  const squares = values.reduce((sum, x) => sum + (x - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/**
 * Two methods by seed (maps of seed to figure): mean and standard error of a - b over the seeds that both have, whether those are LEAST_SEEDS, and whether the mean is then more than two standard errors from 0.
 */
export function compared(a, b) {
  const differences = [...a].filter(([seed]) => b.has(seed)).map(([seed, value]) => value - b.get(seed));
  const [centre, error] = [mean(differences), standardError(differences)];
  const isTested = differences.length >= LEAST_SEEDS;
  return { mean: centre, error, isTested, isBeyondDoubt: isTested && Math.abs(centre) > 2 * error };
}
