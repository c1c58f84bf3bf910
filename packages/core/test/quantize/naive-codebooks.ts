/** The loops of codebook searches in plain TypeScript: the oracle that the kernels are tested against. */
import { disposeSymbol } from "../../src/dispose.ts";
import { hashIndex, hashWord } from "../../src/graph/decode.ts";
import type {
  AdditiveCodes,
  CodebookLoops,
  Columns,
  CurvedWeights,
  Lloyd,
  SortedValues,
  Vectors,
} from "../../src/quantize/vector/loops.ts";
import { naiveNearest } from "./naive-loops.ts";

const { fround } = Math;

function distanceTo(x: Float32Array, at: number, c: Float32Array, level: number, d: number): number {
  let sum = 0;
  for (let j = 0; j < d; j++) {
    const difference = fround(x[at + j]! - c[level * d + j]!);
    sum = fround(sum + fround(difference * difference));
  }
  return sum;
}

class NaiveLloyd implements Lloyd {
  #codes: number[] = [];
  readonly #x: Float32Array;
  readonly #centroids: Float32Array;
  readonly #d: number;
  constructor(x: Float32Array, centroids: Float32Array, d: number) {
    this.#x = x;
    this.#centroids = centroids.slice();
    this.#d = d;
  }
  pass() {
    const [x, d, centroids] = [this.#x, this.#d, this.#centroids];
    this.#codes = naiveNearest(x, centroids, d);
    const clusters = centroids.length / d;
    const sums = new Float64Array(clusters * d);
    const counts = new Array(clusters).fill(0);
    for (const [v, code] of this.#codes.entries()) {
      counts[code]++;
      for (let j = 0; j < d; j++) sums[code * d + j]! += x[v * d + j]!;
    }
    let [explained, moved] = [0, false];
    for (let i = 0; i < centroids.length; i++) {
      const count = counts[Math.floor(i / d)];
      if (count === 0) continue;
      explained += (sums[i]! * sums[i]!) / count;
      const mean = fround(sums[i]! / count);
      moved ||= !Object.is(mean, centroids[i]);
      centroids[i] = mean;
    }
    return { explained, empty: counts.indexOf(0), moved };
  }
  refill(empty: number): boolean {
    let [farthest, most] = [-1, 0];
    for (const [v, code] of this.#codes.entries()) {
      const distance = distanceTo(this.#x, v * this.#d, this.#centroids, code, this.#d);
      if (distance > most) [farthest, most] = [v, distance];
    }
    if (farthest < 0) return false;
    this.#centroids.set(this.#x.subarray(farthest * this.#d, (farthest + 1) * this.#d), empty * this.#d);
    return true;
  }
  centroids(): Float32Array {
    return this.#centroids.slice();
  }
  [disposeSymbol](): void {}
}

/** What is left of vector v without codebook `skipped`. */
function rest(x: Float32Array, v: number, d: number, of: AdditiveCodes, codes: ArrayLike<number>, skipped = -1) {
  const entries = of.codebooks.length / (of.count * d);
  const left = x.slice(v * d, (v + 1) * d);
  for (let m = 0; m < of.count; m++) {
    if (m === skipped) continue;
    const entry = (m * entries + codes[m]!) * d;
    for (let j = 0; j < d; j++) left[j] = left[j]! - of.codebooks[entry + j]!;
  }
  return left;
}

/** One vector's codes by the beam. */
function beamSearch(
  x: Float32Array,
  v: number,
  d: number,
  of: AdditiveCodes,
  own: number[],
  beam: number,
  searches: number,
) {
  const entries = of.codebooks.length / (of.count * d);
  let paths: { codes: number[]; left: Float32Array }[] = [{ codes: own, left: rest(x, v, d, of, own) }];
  for (let step = 0; step < searches * of.count; step++) {
    const book = step % of.count;
    const entry = (code: number) => of.codebooks.subarray((book * entries + code) * d, (book * entries + code + 1) * d);
    const found: { cost: number; codes: number[]; left: Float32Array<ArrayBufferLike> }[] = [];
    const seen = new Set<string>();
    for (const { codes, left } of paths) {
      const others = codes.with(book, -1).join();
      if (seen.has(others)) continue;
      seen.add(others);
      const base = left.map((value, j) => value + entry(codes[book]!)[j]!);
      let half = 0;
      for (const value of base) half = fround(half + fround(value * value));
      half = fround(half / 2);
      for (let code = 0; code < entries; code++) {
        let norm = 0;
        for (const value of entry(code)) norm += value * value;
        let score = fround(norm / 2);
        for (const [j, value] of base.entries()) score = fround(score - fround(value * entry(code)[j]!));
        const rested = base.map((value, j) => value - entry(code)[j]!);
        found.push({ cost: fround(half + score), codes: codes.with(book, code), left: rested });
      }
    }
    // The sort is stable: of equal ones the first stays ahead.
    paths = found.sort((a, b) => a.cost - b.cost).slice(0, beam);
  }
  return paths[0]!.codes;
}

class NaiveVectors implements Vectors {
  readonly dimension: number;
  readonly #x: Float32Array;
  constructor(x: Float32Array, dimension: number) {
    this.#x = x;
    this.dimension = dimension;
  }
  get count(): number {
    return this.#x.length / this.dimension;
  }
  sumSquares(): number {
    return this.#x.reduce((sum, value) => sum + value * value, 0);
  }
  at(vector: number): Float32Array {
    return this.#x.slice(vector * this.dimension, (vector + 1) * this.dimension);
  }
  take(starts: Uint32Array, length: number, dimension: number): Vectors {
    const runs = Array.from(starts, (start) => [...this.#x.subarray(start, start + length)]);
    return new NaiveVectors(Float32Array.from(runs.flat()), dimension);
  }
  columns(chosen: Uint32Array, step: number): Columns {
    const vectors = Array.from(chosen, (index) => this.at(index).filter((_, j) => j % step === 0));
    return {
      nearer: (from, distances) => {
        for (const [i, vector] of vectors.entries()) {
          distances[i] = Math.min(distances[i]!, distanceTo(vector, 0, vectors[from]!, 0, vector.length));
        }
      },
      [disposeSymbol]() {},
    };
  }
  rotate(transposed: Float32Array): Vectors {
    const d = this.dimension;
    const y = this.#x.map((_, i) => {
      const start = i - (i % d);
      let sum = 0;
      for (let b = 0; b < d; b++) sum = fround(sum + fround(transposed[b * d + (i % d)]! * this.#x[start + b]!));
      return sum;
    });
    return new NaiveVectors(y, d);
  }
  procrustes(): never {
    throw new Error(
      "no quantizer of the registry rotates; the kernels' own tests look at what makes a rotation the best",
    );
  }
  sums(): never {
    throw new Error("no quantizer of the registry codes vectors for search; the kernels' own tests try all sums");
  }
  nearest(codebook: Float32Array): Uint8Array {
    return Uint8Array.from(naiveNearest(this.#x, codebook, this.dimension));
  }
  lloyd(centroids: Float32Array): Lloyd {
    return new NaiveLloyd(this.#x, centroids, this.dimension);
  }
  subtract(codes: Uint8Array, codebook: Float32Array): void {
    const d = this.dimension;
    for (const [i, value] of this.#x.entries()) {
      this.#x[i] = value - codebook[codes[Math.floor(i / d)]! * d + (i % d)]!;
    }
  }
  additive(start: AdditiveCodes, { beam, searches, fits }: { beam: number; searches: number; fits: number }) {
    const [x, d, count] = [this.#x, this.dimension, start.count];
    const of = { ...start, codes: start.codes.slice(), codebooks: start.codebooks.slice() };
    const vector = (v: number) => [...of.codes.subarray(v * count, (v + 1) * count)];
    for (let v = 0; v < this.count; v++) {
      of.codes.set(beamSearch(x, v, d, of, vector(v), beam, searches), v * count);
    }
    const entries = of.codebooks.length / (count * d);
    for (let step = 0; step < fits * count; step++) {
      const book = step % count;
      const sums = new Float64Array(entries * d);
      const counts = new Array(entries).fill(0);
      for (let v = 0; v < this.count; v++) {
        const code = of.codes[v * count + book]!;
        counts[code]++;
        for (const [j, value] of rest(x, v, d, of, vector(v), book).entries()) sums[code * d + j]! += value;
      }
      for (const [i, sum] of sums.entries()) {
        const size = counts[Math.floor(i / d)];
        if (size > 0) of.codebooks[book * entries * d + i] = sum / size;
      }
    }
    let error = 0;
    for (let v = 0; v < this.count; v++) for (const value of rest(x, v, d, of, vector(v))) error += value * value;
    return { ...of, error };
  }
  [disposeSymbol](): void {}
}

const byTotalOrder = (a: number, b: number): number => a - b || (Object.is(a, -0) ? 0 : 1) - (Object.is(b, -0) ? 0 : 1);

class NaiveSorted implements SortedValues {
  readonly #pairs: [value: number, weight: number][];
  constructor(pairs: [number, number][]) {
    this.#pairs = pairs.sort(([a, v], [b, w]) => byTotalOrder(a, b) || v - w);
  }
  intervals(bounds: Float64Array): Float64Array {
    const result = new Float64Array(4 * (bounds.length + 1));
    let from = 0;
    for (let i = 0; i <= bounds.length; i++) {
      let to = from;
      while (to < this.#pairs.length && (i === bounds.length || this.#pairs[to]![0] <= bounds[i]!)) to++;
      let [weight, moment] = [0, 0];
      for (let at = from; at < to; ) {
        const end = Math.min(to, (Math.floor(at / 64) + 1) * 64);
        let [w, m] = [0, 0];
        for (; at < end; at++) {
          const [value, part] = this.#pairs[at]!;
          w += part;
          m += part * value;
        }
        weight += w;
        moment += m;
      }
      result.set([weight, moment, ...(from < to ? [this.#pairs[from]![0], this.#pairs[to - 1]![0]] : [0, 0])], 4 * i);
      from = to;
    }
    return result;
  }
  [disposeSymbol](): void {}
}

class NaiveCurved implements CurvedWeights {
  readonly #x: Float32Array;
  readonly #h: Float32Array;
  constructor(x: Float32Array, h: Float32Array) {
    this.#x = x;
    this.#h = h;
  }
  get length(): number {
    return this.#x.length;
  }
  codes(levels: Float32Array, penalties: Float32Array): Uint8Array {
    return Uint8Array.from(this.#x, (x, i) => {
      let [best, least] = [0, Number.POSITIVE_INFINITY];
      for (const [c, level] of levels.entries()) {
        const difference = fround(x - level);
        const h = Math.max(this.#h[i]!, 2 ** -40);
        const cost = fround(fround(fround(difference * difference) * h) + penalties[c]!);
        if (cost < least) [best, least] = [c, cost];
      }
      return best;
    });
  }
  sums(codes: Uint8Array, levels: number): Float64Array {
    const sums = new Float64Array(4 * levels);
    for (const [i, code] of codes.entries()) {
      const [x, h] = [this.#x[i]!, Math.max(this.#h[i]!, 2 ** -40)];
      for (const [j, part] of [1, h, h * x, h * x * x].entries()) sums[4 * code + j]! += part;
    }
    return sums;
  }
  [disposeSymbol](): void {}
}

export const naiveCodebookLoops: CodebookLoops = {
  interleave: (codes, count) =>
    codes.map((_, i) => codes[(i % count) * (codes.length / count) + Math.floor(i / count)]!),
  vectors: (x, factor, dimension) =>
    new NaiveVectors(
      x.map((value) => value * factor),
      dimension,
    ),
  sorted: (x, factor, weights, floor = 0) =>
    new NaiveSorted(Array.from(x, (value, i) => [fround(value * factor), Math.max(weights?.[i] ?? 1, floor)])),
  curved: (factor, { values, curvature, ratio = 1 }) =>
    new NaiveCurved(
      values.map((value) => value * factor),
      curvature?.map((h) => h * ratio) ?? new Float32Array(values.length).fill(1),
    ),
  hashedMeans(weights, seed, factor, values) {
    const x = weights.map((weight) => weight * factor);
    const [sums, counts] = [new Float64Array(values), new Uint32Array(values)];
    for (const [i, value] of x.entries()) {
      const word = hashWord(seed, i);
      const at = hashIndex(word, values);
      sums[at]! += word & 1 ? -value : value;
      counts[at]!++;
    }
    return Float32Array.from(sums, (sum, b) => (counts[b] === 0 ? 0 : sum / counts[b]!));
  },
};
