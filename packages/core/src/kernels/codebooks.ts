/** The loops of codebook searches on WASM kernels; see crates/wasm/src/codebooks.rs. */
import { disposeSymbol } from "../dispose.ts";
import type {
  AdditiveCodes,
  CodebookLoops,
  Columns,
  CurvedWeights,
  Lloyd,
  LloydPass,
  SortedValues,
  Vectors,
} from "../quantize/vector/loops.ts";
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";
import { copyF32, copyF64, copyU8, copyU32, held, type Stage, staged } from "./stage.ts";
import { SumEncoder } from "./sums.ts";

/** Values and weights that are paired at once. */
const PART = 2 ** 12;

/** A copy of x * factor in memory of the stage. */
function load(instance: KernelInstance, stage: Stage, x: Float32Array, factor: number): number {
  const pointer = stage.upload(x);
  if (factor !== 1) instance.check(instance.exports.quantize_multiply(pointer, x.length, factor));
  return pointer;
}

/** What holds memory until it is disposed of. */
class Held implements Disposable {
  protected readonly instance: KernelInstance;
  readonly #stage: Stage;

  constructor(instance: KernelInstance, stage: Stage) {
    this.instance = instance;
    this.#stage = stage;
  }

  [disposeSymbol](): void {
    this.#stage.release();
  }
}

class KernelVectors extends Held implements Vectors {
  readonly dimension: number;
  readonly count: number;
  readonly #x: number;

  constructor(instance: KernelInstance, stage: Stage, x: number, count: number, dimension: number) {
    super(instance, stage);
    this.#x = x;
    this.count = count;
    this.dimension = dimension;
  }

