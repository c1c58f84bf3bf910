/** k-means++ (Arthur, Vassilvitskii, 2007): starts that are spread out. */
import type { Random } from "../random.ts";

/** Vectors that k-means++ chooses from. */
const CANDIDATES = 4096;

/** Indices of all of `count` vectors, or of one at random from each of 4,096 equal stretches of them. */
export function candidates(count: number, random: Random): Uint32Array {
  const taken = Math.min(count, CANDIDATES);
  return Uint32Array.from({ length: taken }, (_, i) =>
    count <= CANDIDATES ? i : Math.floor(((i + random.uniform()) * count) / taken),
  );
}

/**
 * The first at random, each further one with probability proportional to its squared distance to the nearest so far, times its weight. Where there are no more distinct
 * vectors the last one is repeated.
 *
 * @param nearer lessens the distances to those from vector `chosen`, where they are shorter.
 * @returns indices of the chosen.
 */
export function plusPlus(
  count: number,
  clusters: number,
  random: Random,
  nearer: (chosen: number, distances: Float32Array) => void,
  weights?: Float32Array,
): Uint32Array {
  const distances = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
  const chances = new Float64Array(count);
  const chosen = new Uint32Array(clusters);
  let last = random.below(count);
  for (let cluster = 0; cluster < clusters; cluster++) {
    chosen[cluster] = last;
    nearer(last, distances);
    let total = 0;
    for (let i = 0; i < count; i++) {
      chances[i] = distances[i]! * (weights?.[i] ?? 1);
      total += chances[i]!;
    }
    if (total > 0) last = draw(chances, random.uniform() * total);
  }
  return chosen;
}

/** The first index at which the running sum exceeds `target`; never one of chance 0. */
function draw(chances: Float64Array, target: number): number {
  let sum = 0;
  let last = 0;
  for (let i = 0; i < chances.length; i++) {
    if (chances[i] === 0) continue;
    sum += chances[i]!;
    last = i;
    if (sum > target) return i;
  }
  return last;
}
