/** Resampling; see crates/kernels/src/resize. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/** How a place of y becomes a coordinate of x: ONNX `coordinate_transformation_mode`. */
export const coordinateModes = [
  "half_pixel",
  "half_pixel_symmetric",
  "pytorch_half_pixel",
  "align_corners",
  "asymmetric",
  "tf_crop_and_resize",
  "tf_half_pixel_for_nn",
] as const;

/** How the nearest element is found, by how halves and fractions are rounded. */
export const nearestModes = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] as const;

/** How values between elements are made. */
export const resizeFilters = [...nearestModes, "linear", "cubic"] as const;

export interface ResizeAxis {
  readonly input: number;
  readonly output: number;
  /** Elements of y per element of x. */
  readonly scale: number;
  /** What `tf_crop_and_resize` reads, 0 to 1. */
  readonly region: readonly [start: number, end: number];
}

export interface ResizeMethod {
  readonly coordinates: (typeof coordinateModes)[number];
  readonly filter: (typeof resizeFilters)[number];
  /** Of `cubic`. */
  readonly a: number;
  readonly antialias: boolean;
  readonly excludeOutside: boolean;
  readonly extrapolation: number;
}

export interface ResizeOptions extends ResizeMethod {
  /** At most 8. */
  readonly axes: readonly ResizeAxis[];
  /** 4 (f32) unless the filter is a nearest one. */
  readonly elementBytes: 1 | 2 | 4 | 8;
  /** The extrapolation value as 8 bytes that begin with such an element. */
  readonly outside: Uint8Array;
}

export class Resize extends KernelObject {
  constructor(instance: KernelInstance, options: ResizeOptions) {
    const { axes, coordinates, filter, a, antialias, excludeOutside, extrapolation, elementBytes, outside } = options;
    const parameters = new Parameters(instance).i32(axes.length);
    for (const { input, output, scale, region } of axes) parameters.i32(input, output).f32(scale, ...region);
    parameters
      .i32(coordinateModes.indexOf(coordinates), resizeFilters.indexOf(filter))
      .f32(a)
      .i32(antialias ? 1 : 0, excludeOutside ? 1 : 0)
      .f32(extrapolation)
      .i32(elementBytes, ...new Int32Array(outside.slice(0, 8).buffer));
    super(instance, parameters.call(instance.exports.resize_new));
  }

  run(x: number, y: number): void {
    this.instance.check(this.instance.exports.resize_run(this.handle, x, y));
  }
}
