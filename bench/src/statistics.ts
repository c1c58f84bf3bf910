/** Of the rounds of one case on one engine. */
export interface Spread {
  readonly medianMs: number;
  readonly minMs: number;
  /** First and third quartile. */
  readonly q1Ms: number;
  readonly q3Ms: number;
  readonly rounds: number;
}

/** The value at `share` (0..1) of the sorted list, between neighbours in proportion. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const [low, rest] = [Math.floor(at), at - Math.floor(at)];
  const [a, b] = [sorted[low] as number, sorted[Math.min(low + 1, sorted.length - 1)] as number];
  return a + (b - a) * rest;
}

/** @param times of at least one round */
export function spreadOf(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b);
  return {
    medianMs: quantile(sorted, 0.5),
    minMs: sorted[0] as number,
    q1Ms: quantile(sorted, 0.25),
    q3Ms: quantile(sorted, 0.75),
    rounds: times.length,
  };
}
