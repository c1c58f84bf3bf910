/** The inner loops of the quantizers on WASM kernels; see crates/kernels/src/quantize. */
import { codesPerRow, decodingOfCells } from "../graph/constants.ts";
import { storedBytes, storedNumbers } from "../quantize/blocks/stored.ts";
import type { CodedRows, ErrorSums, InnerLoops } from "../quantize/inner.ts";
import { groupCount } from "../quantize/inner.ts";
import { readBlocks, writeBlocks } from "./block-codes.ts";
import { writeCodedWeights } from "./codebook-gemm.ts";
import { codebookLoops } from "./codebooks.ts";
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";
import { pruneLoops } from "./prune.ts";
import { KernelResident } from "./resident.ts";
import { kernelSolver } from "./solve.ts";
import { copyF32, copyF64, copyU8, copyU32, type Stage, staged } from "./stage.ts";

/** Floats that a search through an array copies at a time. */
const PART = 2 ** 18;

/** The inner loops over one instance, which has to be built with the feature `quantize`. */
export function kernelLoops(instance: KernelInstance): InnerLoops {
  const { exports } = instance;
  /** A position, or -1 where the kernel answers with the length. */
  const found = (position: number, length: number): number => (position === length ? -1 : position);
  return {
    ...codebookLoops(instance),
    solver: kernelSolver(instance),
    load: (x, factor = 1) => new KernelResident(instance, x, factor),
    firstNonFinite(x) {
      // In parts: calibration inputs may be many times the weights.
      for (let from = 0; from < x.length; from += PART) {
        const part = x.subarray(from, from + PART);
        const position = staged(instance, (stage) =>
          found(instance.check(exports.quantize_first_not_finite(stage.upload(part), part.length)), part.length),
        );
        if (position >= 0) return from + position;
      }
      return -1;
    },
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
    ...pruneLoops(instance),
    decode: (coded, from, to) =>
      staged(instance, (stage) =>
        copyF32(instance, decode(instance, stage, coded, from, to), (to - from) * coded.columns),
      ),
    writeBlocks: (type, coded) => writeBlocks(instance, type, coded),
    readBlocks: (type, bytes) => readBlocks(instance, type, bytes),
    widen: (stored, bytes) =>
      staged(instance, (stage) => {
        const count = bytes.length / storedBytes[stored];
        const y = stage.reserve(4 * count);
        instance.check(exports.blocks_widen(storedNumbers[stored], stage.upload(bytes), y, count));
        return copyF32(instance, y, count);
      }),
    errorSums: (x, y) => staged(instance, (stage) => errorSums(instance, stage, x, stage.upload(y))),
    decodedErrorSums: (x, coded, from, to) =>
      staged(instance, (stage) => errorSums(instance, stage, x, decode(instance, stage, coded, from, to))),
    largest: (x, count, mask) =>
      staged(instance, (stage) => {
        const set = stage.upload(mask);
        instance.check(instance.exports.quantize_largest(stage.upload(x), x.length, count, set));
        return copyU8(instance, set, mask.length);
      }),
    choose: (x, y, mask) =>
      staged(instance, (stage) => {
        const at = stage.upload(x);
        const choose = instance.exports.quantize_choose;
        instance.check(choose(at, stage.upload(y), stage.upload(mask), x.length));
        return copyF32(instance, at, x.length);
      }),
    mix: (x, y, weight) =>
      staged(instance, (stage) => {
        const at = stage.upload(x);
        instance.check(instance.exports.quantize_mix(at, stage.upload(y), x.length, weight));
        return copyF32(instance, at, x.length);
      }),
    absErrors: (grouping, x, y) =>
      staged(instance, (stage) => {
        const { rows, columns, groupSize } = grouping;
        const groups = groupCount(grouping);
        const sums = stage.reserve(8 * groups);
        const { quantize_abs_errors } = exports;
        instance.check(quantize_abs_errors(stage.upload(x), stage.upload(y), rows, columns, groupSize, sums));
        return copyF64(instance, sums, groups);
      }),
    prune: (x, curvature, least) =>
      staged(instance, (stage) => {
        const y = stage.reserve(4 * x.length);
        instance.check(exports.quantize_prune(stage.upload(x), stage.upload(curvature), x.length, least, y));
        return copyF32(instance, y, x.length);
      }),
    tally: (x, perUnit, counts) =>
      staged(instance, (stage) => {
        const bins = stage.upload(counts);
        instance.check(exports.quantize_tally(stage.upload(x), x.length, perUnit, bins, counts.length));
        counts.set(copyU32(instance, bins, counts.length));
      }),
    clipGradients: (x, gradient, { low, high, step }) =>
      staged(instance, (stage) => {
        const dx = stage.reserve(4 * x.length);
        const sums = stage.reserve(24);
        new Parameters(instance)
          .array(x)
          .array(gradient)
          .f32(low, high, step)
          .i32(dx, sums)
          .call(exports.quantize_clip_gradients);
        const [below = 0, above = 0, inside = 0] = copyF64(instance, sums, 3);
        return { dx: copyF32(instance, dx, x.length), below, above, inside };
      }),
  };
}

/** Between x and as many floats at `y`. */
function errorSums(instance: KernelInstance, stage: Stage, x: Float32Array, y: number): ErrorSums {
  const sums = stage.reserve(40);
  instance.check(instance.exports.quantize_error_sums(stage.upload(x), y, x.length, sums));
  const [noise = 0, signal = 0, power = 0, dot = 0, maxAbs = 0] = copyF64(instance, sums, 5);
  return { noise, signal, power, dot, maxAbs };
}

/** Where the floats of rows [from, to) are, of the codes, scales and zero points of just those. */
function decode(instance: KernelInstance, stage: Stage, coded: CodedRows, from: number, to: number): number {
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
    firstWeight: from * columns,
  };
  const w = stage.reserve(4 * rows.n * columns);
  writeCodedWeights(new Parameters(instance), rows).call((pointer, words) =>
    instance.exports.quantize_decode(pointer, words, w),
  );
  return w;
}
