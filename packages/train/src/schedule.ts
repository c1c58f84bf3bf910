/**
 * Learning rate of step t of T (t from 0): a linear warm-up over the first `warmup` steps, then linear decay to 0 at T.
 * Linear, since a cosine would need a `Math` function whose last bits differ between engines.
 */
export function learningRate(peak: number, step: number, steps: number, warmup = 0): number {
  if (step < warmup) return (peak * (step + 1)) / (warmup + 1);
  return (peak * (steps - step)) / (steps - warmup);
}
