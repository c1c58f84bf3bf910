/** Windows over one to three axes; see crates/kernels/src/windows. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/** One spatial axis: the image's size, the places of the window, and the window. */
export interface WindowAxis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding in front. */
  readonly before: number;
  /** Padding behind that counts as part of the image in a mean with padding. */
  readonly after: number;
}

const point: WindowAxis = { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, before: 0, after: 0 };

/** At most three axes, as the border reads them. */
function writeAxes(parameters: Parameters, axes: readonly WindowAxis[]): Parameters {
  for (const axis of [point, point, point, ...axes].slice(-3)) {
    const { input, output, kernel, stride, dilation, before, after } = axis;
    parameters.i32(input, output, kernel, stride, dilation, before, after);
  }
  return parameters;
}

export interface WindowsOptions {
  readonly axes: readonly WindowAxis[];
  readonly channels: number;
  /** Groups of the channels, each with the taps behind it. */
  readonly groups: number;
  readonly elementBytes: 1 | 2 | 4;
}

/** Rows of taps from images (`unfold`, im2col), and images from rows of taps (`fold`, col2im). */
export class Windows extends KernelObject {
  constructor(instance: KernelInstance, { axes, channels, groups, elementBytes }: WindowsOptions) {
    const parameters = writeAxes(new Parameters(instance), axes).i32(channels, groups, elementBytes);
    super(instance, parameters.call(instance.exports.windows_new));
  }

  /** @param x [batch, pixels, channels] @param fill one element for what is outside, or 0: zeros @param y [batch, places, groups, taps, channels / groups] */
  unfold(x: number, fill: number, batch: number, y: number): void {
    this.instance.check(this.instance.exports.unfold_run(this.handle, x, fill, y, batch));
  }

  /** @param x f32 [batch, places, groups, taps, channels / groups] @param bias f32 [channels], or 0 @param y f32 [batch, pixels, channels] */
  fold(x: number, bias: number, batch: number, y: number): void {
    this.instance.check(this.instance.exports.fold_run(this.handle, x, bias, y, batch));
  }
}

const kinds = { max: 0, average: 1, averageWithPadding: 2, norm: 3 } as const;
const elements = { f32: 0, int8: 1, uint8: 2 } as const;

export interface PoolNdOptions {
  readonly kind: keyof typeof kinds;
  /** Of a norm. */
  readonly p?: number | undefined;
  readonly axes: readonly WindowAxis[];
}

/** Pooling of planes, channels first. */
export class PoolNd extends KernelObject {
  constructor(instance: KernelInstance, { kind, p = 0, axes }: PoolNdOptions) {
    const parameters = writeAxes(new Parameters(instance), axes).i32(kinds[kind], p);
    super(instance, parameters.call(instance.exports.pool_nd_new));
  }

  /** Means and norms. @param x f32 [planes, pixels] @param y f32 [planes, places] */
  run(x: number, planes: number, y: number): void {
    this.instance.check(this.instance.exports.pool_nd_run(this.handle, x, y, planes));
  }

  /** Maxima. @param indices int64 [planes, places], or 0 @param byColumns whether they count with the first axis running fastest */
  max(x: number, planes: number, y: number, dtype: keyof typeof elements, indices: number, byColumns: boolean): void {
    const { pool_nd_max } = this.instance.exports;
    this.instance.check(pool_nd_max(this.handle, x, y, planes, elements[dtype], indices, byColumns ? 1 : 0));
  }
}
