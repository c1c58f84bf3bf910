/** f32 operators that treat each element alone; see crates/kernels/src/elementwise. Every function takes pointers; y may be x, but for {@link Binary}. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

export type BinaryOp = "add" | "sub" | "mul" | "div";

const binaryOps: Record<BinaryOp, number> = { add: 0, sub: 1, mul: 2, div: 3 };

export interface BinaryOptions {
  readonly op: BinaryOp;
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** a op b, f32, with numpy broadcasting of two shapes of up to 8 axes. */
export class Binary extends KernelObject {
  constructor(instance: KernelInstance, { op, a, b }: BinaryOptions) {
    const parameters = new Parameters(instance).i32(binaryOps[op]).array(Int32Array.from(a)).array(Int32Array.from(b));
    super(instance, parameters.call(instance.exports.elementwise_binary_new));
  }

  /** @param y f32, of the broadcast shape; overlaps neither a nor b */
  run(a: number, b: number, y: number): void {
    this.instance.check(this.instance.exports.elementwise_binary_run(this.handle, a, b, y));
  }
}

/** y = x < min ? min : x > max ? max : x; a NaN stays. */
export function clip(instance: KernelInstance, x: number, count: number, y: number, min: number, max: number): void {
  instance.check(instance.exports.elementwise_clip(x, y, count, min, max));
}

/** y = x < 0 ? fround(x * alpha) : x */
export function leakyRelu(instance: KernelInstance, x: number, count: number, y: number, alpha: number): void {
  instance.check(instance.exports.elementwise_leaky_relu(x, y, count, alpha));
}

/** y = 1 / (1 + exp(-x)), exp in f32 by one portable implementation. */
export function sigmoid(instance: KernelInstance, x: number, count: number, y: number): void {
  instance.check(instance.exports.elementwise_sigmoid(x, y, count));
}

export function tanh(instance: KernelInstance, x: number, count: number, y: number): void {
  instance.check(instance.exports.elementwise_tanh(x, y, count));
}

/** y = x > 0 ? 1 : x < 0 ? -1 : 0 (NaN and -0: +0) */
export function sign(instance: KernelInstance, x: number, count: number, y: number): void {
  instance.check(instance.exports.elementwise_sign(x, y, count));
}

/** y = x Φ(x), Φ the normal distribution, or its approximation by tanh. */
export function gelu(instance: KernelInstance, x: number, count: number, y: number, approximate: boolean): void {
  instance.check(instance.exports.elementwise_gelu(x, y, count, approximate ? 1 : 0));
}

/** y = x / (1 + exp(-x)) */
export function silu(instance: KernelInstance, x: number, count: number, y: number): void {
  instance.check(instance.exports.elementwise_silu(x, y, count));
}
