/**
 * Speed, engines interleaved: each does the same batch before any does the next, in an order that rotates, so that a slow
 * second of a shared machine falls on all of them. An engine's speed is that of its median batch.
 */

import { median } from "../median.mjs";
import { BATCH, takeImages } from "./engines.mjs";

/** Rounds before the clock starts: code is compiled and memory is mapped in the first ones. */
const WARM_UP = 3;
export const ROUNDS = 31;

/**
 * @param {readonly { name: string, scores: (images: Float32Array, count: number) => Promise<Float32Array> }[]} engines
 *   images [count, 1, 28, 28] of 0..255 in, scores [count, 10] out
 * @param {{ images: Uint8Array }} digits enough of them for every round
 * @returns {Promise<Map<string, number>>} images per second by name
 */
export async function race(engines, digits) {
  const times = new Map(engines.map(({ name }) => [name, []]));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const images = takeImages(digits.images, (round + WARM_UP) * BATCH, BATCH);
    for (let turn = 0; turn < engines.length; turn++) {
      const { name, scores } = engines[(turn + round + WARM_UP) % engines.length];
      const started = performance.now();
      await scores(images, BATCH);
      if (round >= 0) times.get(name).push(performance.now() - started);
    }
  }
  return new Map([...times].map(([name, list]) => [name, (BATCH * 1000) / median(list)]));
}
