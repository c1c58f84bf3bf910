/** Height and width of an MNIST image. */
export const SIDE = 28;

/** Digits 0..9. */
export const CLASSES = 10;

/** Images [count, 28, 28] of bytes 0..255 and their classes 0..9. */
export interface Digits {
  readonly count: number;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** The images `from` .. `to` - 1, sharing memory. */
export function slice(digits: Digits, from: number, to: number): Digits {
  return {
    count: to - from,
    images: digits.images.subarray(from * SIDE * SIDE, to * SIDE * SIDE),
    labels: digits.labels.subarray(from, to),
  };
}