  sumSquares(): number {
    const { instance } = this;
    return staged(instance, (stage) => {
      const sums = stage.reserve(40);
      instance.check(instance.exports.quantize_error_sums(this.#x, this.#x, this.#floats, sums));
      return copyF64(instance, sums, 2)[1]!;
    });
  }

  at(vector: number): Float32Array {
    return copyF32(this.instance, this.#x + 4 * vector * this.dimension, this.dimension);
  }

  take(starts: Uint32Array, length: number, dimension: number): Vectors {
    const { instance } = this;
    const count = (starts.length * length) / dimension;
    return held(instance, (stage) => {
      const y = this.#take(stage, starts, length, 0, length);
      return new KernelVectors(instance, stage, y, count, dimension);
    });
  }

  columns(chosen: Uint32Array, step: number): Columns {
    const { instance, dimension } = this;
    return held(instance, (stage) => {
      const starts = chosen.map((vector) => vector * dimension);
      const kept = Math.ceil(dimension / step);
      const y = this.#take(stage, starts, dimension, step, kept);
      return new KernelColumns(instance, stage, y, chosen.length, kept);
    });
  }

  #take(stage: Stage, starts: Uint32Array, length: number, step: number, kept: number): number {
    const { instance } = this;
    const y = stage.reserve(4 * starts.length * kept);
    staged(instance, (own) => {
      const runs = [own.upload(starts), starts.length, length] as const;
      instance.check(instance.exports.codebook_take(this.#x, this.#floats, ...runs, step, y));
    });
    return y;
  }

  rotate(transposed: Float32Array): Vectors {
    const { instance, count, dimension } = this;
    return held(instance, (stage) => {
      const y = stage.reserve(4 * this.#floats);
      staged(instance, (own) => {
        const { codebook_rotate } = instance.exports;
        instance.check(codebook_rotate(this.#x, count, dimension, own.upload(transposed), y));
      });
      return new KernelVectors(instance, stage, y, count, dimension);
    });
  }

  procrustes(codes: Uint8Array, codebooks: Float32Array, subspaces: number, before: Float64Array): Float64Array {
    const { instance, count, dimension } = this;
    return staged(instance, (stage) => {
      const [chosen, books, rotation] = [stage.upload(codes), stage.upload(codebooks), stage.upload(before)];
      const sizes = [subspaces, codebooks.length / dimension] as const;
      const { codebook_procrustes } = instance.exports;
      instance.check(codebook_procrustes(this.#x, count, dimension, chosen, books, ...sizes, rotation));
      return copyF64(instance, rotation, before.length);
    });
  }

  nearest(codebook: Float32Array): Uint8Array {
    const { instance, count, dimension } = this;
    return staged(instance, (stage) => {
      const codes = stage.reserve(count);
      new Parameters(instance)
        .i32(this.#x, this.#floats)
        .array(codebook)
        .i32(dimension)
        .array(undefined)
        .i32(0, 1, 1, codes)
        .call(instance.exports.quantize_nearest);
      return copyU8(instance, codes, count);
    });
  }

  lloyd(centroids: Float32Array): Lloyd {
    return held(this.instance, (stage) => new KernelLloyd(this.instance, stage, this, this.#x, centroids));
  }

  subtract(codes: Uint8Array, codebook: Float32Array): void {
    const { instance, dimension, count } = this;
    staged(instance, (stage) => {
      const { codebook_subtract } = instance.exports;
      const entries = codebook.length / dimension;
      instance.check(
        codebook_subtract(this.#x, count, dimension, stage.upload(codebook), entries, stage.upload(codes)),
      );
    });
  }

  additive(
    { codes, codebooks, count }: AdditiveCodes,
    { beam, searches, fits }: { beam: number; searches: number; fits: number },
  ): AdditiveCodes & { error: number } {
    const { instance, dimension } = this;
    return staged(instance, (stage) => {
      const [books, chosen, error] = [stage.upload(codebooks), stage.upload(codes), stage.reserve(8)];
      new Parameters(instance)
        .i32(this.#x, this.#floats, dimension, count, codebooks.length / (count * dimension), books, chosen)
        .i32(beam, searches, fits)
        .call((pointer, words) => instance.exports.codebook_additive(pointer, words, error));
      return {
        codes: copyU8(instance, chosen, codes.length),
        codebooks: copyF32(instance, books, codebooks.length),
        count,
        error: copyF64(instance, error, 1)[0]!,
      };
    });
  }

  sums(codebooks: Float32Array, count: number, effort: { beam: number; sweeps: number }): Uint8Array {
    const { instance, dimension, count: n } = this;
    const entries = (codebooks.length / (count * dimension)) as 16 | 256;
    using encoder = new SumEncoder(instance, { count, entries, dimension, codebooks, ...effort });
    return staged(instance, (stage) => {
      const codes = stage.reserve(n * count);
      encoder.encode({ x: this.#x, n, dimension }, codes);
      return copyU8(instance, codes, n * count);
    });
  }

  get #floats(): number {
    return this.count * this.dimension;
  }
}

class KernelColumns extends Held implements Columns {
  readonly #x: number;
  readonly #count: number;
  readonly #dimension: number;

  constructor(instance: KernelInstance, stage: Stage, x: number, count: number, dimension: number) {
    super(instance, stage);
    this.#x = x;
    this.#count = count;
    this.#dimension = dimension;
  }

  nearer(chosen: number, distances: Float32Array): void {
    const { instance } = this;
    staged(instance, (stage) => {
      const held = stage.upload(distances);
      instance.check(instance.exports.codebook_nearer(this.#x, this.#count, this.#dimension, chosen, held));
      distances.set(instance.f32(held, distances.length));
    });
  }
}

class KernelLloyd extends Held implements Lloyd {
  readonly #vectors: Vectors;
  readonly #x: number;
  readonly #centroids: number;
  readonly #clusters: number;
  readonly #codes: number;
  readonly #result: number;

  constructor(instance: KernelInstance, stage: Stage, vectors: Vectors, x: number, centroids: Float32Array) {
    super(instance, stage);
    this.#vectors = vectors;
    this.#x = x;
    this.#centroids = stage.upload(centroids);
    this.#clusters = centroids.length / vectors.dimension;
    this.#codes = stage.reserve(vectors.count);
    this.#result = stage.reserve(24);
  }

  pass(): LloydPass {
    const { instance } = this;
    const { codebook_lloyd_pass } = instance.exports;
    instance.check(codebook_lloyd_pass(...this.#problem, this.#result));
    const [explained = 0, empty = -1, moved = 0] = copyF64(instance, this.#result, 3);
    return { explained, empty, moved: moved === 1 };
  }

  refill(empty: number): boolean {
    return this.instance.check(this.instance.exports.codebook_refill(...this.#problem, empty)) === 1;
  }

  centroids(): Float32Array {
    return copyF32(this.instance, this.#centroids, this.#clusters * this.#vectors.dimension);
  }

  get #problem(): [number, number, number, number, number, number] {
    const { count, dimension } = this.#vectors;
    return [this.#x, count, dimension, this.#centroids, this.#clusters, this.#codes];
  }
}

class KernelSorted extends Held implements SortedValues {
  readonly #x: number;
  readonly #count: number;
  readonly #weighted: 0 | 1;
  readonly #runs: number;

  constructor(instance: KernelInstance, stage: Stage, x: number, count: number, weighted: 0 | 1) {
    super(instance, stage);
    this.#x = x;
    this.#count = count;
    this.#weighted = weighted;
    this.#runs = stage.reserve(16 * Math.ceil(count / 64));
    instance.check(instance.exports.codebook_run_sums(x, count, weighted, this.#runs));
  }

  intervals(bounds: Float64Array): Float64Array {
    const { instance } = this;
    return staged(instance, (stage) => {
      const length = 4 * (bounds.length + 1);
      const result = stage.reserve(8 * length);
      const places = [stage.upload(bounds), bounds.length, result] as const;
      const { codebook_interval_sums } = instance.exports;
      instance.check(codebook_interval_sums(this.#x, this.#count, this.#weighted, this.#runs, ...places));
      return copyF64(instance, result, length);
    });
  }
}

class KernelCurved extends Held implements CurvedWeights {
  readonly length: number;
  readonly #x: number;
  /** 0: none. */
  readonly #curvature: number;

  constructor(instance: KernelInstance, stage: Stage, x: number, length: number, curvature: number) {
    super(instance, stage);
    this.length = length;
    this.#x = x;
    this.#curvature = curvature;
  }

  codes(levels: Float32Array, penalties: Float32Array): Uint8Array {
    const { instance, length } = this;
    return staged(instance, (stage) => {
      const codes = stage.reserve(length);
      const [at, costs] = [stage.upload(levels), stage.upload(penalties)];
      const { codebook_penalized } = instance.exports;
      instance.check(codebook_penalized(this.#x, length, this.#curvature, at, costs, levels.length, codes));
      return copyU8(instance, codes, length);
    });
  }

  sums(codes: Uint8Array, levels: number): Float64Array {
    const { instance, length } = this;
    return staged(instance, (stage) => {
      const sums = stage.reserve(32 * levels);
      const { codebook_level_sums } = instance.exports;
      instance.check(codebook_level_sums(this.#x, length, this.#curvature, stage.upload(codes), levels, sums));
      return copyF64(instance, sums, 4 * levels);
    });
  }
}

/** These loops over one instance, which has to be built with the feature `solve`. */
export function codebookLoops(instance: KernelInstance): CodebookLoops {
  const { exports } = instance;
  return {
    interleave: (codes, count) =>
      staged(instance, (stage) => {
        const y = stage.reserve(codes.length);
        instance.check(exports.codebook_interleave(stage.upload(codes), codes.length, count, y));
        return copyU8(instance, y, codes.length);
      }),
    vectors: (x, factor, dimension) =>
      held(
        instance,
        (stage) =>
          new KernelVectors(instance, stage, load(instance, stage, x, factor), x.length / dimension, dimension),
      ),
    sorted: (x, factor, weights, floor = 0) =>
      held(instance, (stage) => {
        if (weights === undefined) {
          const values = load(instance, stage, x, factor);
          instance.check(exports.quantize_sort(values, x.length));
          return new KernelSorted(instance, stage, values, x.length, 0);
        }
        const pairs = stage.reserve(8 * x.length);
        // In parts: beside the pairs there is no room for all of both once more.
        for (let from = 0; from < x.length; from += PART) {
          const [some, own] = [x.subarray(from, from + PART), weights.subarray(from, from + PART)];
          staged(instance, (part) => {
            const [values, theirs] = [load(instance, part, some, factor), part.upload(own)];
            instance.check(exports.codebook_pair(values, theirs, some.length, floor, pairs + 8 * from));
          });
        }
        instance.check(exports.codebook_sort_pairs(pairs, x.length));
        return new KernelSorted(instance, stage, pairs, x.length, 1);
      }),
    curved: (factor, { values, curvature, ratio = 1 }) =>
      held(instance, (stage) => {
        const x = load(instance, stage, values, factor);
        const h = curvature ? load(instance, stage, curvature, ratio) : 0;
        return new KernelCurved(instance, stage, x, values.length, h);
      }),
    hashedMeans: (x, seed, factor, values) =>
      staged(instance, (stage) => {
        // Sums take three times the room of weights, hence not all at once where there are as many.
        const most = Math.min(values, Math.ceil(x.length / 4));
        const [sums, counts] = [stage.reserve(8 * most), stage.reserve(4 * most)];
        const weights = load(instance, stage, x, factor);
        const means = new Float32Array(values);
        for (let first = 0; first < values; first += most) {
          const part = Math.min(most, values - first);
          instance.check(exports.codebook_hashed_sums(weights, x.length, seed, values, first, part, sums, counts));
          const numbers = copyU32(instance, counts, part);
          const found = copyF64(instance, sums, part);
          means.set(
            found.map((sum, b) => (numbers[b] === 0 ? 0 : sum / numbers[b]!)),
            first,
          );
        }
        return means;
      }),
  };
}
