/**
 * Trits without a zero are bits. The step that makes a trit value counts its zeros: where there are none it leaves the plain bits
 * layout (sign words only), else sign and non-zero words; readers look at the count.
 */
import type { Binding, Step } from "./operation.ts";

interface Runnable {
  run(x: number, count: number, y: number): void;
}

interface Place {
  readonly x: string;
  readonly y: string;
  /** Rows, or images. */
  readonly count: number;
}

/** A step that runs `object`, or `bits` where it is there and x holds no zero. */
export function tritStep(binding: Binding, { x, y, count }: Place, object: Runnable, bits?: Runnable): Step {
  const from = binding.pointer(x);
  const to = binding.pointer(y);
  if (!bits) return () => object.run(from, count, to);
  const zeros = binding.zeros(x);
  return () => (zeros.count === 0 ? bits : object).run(from, count, to);
}
