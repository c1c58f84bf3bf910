import type { np } from "./autograd.ts";
import { type Dataset, datasetOf } from "./data/dataset.ts";
import type { Digits } from "./data/digits.ts";
import { toArray } from "./values.ts";

/** Samples per call; it divides the sizes of MNIST's sets, so that one compiled shape serves them all. */
const EVALUATION_BATCH = 250;

/** Logits [answers, classes] of all samples, from a function that takes x [n, ...]. */
export function logitsOf(
  data: Dataset | Digits,
  logits: (x: np.Array) => np.Array,
  batch = EVALUATION_BATCH,
): Float32Array {
  const dataset = datasetOf(data);
  let all: Float32Array | undefined;
  for (let start = 0; start < dataset.count; start += batch) {
    const n = Math.min(batch, dataset.count - start);
    const part = logits(toArray(dataset.range(start, start + n))).dataSync() as Float32Array;
    all ??= new Float32Array((dataset.count * part.length) / n);
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

/** Mean cross-entropy of rows of logits in nats. */
export function crossEntropy(logits: Float32Array, labels: Uint8Array): number {
  const classes = logits.length / labels.length;
  let total = 0;
  for (const [row, label] of labels.entries()) {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    const most = own.reduce((max, x) => Math.max(max, x), Number.NEGATIVE_INFINITY);
    total += Math.log(own.reduce((sum, x) => sum + Math.exp(x - most), 0)) + most - own[label]!;
  }
  return total / labels.length;
}
