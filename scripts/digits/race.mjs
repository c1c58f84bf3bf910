/**
 * Accuracy and speed in one pass over the digits. Engines are interleaved: each classifies the same batch before any sees
 * the next, in an order that rotates, so that a slow second of a shared machine falls on all of them. An engine's speed is
 * that of its median batch.
 */

/** @param {readonly number[]} values not empty */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Position of the largest of ten scores per image, the lowest of equals. */
function classesOf(scores, into, at, count) {
  for (let image = 0; image < count; image++) {
    let best = 0;
    for (let k = 1; k < 10; k++) if (scores[image * 10 + k] > scores[image * 10 + best]) best = k;
    into[at + image] = best;
  }
}

/** Batches before the clock starts: code is compiled and memory is mapped in the first ones. */
const WARM_UP = 3;

/**
 * @param {readonly { name: string, scores: (images: Float32Array, count: number) => Promise<Float32Array> }[]} engines
 *   images [count, 1, 28, 28] of 0..255 in, scores [count, 10] out
 * @param {{ count: number, images: Uint8Array }} digits
 * @param {{ batch: number, onProgress?: (done: number) => void }} options
 * @returns {Promise<Map<string, { classes: Uint8Array, imagesPerSecond: number }>>}
 */
export async function race(engines, digits, { batch, onProgress }) {
  const pixels = digits.images.length / digits.count;
  const take = (from, count) => Float32Array.from(digits.images.subarray(from * pixels, (from + count) * pixels));
  const lanes = engines.map((engine) => ({ engine, classes: new Uint8Array(digits.count), times: [] }));
  for (let i = 0; i < WARM_UP; i++) for (const { engine } of lanes) await engine.scores(take(0, batch), batch);
  for (let from = 0, round = 0; from < digits.count; from += batch, round++) {
    const count = Math.min(batch, digits.count - from);
    const images = take(from, count);
    for (let turn = 0; turn < lanes.length; turn++) {
      const { engine, classes, times } = lanes[(turn + round) % lanes.length];
      const started = performance.now();
      const scores = await engine.scores(images, count);
      // The last batch may be a short one; its time would be of another size.
      if (count === batch) times.push(performance.now() - started);
      classesOf(scores, classes, from, count);
    }
    onProgress?.(from + count);
  }
  return new Map(
    lanes.map(({ engine, classes, times }) => [
      engine.name,
      { classes, imagesPerSecond: (batch * 1000) / median(times) },
    ]),
  );
}

/** Share of equal entries, 0..1. */
export function shareEqual(a, b) {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}
