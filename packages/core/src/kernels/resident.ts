/** Floats that quantizers pass over many times, held in the memory of an instance; see crates/kernels/src/quantize. */
import { disposeSymbol } from "../dispose.ts";
import { type BlockCodes, type BlockType, blockLayouts } from "../quantize/blocks/layout.ts";
import type { Bases, Bins, Grid, Grouping, Mixture, Resident, StochasticGrid } from "../quantize/inner.ts";
import { groupCount } from "../quantize/inner.ts";
import type { Random } from "../quantize/random.ts";
import { blockCodes } from "./block-codes.ts";
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";
import { copyF32, copyF64, copyU8, copyU32, staged } from "./stage.ts";

const SIDES: readonly Bins["side"][] = ["both", "positive", "negative"];

export class KernelResident implements Resident {
  readonly length: number;
  readonly #instance: KernelInstance;
  #x: number;

  constructor(instance: KernelInstance, x: Float32Array, factor: number) {
    this.#instance = instance;
    this.length = x.length;
    this.#x = instance.upload(x);
    if (factor !== 1) instance.check(instance.exports.quantize_multiply(this.#x, x.length, factor));
  }

  absMax(grouping: Grouping): Float32Array {
    return this.#perGroup(grouping, (y) =>
      this.#instance.exports.quantize_abs_max(this.#x, ...this.#sizes(grouping), y),
    );
  }

  meanAbs(grouping: Grouping): Float32Array {
    // Every |x| is above -1.
    return this.meanAbsAbove(grouping, new Float32Array(groupCount(grouping)).fill(-1)).mean;
  }

  minMax(grouping: Grouping): { min: Float32Array; max: Float32Array } {
    const instance = this.#instance;
    const groups = groupCount(grouping);
    return staged(instance, (stage) => {
      const min = stage.reserve(4 * groups);
      const max = stage.reserve(4 * groups);
      instance.check(instance.exports.quantize_min_max(this.#x, ...this.#sizes(grouping), min, max));
      return { min: copyF32(instance, min, groups), max: copyF32(instance, max, groups) };
    });
  }

  meanAbsAbove(grouping: Grouping, threshold: Float32Array): { mean: Float32Array; count: Uint32Array } {
    const instance = this.#instance;
    const groups = groupCount(grouping);
    return staged(instance, (stage) => {
      const thresholds = stage.upload(threshold);
      const mean = stage.reserve(4 * groups);
      const count = stage.reserve(4 * groups);
      const { quantize_mean_abs_above } = instance.exports;
      instance.check(quantize_mean_abs_above(this.#x, ...this.#sizes(grouping), thresholds, mean, count));
      return { mean: copyF32(instance, mean, groups), count: copyU32(instance, count, groups) };
    });
  }

  signCodes(): Uint8Array {
    const { exports } = this.#instance;
    return this.#codes(this.length, (codes) => exports.quantize_signs(this.#x, this.length, codes));
  }

  gridCodes(grouping: Grouping, grid: Grid): Uint8Array {
    return this.#codes(this.length, (codes) => this.#grid(grouping, grid, codes, 0));
  }

  gridErrors(grouping: Grouping, grid: Grid): Float64Array {
    const instance = this.#instance;
    const groups = groupCount(grouping);
    return staged(instance, (stage) => {
      const errors = stage.reserve(8 * groups);
      this.#grid(grouping, grid, errors, 1);
      return copyF64(instance, errors, groups);
    });
  }

  stochasticCodes(grouping: Grouping, grid: StochasticGrid, random: Random): Uint8Array {
    const instance = this.#instance;
    const { scale, offset, zero, minCode, maxCode } = grid;
    return staged(instance, (stage) => {
      const state = stage.upload(random.state);
      const codes = this.#codes(this.length, (pointer) =>
        new Parameters(instance)
          .i32(this.#x, this.length, ...this.#sizes(grouping))
          .array(scale)
          .array(offset)
          .i32(zero, minCode, maxCode, pointer, state)
          .call(instance.exports.quantize_stochastic),
      );
      random.state.set(copyU32(instance, state, 4));
      return codes;
    });
  }

  mixtureSums(mixture: Mixture): { sums: Float64Array; logLikelihood: number } {
    const instance = this.#instance;
    const components = mixture.mean.length;
    return staged(instance, (stage) => {
      const result = stage.reserve(8 * (3 * components + 1));
      const parameters = stage.upload(mixtureColumns(mixture));
      const { quantize_mixture_sums } = instance.exports;
      instance.check(quantize_mixture_sums(this.#x, this.length, components, parameters, result));
      const sums = copyF64(instance, result, 3 * components + 1);
      return { sums: sums.subarray(0, 3 * components), logLikelihood: sums[3 * components]! };
    });
  }

  mixtureCodes(mixture: Mixture): Uint8Array {
    const instance = this.#instance;
    return staged(instance, (stage) => {
      const parameters = stage.upload(mixtureColumns(mixture));
      return this.#codes(this.length, (codes) =>
        instance.exports.quantize_mixture_codes(this.#x, this.length, mixture.mean.length, parameters, codes),
      );
    });
  }

  nearest(
    codebook: Float32Array,
    dimension: number,
    scaling?: { grouping: Grouping; scale: Float32Array },
  ): Uint8Array {
    const instance = this.#instance;
    const { rows, columns, groupSize } = scaling?.grouping ?? { rows: 0, columns: 1, groupSize: 1 };
    return this.#codes(this.length / dimension, (codes) =>
      new Parameters(instance)
        .i32(this.#x, this.length)
        .array(codebook)
        .i32(dimension)
        .array(scaling?.scale)
        .i32(rows, columns, groupSize, codes)
        .call(instance.exports.quantize_nearest),
    );
  }

  clusterSums(codes: Uint8Array, dimension: number, clusters: number): { sums: Float64Array; counts: Uint32Array } {
    const instance = this.#instance;
    return staged(instance, (stage) => {
      const staged = stage.upload(codes);
      const sums = stage.reserve(8 * clusters * dimension);
      const counts = stage.reserve(4 * clusters);
      const { quantize_cluster_sums } = instance.exports;
      instance.check(quantize_cluster_sums(this.#x, staged, codes.length, dimension, clusters, sums, counts));
      return { sums: copyF64(instance, sums, clusters * dimension), counts: copyU32(instance, counts, clusters) };
    });
  }

  magnitudeMask(pruned: number): Uint8Array {
    const { exports } = this.#instance;
    return this.#codes(this.length, (mask) => exports.quantize_magnitude_mask(this.#x, this.length, pruned, mask));
  }

  blockCodes(type: BlockType, columns: number): BlockCodes {
    const instance = this.#instance;
    const groups = (this.length / columns) * Math.ceil(columns / blockLayouts[type].group);
    return blockCodes(
      instance,
      type,
      this.length,
      groups,
      (parameters) => parameters.i32(blockLayouts[type].number, columns, this.#x, this.length),
      instance.exports.blocks_encode,
    );
  }

  moments(grouping: Grouping): { mean: Float64Array; deviation: Float64Array } {
    const instance = this.#instance;
    const groups = groupCount(grouping);
    return staged(instance, (stage) => {
      const mean = stage.reserve(8 * groups);
      const deviation = stage.reserve(8 * groups);
      instance.check(instance.exports.quantize_moments(this.#x, ...this.#sizes(grouping), mean, deviation));
      return { mean: copyF64(instance, mean, groups), deviation: copyF64(instance, deviation, groups) };
    });
  }

  residualSigns(grouping: Grouping, bases: Bases): { codes: Uint8Array; mean: Float32Array } {
    const instance = this.#instance;
    const groups = groupCount(grouping);
    return staged(instance, (stage) => {
      const codes = stage.upload(bases.codes);
      const mean = stage.reserve(4 * groups);
      this.#overGroups(grouping)
        .i32(bases.count)
        .array(bases.coefficients)
        .i32(codes, mean)
        .call(instance.exports.quantize_residual_signs);
      return { codes: copyU8(instance, codes, this.length), mean: copyF32(instance, mean, groups) };
    });
  }

  fitBases(grouping: Grouping, codes: Uint8Array, count: number): Float32Array {
    const instance = this.#instance;
    const length = groupCount(grouping) * count;
    return staged(instance, (stage) => {
      const coefficients = stage.reserve(4 * length);
      this.#overGroups(grouping)
        .i32(count, stage.upload(codes), coefficients)
        .call(instance.exports.quantize_fit_bases);
      return copyF32(instance, coefficients, length);
    });
  }

  nearestBases(grouping: Grouping, coefficients: Float32Array, count: number): Uint8Array {
    return this.#codes(this.length, (codes) =>
      this.#overGroups(grouping)
        .i32(count)
        .array(coefficients)
        .i32(codes)
        .call(this.#instance.exports.quantize_nearest_bases),
    );
  }

  baseCodes(grouping: Grouping, thresholds: Float32Array, bits: number): Uint8Array {
    return this.#codes(this.length, (codes) =>
      this.#overGroups(grouping)
        .i32(bits)
        .array(thresholds)
        .i32(codes)
        .call(this.#instance.exports.quantize_base_codes),
    );
  }

  scaleSums(
    grouping: Grouping,
    codes: Uint8Array,
    levels: Float32Array,
    importance?: Float32Array,
  ): { dot: Float64Array; power: Float64Array } {
    const instance = this.#instance;
    const groups = groupCount(grouping);
    return staged(instance, (stage) => {
      const dot = stage.reserve(8 * groups);
      const power = stage.reserve(8 * groups);
      this.#overGroups(grouping)
        .i32(stage.upload(codes))
        .array(levels)
        .array(importance)
        .i32(dot, power)
        .call(instance.exports.quantize_scale_sums);
      return { dot: copyF64(instance, dot, groups), power: copyF64(instance, power, groups) };
    });
  }

  ternaryScale(grouping: Grouping): Float32Array {
    return this.#perGroup(grouping, (y) =>
      this.#instance.exports.quantize_ternary_scale(this.#x, ...this.#sizes(grouping), y),
    );
  }

  levelScale(grouping: Grouping, levels: Float32Array, scale: Float32Array): Float32Array {
    const instance = this.#instance;
    return staged(instance, (stage) => {
      const pointer = stage.upload(scale);
      this.#overGroups(grouping).array(levels).i32(pointer).call(instance.exports.quantize_level_scale);
      return copyF32(instance, pointer, scale.length);
    });
  }

  orderStatistics(grouping: Grouping, of: "values" | "magnitudes", ranks: Uint32Array): Float32Array {
    const instance = this.#instance;
    return staged(instance, (stage) => {
      const y = stage.reserve(4 * ranks.length);
      new Parameters(instance)
        .i32(this.#x, this.length, ...this.#sizes(grouping), of === "magnitudes" ? 1 : 0)
        .array(ranks)
        .i32(y)
        .call(instance.exports.quantize_order_statistics);
      return copyF32(instance, y, ranks.length);
    });
  }

  histogram(
    { columns, groupSize }: Grouping,
    row: number,
    { side, count, top }: Bins,
  ): { counts: Uint32Array; squares: Float64Array } {
    const instance = this.#instance;
    const cells = top.length * count;
    return staged(instance, (stage) => {
      const counts = stage.reserve(4 * cells);
      const squares = stage.reserve(8 * cells);
      new Parameters(instance)
        .i32(this.#x + 4 * row * columns, columns, 1, columns, groupSize, SIDES.indexOf(side))
        .array(top)
        .i32(count, counts, squares)
        .call(instance.exports.quantize_histogram);
      return { counts: copyU32(instance, counts, cells), squares: copyF64(instance, squares, cells) };
    });
  }

  thresholdCodes(grouping: Grouping, thresholds: Float32Array, scale: Float32Array): Uint8Array {
    return this.#codes(this.length, (codes) =>
      new Parameters(this.#instance)
        .i32(this.#x, this.length, ...this.#sizes(grouping))
        .array(thresholds)
        .array(scale)
        .i32(codes)
        .call(this.#instance.exports.quantize_threshold_codes),
    );
  }

  [disposeSymbol](): void {
    const x = this.#x;
    this.#x = 0;
    if (x !== 0 && !this.#instance.ended) this.#instance.free(x, 4 * this.length);
  }

  #sizes({ rows, columns, groupSize }: Grouping): [number, number, number] {
    return [rows, columns, groupSize];
  }

  #overGroups(grouping: Grouping): Parameters {
    return new Parameters(this.#instance).i32(this.#x, this.length, ...this.#sizes(grouping));
  }

  #perGroup(grouping: Grouping, run: (y: number) => number): Float32Array {
    const instance = this.#instance;
    const groups = groupCount(grouping);
    return staged(instance, (stage) => {
      const y = stage.reserve(4 * groups);
      instance.check(run(y));
      return copyF32(instance, y, groups);
    });
  }

  #codes(count: number, run: (codes: number) => number): Uint8Array {
    const instance = this.#instance;
    return staged(instance, (stage) => {
      const codes = stage.reserve(count);
      instance.check(run(codes));
      return copyU8(instance, codes, count);
    });
  }

  #grid(grouping: Grouping, grid: Grid, result: number, errors: 0 | 1): number {
    const { scale, zeroPoint, offset, minCode, maxCode } = grid;
    const instance = this.#instance;
    return this.#overGroups(grouping)
      .array(scale)
      .array(typeof zeroPoint === "number" ? Int32Array.of(zeroPoint) : zeroPoint)
      .array(offset)
      .i32(minCode, maxCode, result)
      .call((pointer, words) => instance.exports.quantize_grid(pointer, words, errors));
  }
}

/** [components, 3]: π, μ, λ. */
function mixtureColumns({ proportion, mean, precision }: Mixture): Float64Array {
  const columns = new Float64Array(3 * mean.length);
  mean.forEach((value, j) => {
    columns.set([proportion[j]!, value, precision[j]!], 3 * j);
  });
  return columns;
}
