import { Random } from "../random.ts";
import { CLASSES, type Digits, SIDE } from "./mnist.ts";

/** One batch as the network takes it: pixels 0..255 [n, 28, 28, 1] and one-hot labels [n, 10]. */
export interface Batch {
  readonly pixels: Float32Array<ArrayBuffer>;
  readonly oneHot: Float32Array<ArrayBuffer>;
}

/** Purpose of the generator that orders and shifts the images of an epoch (see `Random`). */
const EPOCH = 1;

export interface BatchOptions {
  readonly batch: number;
  readonly seed: number;
  readonly epoch: number;
  /** Each image is moved by a whole number of pixels, uniform in ±shift in both directions; what comes in is 0. */
  readonly shift: number;
}

/** The batches of one epoch in a random order; images that do not fill a last batch are left out of this epoch. */
export function* batches(digits: Digits, { batch, seed, epoch, shift }: BatchOptions): Generator<Batch> {
  const random = new Random(seed, EPOCH, epoch);
  const order = random.permutation(digits.count);
  for (let start = 0; start + batch <= digits.count; start += batch) {
    const pixels = new Float32Array(batch * SIDE * SIDE);
    const oneHot = new Float32Array(batch * CLASSES);
    for (let i = 0; i < batch; i++) {
      const index = order[start + i] as number;
      const down = random.integer(2 * shift + 1) - shift;
      const right = random.integer(2 * shift + 1) - shift;
      copyShifted(digits.images, index * SIDE * SIDE, pixels, i * SIDE * SIDE, down, right);
      oneHot[i * CLASSES + (digits.labels[index] as number)] = 1;
    }
    yield { pixels, oneHot };
  }
}

function copyShifted(source: Uint8Array, from: number, target: Float32Array, to: number, down: number, right: number) {
  const left = Math.max(0, -right);
  const width = SIDE - Math.abs(right);
  for (let row = Math.max(0, -down); row < SIDE - Math.max(0, down); row++) {
    const begin = from + row * SIDE + left;
    target.set(source.subarray(begin, begin + width), to + (row + down) * SIDE + left + right);
  }
}
