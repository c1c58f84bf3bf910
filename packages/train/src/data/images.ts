import { batches } from "./batches.ts";
import type { Dataset } from "./dataset.ts";

/** Images [count, height, width, channels] of bytes 0..255 and their classes. */
export interface Images {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classes: number;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export interface ImagesOptions {
  /** Whether every other image, by chance, is seen in a mirror. Default false. */
  readonly flip?: boolean;
}

/** Images as a network takes them: x [n, height, width, channels] of pixels 0..255, in training moved by up to `shift` pixels. */
export function imagesDataset(set: Images, { flip = false }: ImagesOptions = {}): Dataset {
  const { count, height, width, channels, classes, images, labels } = set;
  const size = height * width * channels;
  return {
    count,
    labels,
    *epoch(options) {
      for (const { pixels, oneHot } of batches(set, { ...options, flip }))
        yield {
          x: { shape: [options.batch, height, width, channels], data: pixels },
          labels: { shape: [options.batch, classes], data: oneHot },
        };
    },
    range: (from, to) => ({
      shape: [to - from, height, width, channels],
      data: Float32Array.from(images.subarray(from * size, to * size)),
    }),
  };
}

/** Those images, in this order. */
export function chosenImages(set: Images, indices: readonly number[]): Images {
  const size = set.height * set.width * set.channels;
  const images = new Uint8Array(indices.length * size);
  for (const [to, from] of indices.entries())
    images.set(set.images.subarray(from * size, (from + 1) * size), to * size);
  return { ...set, count: indices.length, images, labels: Uint8Array.from(indices, (i) => set.labels[i]!) };
}
