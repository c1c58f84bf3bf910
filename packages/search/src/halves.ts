/**
 * The order of a codebook's centroids, which is free: here the 16 whose numbers share an upper half are near each other. The scan of 8-bit codes then knows of most from upper halves alone that they are too far
 * (`pq_scan` of the kernels); by 16 centroids at random it would know nothing.
 */

/** Halvings from 256 centroids to groups of 16. */
const HALVINGS = 4;

/** Turns of the power iteration: the direction need not be exact. */
const TURNS = 8;

/**
 * Orders the centroids of each sub-space by halving them along their widest direction, and the halves again.
 * @param codebooks f32 [M, 256, d]
 * @param dimension d
 * @returns f32 [M, 256, d]: the same centroids in another order
 */
export function orderByHalves(codebooks: Float32Array, dimension: number): Float32Array {
  const ordered = new Float32Array(codebooks.length);
  const size = 256 * dimension;
  for (let at = 0; at < codebooks.length; at += size) {
    const book = codebooks.subarray(at, at + size);
    const all = Array.from({ length: 256 }, (_, number) => number);
    halved(book, dimension, all, HALVINGS).forEach((number, place) => {
      ordered.set(book.subarray(number * dimension, (number + 1) * dimension), at + place * dimension);
    });
  }
  return ordered;
}

function halved(book: Float32Array, dimension: number, numbers: readonly number[], times: number): readonly number[] {
  if (times === 0) return numbers;
  const along = positions(book, dimension, numbers);
  // By number where they are equal, so that every engine has one order.
  const order = numbers.map((_, i) => i).sort((a, b) => along[a]! - along[b]! || numbers[a]! - numbers[b]!);
  const sorted = order.map((i) => numbers[i]!);
  const middle = sorted.length / 2;
  return [sorted.slice(0, middle), sorted.slice(middle)].flatMap((half) => halved(book, dimension, half, times - 1));
}

/** Of the centroids along the direction of their largest variance, by power iteration. */
function positions(book: Float32Array, dimension: number, numbers: readonly number[]): Float64Array {
  const { length } = numbers;
  const centred = new Float64Array(length * dimension);
  for (let d = 0; d < dimension; d++) {
    let sum = 0;
    for (const number of numbers) sum += book[number * dimension + d]!;
    for (let i = 0; i < length; i++) centred[i * dimension + d] = book[numbers[i]! * dimension + d]! - sum / length;
  }
  // From the centroid that is furthest out.
  const along = new Float64Array(length);
  for (let i = 0; i < length; i++) along[i] = square(centred.subarray(i * dimension, (i + 1) * dimension));
  const furthest = along.indexOf(along.reduce((most, value) => Math.max(most, value), 0));
  const direction = centred.slice(furthest * dimension, (furthest + 1) * dimension);
  for (let turn = 0; turn < TURNS; turn++) {
    const norm = Math.sqrt(square(direction)) || 1;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let d = 0; d < dimension; d++) sum += centred[i * dimension + d]! * direction[d]!;
      along[i] = sum / norm;
    }
    direction.fill(0);
    for (let i = 0; i < length; i++)
      for (let d = 0; d < dimension; d++) direction[d]! += along[i]! * centred[i * dimension + d]!;
  }
  return along;
}

const square = (values: Float64Array): number => values.reduce((sum, value) => sum + value * value, 0);
