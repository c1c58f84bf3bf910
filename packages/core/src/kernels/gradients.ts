/** The loops over gradients on WASM kernels; see crates/kernels/src/gradients. */
import type { GradientLoops, QsgdCoding } from "../quantize/gradients/loops.ts";
import type { KernelInstance } from "./instance.ts";
import { Parameters } from "./kernel-object.ts";
import { kernelLoops } from "./quantize.ts";
import { copyF32, copyU8, copyU32, type Stage, staged } from "./stage.ts";

/** The loops over one instance, which has to be built with the feature `solve`. */
export function kernelGradientLoops(instance: KernelInstance): GradientLoops {
  const { exports } = instance;
  const run = <T>(use: (stage: Stage) => T): T => staged(instance, use);
  return {
    ...kernelLoops(instance),
    randomCodes: (x, { rows, columns, groupSize }, scale, zero, maxCode, seed) =>
      run((stage) => {
        const codes = stage.reserve(x.length);
        const parameters = new Parameters(instance).array(x).i32(rows, columns, groupSize).array(scale);
        parameters.f32(zero).i32(maxCode, seed, codes).call(exports.gradient_random_codes);
        return copyU8(instance, codes, x.length);
      }),
    packTrits: (codes) =>
      run((stage) => {
        const length = Math.ceil(codes.length / 5);
        const bytes = stage.reserve(length);
        instance.check(exports.gradient_pack_trits(stage.upload(codes), codes.length, bytes));
        return copyU8(instance, bytes, length);
      }),
    unpackTrits: (bytes, count) =>
      run((stage) => {
        const codes = stage.reserve(count);
        const position = instance.check(exports.gradient_unpack_trits(stage.upload(bytes), count, codes));
        return position === bytes.length ? copyU8(instance, codes, count) : position;
      }),
    oneBit: (x, residual, group, symmetric) =>
      run((stage) => {
        const [given, kept] = [stage.upload(x), stage.upload(residual)];
        const codes = stage.reserve(x.length);
        const count = 2 * Math.ceil(x.length / group);
        const levels = stage.reserve(4 * count);
        instance.check(exports.gradient_one_bit(given, kept, x.length, group, symmetric ? 1 : 0, codes, levels));
        return {
          codes: copyU8(instance, codes, x.length),
          levels: copyF32(instance, levels, count),
          residual: copyF32(instance, kept, x.length),
        };
      }),
    twoLevels: (codes, group, levels) =>
      run((stage) => {
        const y = stage.reserve(4 * codes.length);
        const [given, of] = [stage.upload(codes), stage.upload(levels)];
        instance.check(exports.gradient_two_levels(given, codes.length, group, of, y));
        return copyF32(instance, y, codes.length);
      }),
    thresholdTake: (x, residual, threshold) =>
      run((stage) => {
        const [given, kept] = [stage.upload(x), stage.upload(residual)];
        const words = stage.reserve(4 * x.length);
        const taken = instance.check(exports.gradient_threshold_take(given, kept, x.length, threshold, words));
        return { words: copyU32(instance, words, taken), residual: copyF32(instance, kept, x.length) };
      }),
    thresholdApply: (words, threshold, count) =>
      run((stage) => {
        const y = stage.reserve(4 * count);
        const { gradient_threshold_apply } = exports;
        const right = instance.check(gradient_threshold_apply(stage.upload(words), words.length, threshold, y, count));
        return right === words.length ? copyF32(instance, y, count) : right;
      }),
    majority: (signs, voters, count) =>
      run((stage) => {
        const length = Math.ceil(count / 8);
        const result = stage.reserve(length);
        instance.check(exports.gradient_majority(stage.upload(signs), voters, count, result));
        return copyU8(instance, result, length);
      }),
    qsgdEncode: (x, coding, seed) =>
      run((stage) => {
        const buckets = Math.ceil(x.length / coding.bucket);
        const norms = stage.reserve(4 * buckets);
        const bytes = stage.reserve(instance.check(exports.gradient_qsgd_bytes(x.length, coding.bucket)));
        const parameters = writeCoding(new Parameters(instance).array(x), coding).i32(seed, norms, bytes);
        const length = parameters.call(exports.gradient_qsgd_encode);
        return { norms: copyF32(instance, norms, buckets), bytes: copyU8(instance, bytes, length) };
      }),
    qsgdDecode: (norms, bytes, coding, count) =>
      run((stage) => {
        const y = stage.reserve(4 * count);
        const parameters = writeCoding(new Parameters(instance).array(norms).array(bytes), coding).i32(y, count);
        const fault = parameters.call(exports.gradient_qsgd_decode);
        return fault === 0 ? copyF32(instance, y, count) : fault === 1 ? "truncated" : "corrupt";
      }),
    leastSquaresGradient: (first, second, x, b) =>
      run((stage) => {
        const g = stage.reserve(4 * x.length);
        const parameters = new Parameters(instance).array(first).array(second).array(x).array(b);
        parameters.i32(g).call(exports.gradient_least_squares);
        return copyF32(instance, g, x.length);
      }),
  };
}

const writeCoding = (parameters: Parameters, { bucket, levels, dense }: QsgdCoding): Parameters =>
  parameters.i32(bucket, levels, dense ? 1 : 0);
