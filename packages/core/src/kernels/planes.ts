/** Normalization of planes, channels first; see crates/kernels/src/normalize. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject } from "./kernel-object.ts";

export interface PlaneNormOptions {
  readonly channels: number;
  /** As many as channels: instance normalization. */
  readonly groups: number;
  /** Elements of a plane. */
  readonly inner: number;
  readonly epsilon: number;
}

/** y = (x - mean[g]) / sqrt(variance[g] + epsilon) * scale[c] + bias[c] by the mean and variance of each image's groups of channels. */
export class PlaneNorm extends KernelObject {
  constructor(instance: KernelInstance, { channels, groups, inner, epsilon }: PlaneNormOptions) {
    super(instance, instance.check(instance.exports.plane_norm_new(channels, groups, inner, epsilon)));
  }

  /** @param x f32 [batch, channels, inner] @param y the same, may be x */
  run(x: number, batch: number, scale: number, bias: number, y: number): void {
    this.instance.check(this.instance.exports.plane_norm_run(this.handle, x, y, batch, scale, bias));
  }
}

/** y = (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c]; the four are values. */
export class ChannelNorm extends KernelObject {
  constructor(instance: KernelInstance, channels: number, inner: number, epsilon: number) {
    super(instance, instance.check(instance.exports.channel_norm_new(channels, inner, epsilon)));
  }

  /** @param x f32 [batch, channels, inner] @param vectors scale, bias, mean, variance, f32 [channels] each @param y as x, may be it */
  run(x: number, batch: number, vectors: readonly [number, number, number, number], y: number): void {
    const { channel_norm_run } = this.instance.exports;
    const [scale, bias, mean, variance] = vectors;
    this.instance.check(channel_norm_run(this.handle, x, y, batch, scale, bias, mean, variance));
  }
}

/** Mean and variance f32 [channels] of x f32 [batch, channels, inner]. */
export function channelStatistics(
  instance: KernelInstance,
  x: number,
  [batch, channels, inner]: readonly [number, number, number],
  mean: number,
  variance: number,
): void {
  instance.check(instance.exports.channel_statistics(x, batch, channels, inner, mean, variance));
}

export interface LocalResponseOptions {
  /** Channels of a sum. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
}

/** y = x / (bias + alpha / size * (sum of x^2 over `size` channels around))^beta. */
export class LocalResponse extends KernelObject {
  constructor(instance: KernelInstance, { size, alpha, beta, bias }: LocalResponseOptions) {
    super(instance, instance.check(instance.exports.local_response_new(size, alpha, beta, bias)));
  }

  /** @param x f32 [outer, channels, inner] */
  run(x: number, outer: number, channels: number, inner: number, y: number): void {
    this.instance.check(this.instance.exports.local_response_run(this.handle, x, y, outer, channels, inner));
  }
}
