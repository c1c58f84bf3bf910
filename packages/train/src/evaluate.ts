import { numpy as np } from "@jax-js/jax";
import { type Digits, SIDE } from "./data/mnist.ts";

/** Images per call; it divides the sizes of MNIST's sets, so that one compiled shape serves them all. */
const EVALUATION_BATCH = 250;

/** Logits [count, classes] of all images, from a function that takes pixels [n, 28, 28, 1]. */
export function logitsOf(digits: Digits, logits: (pixels: np.Array) => np.Array): Float32Array {
  const size = SIDE * SIDE;
  let all: Float32Array | undefined;
  for (let start = 0; start < digits.count; start += EVALUATION_BATCH) {
    const n = Math.min(EVALUATION_BATCH, digits.count - start);
    const pixels = Float32Array.from(digits.images.subarray(start * size, (start + n) * size));
    const part = logits(np.array(pixels, { shape: [n, SIDE, SIDE, 1], dtype: np.float32 })).dataSync() as Float32Array;
    all ??= new Float32Array((digits.count * part.length) / n);
    all.set(part, (start * part.length) / n);
  }
  return all ?? new Float32Array(0);
}

/** The class of each row: its largest logit, the lowest index where several tie. */
export function classesOf(logits: Float32Array, classes = 10): Uint8Array {
  return Uint8Array.from({ length: logits.length / classes }, (_, row) => {
    let best = 0;
    for (let k = 1; k < classes; k++) {
      if ((logits[row * classes + k] as number) > (logits[row * classes + best] as number)) best = k;
    }
    return best;
  });
}

/** Share of the rows whose class is the label, 0..1. */
export function top1(logits: Float32Array, labels: Uint8Array): number {
  const right = classesOf(logits, logits.length / labels.length).reduce((n, c, i) => n + (c === labels[i] ? 1 : 0), 0);
  return right / labels.length;
}
