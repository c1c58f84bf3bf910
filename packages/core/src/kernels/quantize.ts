/** The inner loops of the quantizers on WASM kernels; see crates/kernels/src/quantize. */
import { disposeSymbol } from "../dispose.ts";
import { codesPerRow, decodingOfCells } from "../graph/constants.ts";
import type { CodedRows, ErrorSums, Grid, Grouping, InnerLoops, Resident } from "../quantize/inner.ts";
import { groupCount } from "../quantize/inner.ts";
import { writeCodedWeights } from "./codebook-gemm.ts";
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";

/** Memory that lives for one call. */
class Stage {
  readonly #instance: KernelInstance;
  readonly #blocks: [pointer: number, bytes: number][] = [];

  constructor(instance: KernelInstance) {
    this.#instance = instance;
  }

  upload(data: ArrayBufferView): number {
    const pointer = this.#instance.upload(data);
    this.#blocks.push([pointer, data.byteLength]);
    return pointer;
  }

  reserve(bytes: number): number {
    const pointer = this.#instance.alloc(bytes);
    this.#blocks.push([pointer, bytes]);
    return pointer;
  }

  release(): void {
    // After a trap the memory is gone with its instance.
    if (!this.#instance.ended) for (const [pointer, bytes] of this.#blocks) this.#instance.free(pointer, bytes);
  }
}

/** Runs `use` with memory that is given back afterwards, whatever happens. */
function staged<T>(instance: KernelInstance, use: (stage: Stage) => T): T {
  const stage = new Stage(instance);
  try {
    return use(stage);
  } finally {
    stage.release();
  }
}

const copyF32 = (instance: KernelInstance, pointer: number, length: number) => instance.f32(pointer, length).slice();
const copyU8 = (instance: KernelInstance, pointer: number, length: number) => instance.u8(pointer, length).slice();
const copyU32 = (instance: KernelInstance, pointer: number, length: number) => instance.u32(pointer, length).slice();
const copyF64 = (instance: KernelInstance, pointer: number, length: number) =>
  new Float64Array(copyU8(instance, pointer, 8 * length).buffer);

class KernelResident implements Resident {
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

  farthest(codes: Uint8Array, codebook: Float32Array, dimension: number): number {
    const instance = this.#instance;
    return staged(instance, (stage) => {
      const staged = stage.upload(codes);
      const levels = codebook.length / dimension;
      const { quantize_farthest } = instance.exports;
      return instance.check(
        quantize_farthest(this.#x, staged, codes.length, stage.upload(codebook), levels, dimension),
      );
    });
  }

  [disposeSymbol](): void {
    const x = this.#x;
    this.#x = 0;
    if (x !== 0 && !this.#instance.ended) this.#instance.free(x, 4 * this.length);
  }

  #sizes({ rows, columns, groupSize }: Grouping): [number, number, number] {
    return [rows, columns, groupSize];
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

  #grid(grouping: Grouping, { scale, zeroPoint, minCode, maxCode }: Grid, result: number, errors: 0 | 1): number {
    const instance = this.#instance;
    return new Parameters(instance)
      .i32(this.#x, this.length, ...this.#sizes(grouping))
      .array(scale)
      .array(typeof zeroPoint === "number" ? Int32Array.of(zeroPoint) : zeroPoint)
      .i32(minCode, maxCode, result)
      .call((pointer, words) => instance.exports.quantize_grid(pointer, words, errors));
  }
}

/** The inner loops over one instance, which has to be built with the feature `quantize`. */
export function kernelLoops(instance: KernelInstance): InnerLoops {
  const { exports } = instance;
  /** A position, or -1 where the kernel answers with the length. */
  const found = (position: number, length: number): number => (position === length ? -1 : position);
  return {
    load: (x, factor = 1) => new KernelResident(instance, x, factor),
    firstNonFinite: (x) =>
      staged(instance, (stage) =>
        found(instance.check(exports.quantize_first_not_finite(stage.upload(x), x.length)), x.length),
      ),
    firstCodeBeyond: (codes, levels) =>
      staged(instance, (stage) =>
        found(instance.check(exports.quantize_first_beyond(stage.upload(codes), codes.length, levels)), codes.length),
      ),
    pack: (codes, rows, perRow, bits) =>
      staged(instance, (stage) => {
        const bytes = rows * Math.ceil((perRow * bits) / 8);
        const packed = stage.reserve(bytes);
        instance.check(exports.quantize_pack(stage.upload(codes), rows, perRow, bits, packed));
        return copyU8(instance, packed, bytes);
      }),
    unpack: (packed, rows, perRow, bits) =>
      staged(instance, (stage) => {
        const codes = stage.reserve(rows * perRow);
        instance.check(exports.quantize_unpack(stage.upload(packed), rows, perRow, bits, codes));
        return copyU8(instance, codes, rows * perRow);
      }),
    compress: (x, mask) =>
      staged(instance, (stage) => {
        const count = mask.reduce((sum, kept) => sum + kept, 0);
        const kept = stage.reserve(4 * count);
        instance.check(exports.quantize_compress(stage.upload(x), stage.upload(mask), x.length, kept, count));
        return copyF32(instance, kept, count);
      }),
    expand: (kept, mask) =>
      staged(instance, (stage) => {
        const x = stage.reserve(4 * mask.length);
        const staged = stage.upload(kept);
        instance.check(exports.quantize_expand(staged, kept.length, stage.upload(mask), mask.length, x));
        return copyF32(instance, x, mask.length);
      }),
    expandCodes: (kept, mask, fill) =>
      staged(instance, (stage) => {
        const codes = stage.reserve(mask.length);
        const staged = stage.upload(kept);
        const { quantize_expand_codes } = exports;
        instance.check(quantize_expand_codes(staged, kept.length, stage.upload(mask), mask.length, fill, codes));
        return copyU8(instance, codes, mask.length);
      }),
    decode: (coded, from, to) => decode(instance, coded, from, to),
    errorSums: (x, y): ErrorSums =>
      staged(instance, (stage) => {
        const sums = stage.reserve(40);
        instance.check(exports.quantize_error_sums(stage.upload(x), stage.upload(y), x.length, sums));
        const [noise = 0, signal = 0, power = 0, dot = 0, maxAbs = 0] = copyF64(instance, sums, 5);
        return { noise, signal, power, dot, maxAbs };
      }),
  };
}

/** Rows [from, to): the codes, scales and zero points of just those. */
function decode(instance: KernelInstance, coded: CodedRows, from: number, to: number): Float32Array {
  const { columns, bits, decoding, scale, groupSize = columns } = coded;
  const rowBytes = Math.ceil((codesPerRow(decoding, columns) * bits) / 8);
  const groups = Math.ceil(columns / groupSize);
  const shared = (coded.scaleShape?.[0] ?? coded.rows) === 1;
  const rows = {
    n: to - from,
    k: columns,
    bits,
    codes: coded.codes.subarray(from * rowBytes, to * rowBytes),
    decoding: decodingOfCells(
      decoding,
      (values, width) => (shared ? values : values.subarray(from * groups * width, to * groups * width)),
      bits,
    ),
    scale: scale && (shared ? scale : scale.subarray(from * groups, to * groups)),
    scaleShape: [shared ? 1 : to - from, groups] as const,
    groupSize,
  };
  return staged(instance, (stage) => {
    const length = rows.n * columns;
    const w = stage.reserve(4 * length);
    writeCodedWeights(new Parameters(instance), rows, from * columns).call((pointer, words) =>
      instance.exports.quantize_decode(pointer, words, w),
    );
    return copyF32(instance, w, length);
  });
}
