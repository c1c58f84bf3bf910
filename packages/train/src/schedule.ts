/**
 * Learning rate of step t of T (t from 0): a linear warm-up over the first `warmup` steps, then linear decay to 0 at T.
 * Linear, since a cosine would need a `Math` function whose last bits differ between engines.
 */
export function learningRate(peak: number, step: number, steps: number, warmup = 0): number {
  if (step < warmup) return (peak * (step + 1)) / (warmup + 1);
  return (peak * (steps - step)) / (steps - warmup);
}

/** Learning rate of step `step` (from 0) of `steps`. */
export type Schedule = (peak: number, step: number, steps: number, warmup: number) => number;

/** The same rate after a linear warm-up. */
export const constantRate: Schedule = (peak, step, _steps, warmup) =>
  step < warmup ? (peak * (step + 1)) / (warmup + 1) : peak;

/** `factor` times the rate at each of these shares of the run, after a linear warm-up: 0.1 at 1/2 and 3/4, as residual networks have it. */
export function stepDecay(at: readonly number[] = [0.5, 0.75], factor = 0.1): Schedule {
  const schedule: Schedule = (peak, step, steps, warmup) =>
    at.reduce((rate, share) => (step >= share * steps ? rate * factor : rate), constantRate(peak, step, steps, warmup));
  // Runs tell schedules apart by their names.
  return Object.defineProperty(schedule, "name", { value: `stepDecay:${at}:${factor}` });
}
