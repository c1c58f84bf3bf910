/** Max and average pooling; see crates/kernels/src/pool. */
import type { Window2d } from "../graph/types.ts";
import { writeWindow } from "./convolution.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

const dtypes = { f32: 0, int8: 1, uint8: 2, int32: 3 } as const;

export interface PoolOptions {
  /** `average` counts only taps inside the image, `averageWithPadding` all of them. int32 has `max` only. */
  readonly kind: "max" | "average" | "averageWithPadding";
  readonly dtype: keyof typeof dtypes;
  /** [height, width] of an image. */
  readonly input: readonly [height: number, width: number];
  readonly channels: number;
  readonly window: Window2d;
}

const kinds = { max: 0, average: 1, averageWithPadding: 2 } as const;

/**
 * Missing taps are ignored by `max`; a window of only missing taps is refused. f32: a NaN in a window makes its result the canonical NaN. Averages: f32 is one chain over the taps, then
 * one division; bytes are the exact sum, then roundTiesToEven(sum / count) (the quantization of x; padding counts as its zero point `padValue`).
 */
export class Pool extends KernelObject {
  constructor(instance: KernelInstance, options: PoolOptions & { readonly padValue?: number }) {
    const { kind, dtype, input, channels, window, padValue = 0 } = options;
    const parameters = writeWindow(new Parameters(instance), input, window);
    parameters.i32(channels, kinds[kind], dtypes[dtype], padValue);
    super(instance, parameters.call(instance.exports.pool_new));
  }

  /** @param x [batch, h, w, channels] @param y [batch, h', w', channels] */
  run(x: number, batch: number, y: number): void {
    this.instance.check(this.instance.exports.pool_run(this.handle, x, y, batch));
  }
}

/** The window that covers a whole image: global pooling. */
export const wholeImage = (input: readonly [height: number, width: number]): Window2d => ({
  kernel: input,
  strides: [1, 1],
  dilations: [1, 1],
  pads: [0, 0, 0, 0],
});
