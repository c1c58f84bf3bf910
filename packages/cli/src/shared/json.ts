/** JSON for programs: numbers stay numbers. */

/**
 * What stands for an infinite SQNR in JSON, which has no infinity: more than any f32 computation reaches (f32 itself has
 * about 150 dB), so that comparing it with a floor does what one expects.
 */
export const EXACT_DECIBELS = 999;

/** SQNR and the like, finite. */
export const finiteDecibels = (value: number): number =>
  Number.isFinite(value) ? value : value > 0 ? EXACT_DECIBELS : -EXACT_DECIBELS;

/** Prints one object to stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
