import { Random } from "../random.ts";
import type { Images } from "./images.ts";

/** One batch as the network takes it: pixels 0..255 [n, height, width, channels] and one-hot labels [n, classes]. */
export interface ImageBatch {
  readonly pixels: Float32Array<ArrayBuffer>;
  readonly oneHot: Float32Array<ArrayBuffer>;
}

/** Purpose of the generator that orders, shifts and flips the images of an epoch (see `Random`). */
const EPOCH = 1;

export interface BatchOptions {
  readonly batch: number;
  readonly seed: number;
  readonly epoch: number;
  /** Each image is moved by a whole number of pixels, uniform in ±shift in both directions; what comes in is 0. */
  readonly shift: number;
  /** Whether images are mirrored, left for right, with probability 1/2. */
  readonly flip?: boolean;
}

/** The batches of one epoch in a random order; images that do not fill a last batch are left out of this epoch. */
export function* batches(
  set: Images,
  { batch, seed, epoch, shift, flip = false }: BatchOptions,
): Generator<ImageBatch> {
  const { count, height, width, channels, classes, images, labels } = set;
  const size = height * width * channels;
  const random = new Random(seed, EPOCH, epoch);
  const order = random.permutation(count);
  for (let start = 0; start + batch <= count; start += batch) {
    const pixels = new Float32Array(batch * size);
    const oneHot = new Float32Array(batch * classes);
    for (let i = 0; i < batch; i++) {
      const index = order[start + i] as number;
      const down = random.integer(2 * shift + 1) - shift;
      const right = random.integer(2 * shift + 1) - shift;
      const target = pixels.subarray(i * size, (i + 1) * size);
      copyShifted(set, images.subarray(index * size, (index + 1) * size), target, down, right);
      if (flip && random.integer(2) === 1) mirror(set, target);
      oneHot[i * classes + (labels[index] as number)] = 1;
    }
    yield { pixels, oneHot };
  }
}

function copyShifted(
  { height, width, channels }: Images,
  source: Uint8Array,
  target: Float32Array,
  down: number,
  right: number,
) {
  const left = Math.max(0, -right);
  const length = (width - Math.abs(right)) * channels;
  for (let row = Math.max(0, -down); row < height - Math.max(0, down); row++) {
    const begin = (row * width + left) * channels;
    target.set(source.subarray(begin, begin + length), ((row + down) * width + left + right) * channels);
  }
}

/** Left for right, in place. */
function mirror({ height, width, channels }: Images, image: Float32Array) {
  for (let row = 0; row < height; row++)
    for (let left = 0, right = width - 1; left < right; left++, right--)
      for (let c = 0; c < channels; c++) {
        const [a, b] = [(row * width + left) * channels + c, (row * width + right) * channels + c];
        [image[a], image[b]] = [image[b]!, image[a]!];
      }
}
