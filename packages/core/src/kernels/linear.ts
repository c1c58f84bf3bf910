/** Linear quantization by scales and zero points that are values; see crates/kernels/src/convert/linear.rs. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/** Types that codes are stored in; narrower ones lie in a byte each. */
export const codeTypes = ["int8", "uint8", "int16", "uint16", "int32"] as const;

export interface LinearOptions {
  readonly dtype: (typeof codeTypes)[number];
  /** Sizes before, of and behind the axis. */
  readonly shape: readonly [outer: number, axis: number, inner: number];
  /** One scale, one per entry of the axis, or one per so many entries of it, for each place before and behind. */
  readonly granularity: "tensor" | "axis" | number;
  /** Least and largest code. */
  readonly range: readonly [low: number, high: number];
}

export class Linear extends KernelObject {
  constructor(instance: KernelInstance, { dtype, shape, granularity, range }: LinearOptions) {
    const scales = granularity === "tensor" ? [0, 0] : granularity === "axis" ? [1, 0] : [2, granularity];
    const parameters = new Parameters(instance).i32(codeTypes.indexOf(dtype), ...shape, ...scales, ...range);
    super(instance, parameters.call(instance.exports.linear_new));
  }

  /** y = clamp(roundTiesToEven(x / scale) + zeroPoint) @param zeroPoint of y's type, or 0: none */
  quantize(x: number, scale: number, zeroPoint: number, y: number): void {
    this.instance.check(this.instance.exports.quantize_linear_run(this.handle, x, scale, zeroPoint, y));
  }

  /** y = (x - zeroPoint) * scale */
  dequantize(x: number, scale: number, zeroPoint: number, y: number): void {
    this.instance.check(this.instance.exports.dequantize_linear_run(this.handle, x, scale, zeroPoint, y));
  }
}

/** `count` f32 to uint8 by their own range; the scale goes to `scale` (f32), the zero point to `zeroPoint` (uint8). */
export function dynamicQuantize(
  instance: KernelInstance,
  x: number,
  count: number,
  y: number,
  scale: number,
  zeroPoint: number,
): void {
  instance.check(instance.exports.dynamic_quantize(x, y, count, scale, zeroPoint));
}
