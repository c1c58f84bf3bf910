/** Per-channel affine maps, batch normalization, thresholds and softmax; see crates/kernels/src/normalize. */
import type { Clamp } from "../graph/types.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";
import { unclamped } from "./output.ts";

export interface ChannelAffineOptions {
  readonly dtype: "f32" | "int32";
  /** [C] */
  readonly scale: Float32Array;
  /** [C] */
  readonly bias: Float32Array;
  readonly clamp?: Clamp | undefined;
}

/** y = clamp(fround(fround(x * scale[c]) + bias[c])); int32 is rounded to f32 first. */
export class ChannelAffine extends KernelObject {
  constructor(instance: KernelInstance, { dtype, scale, bias, clamp = unclamped }: ChannelAffineOptions) {
    const parameters = new Parameters(instance)
      .i32(dtype === "int32" ? 1 : 0)
      .array(scale)
      .array(bias)
      .f32(...clamp);
    super(instance, parameters.call(instance.exports.channel_affine_new));
  }

  /** @param x f32 or int32 [rows, C] @param y f32 [rows, C]; may be x */
  run(x: number, rows: number, y: number): void {
    this.instance.check(this.instance.exports.channel_affine_run(this.handle, x, y, rows));
  }
}

export interface BatchNormOptions {
  readonly scale: Float32Array;
  readonly bias: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
}

/** y = (x - mean) / sqrt(variance + epsilon) * scale + bias, in f32, each step rounded, in this order. */
export class BatchNorm extends KernelObject {
  constructor(instance: KernelInstance, { scale, bias, mean, variance, epsilon }: BatchNormOptions) {
    const parameters = new Parameters(instance).array(scale).array(bias).array(mean).array(variance).f32(epsilon);
    super(instance, parameters.call(instance.exports.batch_norm_new));
  }

  /** @param x f32 [rows, C] @param y f32 [rows, C]; may be x */
  run(x: number, rows: number, y: number): void {
    this.instance.check(this.instance.exports.batch_norm_run(this.handle, x, y, rows));
  }
}

export interface RowNormOptions {
  /** [C] */
  readonly scale: Float32Array;
  /** [C]; absent: none. */
  readonly bias?: Float32Array | undefined;
  readonly epsilon: number;
  /** Whether the mean is taken out: layer normalization, else RMS normalization. */
  readonly centered: boolean;
}

/** y = (x - mean) * (1 / sqrt(variance + epsilon)) * scale + bias of each row; without a mean, x * (1 / sqrt(mean of squares + epsilon)) * scale + bias. */
export class RowNorm extends KernelObject {
  constructor(instance: KernelInstance, { scale, bias, epsilon, centered }: RowNormOptions) {
    const parameters = new Parameters(instance)
      .array(scale)
      .array(bias)
      .f32(epsilon)
      .i32(centered ? 1 : 0);
    super(instance, parameters.call(instance.exports.row_norm_new));
  }

  /** @param x f32 [rows, C] @param y f32 [rows, C]; may be x */
  run(x: number, rows: number, y: number): void {
    this.instance.check(this.instance.exports.row_norm_run(this.handle, x, y, rows));
  }
}

/** bit = x < threshold[c], packed 32 channels to a word. */
export class Threshold extends KernelObject {
  constructor(instance: KernelInstance, thresholds: Int32Array) {
    super(instance, new Parameters(instance).array(thresholds).call(instance.exports.threshold_new));
  }

  /** @param x int32 [rows, C] @param y u32 [rows, ceil(C / 32)] */
  run(x: number, rows: number, y: number): void {
    this.instance.check(this.instance.exports.threshold_run(this.handle, x, y, rows));
  }
}

/** exp(x - max) / sum of them along the middle axis of [outer, size, inner], summed in ascending order. */
export function softmax(
  instance: KernelInstance,
  x: number,
  [outer, size, inner]: readonly [outer: number, size: number, inner: number],
  y: number,
): void {
  instance.check(instance.exports.softmax_f32(x, y, outer, size, inner));
}
