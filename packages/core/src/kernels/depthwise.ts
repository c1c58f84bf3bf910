/** Convolutions with one input channel per group; see crates/kernels/src/depthwise. */
import type { Clamp, Window2d } from "../graph/types.ts";
import { type ActivationCodes, type AffineCodes, writeAffineCodes } from "./affine-gemm.ts";
import { writeWindow } from "./convolution.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";
import { type Output, unclamped, writeOutput } from "./output.ts";

interface DepthwiseWindow {
  /** [height, width] of an image. */
  readonly input: readonly [height: number, width: number];
  /** Channels of x; output channel o reads input channel floor(o / (outputs / channels)). */
  readonly channels: number;
  readonly window: Window2d;
}

export interface DepthwiseF32Options extends DepthwiseWindow {
  /** [outputs, kh, kw, 1]; outputs is a multiple of channels. */
  readonly weights: Float32Array;
  /** [outputs]; absent: zeros. */
  readonly bias?: Float32Array | undefined;
  readonly clamp?: Clamp | undefined;
}

/** f32; each output one chain over the taps inside the image (row by row), + bias, clamp. */
export class DepthwiseF32 extends KernelObject {
  constructor(instance: KernelInstance, options: DepthwiseF32Options) {
    const { input, channels, window, weights, bias, clamp = unclamped } = options;
    const parameters = writeWindow(new Parameters(instance), input, window);
    parameters
      .i32(channels)
      .array(weights)
      .array(bias)
      .f32(...clamp);
    super(instance, parameters.call(instance.exports.depthwise_f32_new));
  }

  /** @param x f32 [batch, h, w, channels] @param y f32 [batch, h', w', outputs] */
  run(x: number, batch: number, y: number): void {
    this.instance.check(this.instance.exports.depthwise_f32_run(this.handle, x, y, batch));
  }
}

/** n = outputs, k = kh * kw. */
export interface DepthwiseAffineOptions extends DepthwiseWindow, AffineCodes {
  readonly x: ActivationCodes;
  readonly output: Output;
}

/** int8 or uint8 activations by affine codes, exact in int32; padding counts as real 0. */
export class DepthwiseAffine extends KernelObject {
  constructor(instance: KernelInstance, options: DepthwiseAffineOptions) {
    const parameters = writeWindow(new Parameters(instance), options.input, options.window).i32(options.channels);
    writeOutput(writeAffineCodes(parameters, options, options.x), options.output);
    super(instance, parameters.call(instance.exports.depthwise_affine_new));
  }

  /** @param x int8 or uint8 [batch, h, w, channels] @param y [batch, h', w', outputs] of the output's type */
  run(x: number, batch: number, y: number): void {
    this.instance.check(this.instance.exports.depthwise_affine_run(this.handle, x, y, batch));
  }
}
