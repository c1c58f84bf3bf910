/** The one convolution: any matrix product over the windows of NHWC images; see crates/kernels/src/conv.rs. */
import type { Window2d } from "../graph/types.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/** Height, width, kernel, strides, dilations, pads: as crates/wasm reads a window. */
export function writeWindow(parameters: Parameters, input: readonly [height: number, width: number], window: Window2d) {
  const { kernel, strides, dilations, pads } = window;
  return parameters.i32(...input, ...kernel, ...strides, ...dilations, ...pads);
}

/** Output pixels of an image; less than 1 where the window does not fit. */
function outputPixels(input: readonly [number, number], { kernel, strides, dilations, pads }: Window2d): number {
  const along = (axis: 0 | 1) => {
    const reach = (kernel[axis] - 1) * dilations[axis] + 1;
    return Math.floor((input[axis] + pads[axis] + pads[axis + 2]! - reach) / strides[axis]) + 1;
  };
  return along(0) * along(1);
}

export interface ConvolutionOptions {
  /** [height, width] of an image. */
  readonly input: readonly [height: number, width: number];
  readonly window: Window2d;
  /**
   * What a missing tap counts as: an element of x (0; the zero point of int8 and uint8 activations; for bits the word 0, which is +1), or
   * `"zero bits"`: the real number 0 under a product of bits, whose sums are corrected.
   */
  readonly padding?: number | "zero bits";
}

/**
 * A convolution over packed products, one per group in order (depthwise ones have a family of their own). The products come from any
 * family; their rows are kh * kw * (channels / groups) long and their n is the channels of y / groups. The convolution **takes them over**: they are
 * released, also where the constructor throws.
 */
export class Convolution extends KernelObject {
  /** @throws ShapeError where the products do not fit the window or each other, OutOfRangeError for an impossible window */
  constructor(instance: KernelInstance, products: readonly KernelObject[], options: ConvolutionOptions) {
    const { input, window, padding = 0 } = options;
    const handles = Int32Array.from(products, (product) => product.release());
    const rowCost = products.reduce((sum, { cost }) => sum + cost, 0);
    const parameters = writeWindow(new Parameters(instance), input, window)
      .i32(padding === "zero bits" ? 1 : 0, padding === "zero bits" ? 0 : padding)
      .array(handles);
    super(instance, parameters.call(instance.exports.conv_new), rowCost * outputPixels(input, window));
  }

  /** @param x [batch, height, width, channels] of the products' input type @param y [batch, h', w', channels of y] of their output type */
  run(x: number, batch: number, y: number): void {
    this.call(this.instance.exports.conv_run, x, y, batch);
  }
}
