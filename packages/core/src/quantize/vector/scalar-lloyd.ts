/** k-means of single weights: what `kmeans` and `hkmeans` share. */
import { LEAST_FLOAT } from "../powers.ts";
import type { Random } from "../random.ts";
import type { Weights } from "../weights.ts";
import type { Clustering, LloydOptions } from "./lloyd.ts";
import type { SortedValues } from "./loops.ts";
import { candidates, plusPlus } from "./seeding.ts";
import { unitOf } from "./unit.ts";

/** Curvature below this part of the largest counts as that: levels follow weights that cost nothing only where nothing else is. */
const FLOOR = 2 ** -40;

/**
 * Lloyd's algorithm from k-means++ starts on all weights, which are sorted once: clusters are then intervals that end halfway between two levels, and a pass costs what its
 * ends cost, not what the weights do. A cluster without weights takes the weight that is farthest from its level.
 *
 * With curvature, Σ h (w - c)² is made least: a level is the mean Σhw / Σh of its weights. Where all curvature is 0, all of it counts as 1.
 */
export function scalarLloyd(w: Weights, random: Random, options: LloydOptions, curvature?: Float32Array): Clustering {
  const { factor, restore } = unitOf(w);
  const best = bestLevels(w, factor, random, options, curvature);
  using scaled = w.vectors(1, factor);
  return { codebook: restore(best), codes: scaled.nearest(best) };
}

function bestLevels(
  w: Weights,
  factor: number,
  random: Random,
  { clusters, restarts, iterations }: LloydOptions,
  curvature?: Float32Array,
): Float32Array {
  const floor = curvature && leastCurvature(w, curvature);
  using sorted = w.sorted(factor, curvature, floor);
  const at = candidates(w.length, random);
  const values = Float32Array.from(at, (i) => w.values()[i]! * factor);
  const weights = curvature && Float32Array.from(at, (i) => Math.max(curvature[i]!, floor!));
  const nearer = (chosen: number, distances: Float32Array): void => {
    for (let i = 0; i < values.length; i++) {
      const difference = values[i]! - values[chosen]!;
      distances[i] = Math.min(distances[i]!, difference * difference);
    }
  };
  let best: { levels: Float32Array; explained: number } | undefined;
  for (let start = 0; start < restarts; start++) {
    const seeds = plusPlus(values.length, clusters, random, nearer, weights);
    const found = settle(
      sorted,
      Float32Array.from(seeds, (i) => values[i]!),
      iterations,
    );
    if (best === undefined || found.explained > best.explained) best = found;
  }
  return best!.levels;
}

function leastCurvature(w: Weights, curvature: Float32Array): number {
  const most = w.largest(curvature);
  return most === 0 ? 1 : Math.fround(Math.max(most * FLOOR, LEAST_FLOAT));
}

/**
 * Lloyd's passes over sorted values until no level moves: what {@link scalarLloyd} and Lloyd-Max share. An interval without values takes the one farthest from its level. `explained` is Σ (Σhw)² / Σh over clusters: what Σhw² - Σh(w - c)² is.
 */
export function settle(
  sorted: SortedValues,
  start: Float32Array,
  iterations: number,
): { levels: Float32Array; explained: number } {
  let levels = start.toSorted();
  let explained = 0;
  // Filling an empty cluster costs a pass of its own; at most one for each cluster are granted.
  let fills = levels.length;
  for (let pass = 0; pass < iterations; ) {
    const sums = sorted.intervals(middles(levels));
    const moved = levels.slice();
    explained = 0;
    for (let i = 0; i < moved.length; i++) {
      const [weight, moment] = [sums[4 * i]!, sums[4 * i + 1]!];
      if (weight === 0) continue;
      moved[i] = moment / weight;
      explained += (moment * moment) / weight;
    }
    if (fills > 0 && fillCluster(sums, moved)) fills--;
    else if (moved.every((level, i) => level === levels[i])) break;
    else pass++;
    levels = moved.sort();
  }
  return { levels, explained };
}

/** Halfway between neighbours: up to there, a value belongs to the lower one. */
const middles = (levels: Float32Array): Float64Array =>
  Float64Array.from({ length: levels.length - 1 }, (_, i) => (levels[i]! + levels[i + 1]!) / 2);

/** Moves the first empty cluster to the weight farthest from its level, which is at an end of an interval; false where none is empty or every weight is a level. */
function fillCluster(sums: Float64Array, levels: Float32Array): boolean {
  let empty = -1;
  let [most, farthest] = [0, 0];
  for (let i = 0; i < levels.length; i++) {
    if (sums[4 * i] === 0) {
      if (empty < 0) empty = i;
      continue;
    }
    for (const end of [sums[4 * i + 2]!, sums[4 * i + 3]!]) {
      if (Math.abs(end - levels[i]!) > most) [most, farthest] = [Math.abs(end - levels[i]!), end];
    }
  }
  if (empty < 0 || most === 0) return false;
  levels[empty] = farthest;
  return true;
}
