import type { LayerTrace } from "./channel-function.ts";

/** Sign(f(k)) of one channel as a comparison with an integer. */
export interface ChannelThreshold {
  /** +1 where the sum (negated first, if `negate`) is at or above it, else -1. */
  readonly threshold: number;
  /** f falls as k grows: compare -k, that is, negate the channel's weights. */
  readonly negate: boolean;
  /** Some sum that can occur gives f(k) = 0, where ONNX Sign gives 0: no two-valued result. */
  readonly zero: boolean;
}

/** Below and above every sum: a channel that is always +1, always -1. */
const ALWAYS = { plus: -(2 ** 31), minus: 2 ** 31 - 1 } as const;

/**
 * The threshold of one channel, by evaluating the source's own f32 expression at the sums that can occur. Each of its
 * operations is monotone, in f32 too (rounding never swaps two numbers), so the first sum with f > 0 and the first with
 * f >= 0 are found by bisection, and the sums between them are exactly those with f = 0. Undefined where f is NaN at an
 * end.
 */
export function thresholdOf({ value, least, step }: LayerTrace, channel: number): ChannelThreshold | undefined {
  const count = (-2 * least) / step + 1;
  const [atLeast, atMost] = [value(least, channel), value(-least, channel)];
  if (Number.isNaN(atLeast) || Number.isNaN(atMost)) return undefined;
  const negate = atLeast > atMost;
  const f = (index: number) => {
    const k = least + index * step;
    return value(negate ? -k : k, channel);
  };
  const positive = firstIndex(count, (index) => f(index) > 0);
  const zero = firstIndex(count, (index) => f(index) >= 0) < positive;
  const threshold = positive === 0 ? ALWAYS.plus : positive === count ? ALWAYS.minus : least + positive * step;
  return { threshold, negate, zero };
}

/** The first index in 0..count-1 that holds, for a condition that stays true once it is; `count` where none does. */
function firstIndex(count: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
