/** Seeded numbers and sizes for the differential tests, as in crates/kernels/src/testing.rs. */

/** Around the sizes of words and lanes. */
export const sizes = [1, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129] as const;

/** Reaching every row of a dispatch table and more than one block. */
export const rowCounts = [1, 2, 3, 5, 17, 33] as const;

/** Mulberry32: a stream of integers in low..high from a seed. */
export function integers(seed: number): (low: number, high: number) => number {
  let state = seed | 0;
  return (low, high) => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return low + (((z ^ (z >>> 14)) >>> 0) % (high - low + 1));
  };
}

/** Packs codes of `bits` bits, `k` to a row, least significant bit first; each row starts on a byte. */
export function packCodes(codes: readonly number[], k: number, bits: number): Uint8Array {
  const rowBytes = Math.ceil((k * bits) / 8);
  const packed = new Uint8Array((codes.length / k) * rowBytes);
  codes.forEach((code, i) => {
    for (let bit = 0; bit < bits; bit++) {
      const at = (i % k) * bits + bit;
      packed[Math.floor(i / k) * rowBytes + (at >> 3)]! |= ((code >> bit) & 1) << (at & 7);
    }
  });
  return packed;
}

/** Packs -1, 0, +1 in runs of `run` values that start a new word: sign words, and for trits the non-zero words behind them. */
export function packSigns(values: readonly number[], run: number, trits: boolean): Uint32Array<ArrayBuffer> {
  const words = Math.ceil(run / 32);
  const planes = trits ? 2 : 1;
  const packed = new Uint32Array((values.length / run) * words * planes);
  values.forEach((value, i) => {
    const at = Math.floor(i / run) * words * planes + ((i % run) >> 5);
    if (value < 0) packed[at]! |= 1 << ((i % run) & 31);
    if (trits && value !== 0) packed[at + words]! |= 1 << ((i % run) & 31);
  });
  return packed;
}

/** sum over k of x[m, k] * w[n, k] */
export function naiveProduct(x: readonly number[], w: readonly number[], k: number): Int32Array {
  const [rows, columns] = [x.length / k, w.length / k];
  const y = new Int32Array(rows * columns);
  for (let m = 0; m < rows; m++)
    for (let n = 0; n < columns; n++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += x[m * k + i]! * w[n * k + i]!;
      y[m * columns + n] = sum;
    }
  return y;
}
