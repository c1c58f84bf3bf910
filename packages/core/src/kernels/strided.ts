/** Copies along strides; see crates/kernels/src/strided. */
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/** Places that follow one another along an axis of y: `count` of them from index `start` of x's axis, `step` apart; start -1: padding. */
export interface Segment {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** An axis of y: elements of x from one index to the next, and which of them, in order. */
export interface StridedAxis {
  readonly stride: number;
  readonly segments: readonly Segment[];
}

export interface StridedOptions {
  readonly elementBytes: 1 | 2 | 4 | 8;
  /** Elements of x. */
  readonly length: number;
  /** Of y, outermost first; at most 16. */
  readonly axes: readonly StridedAxis[];
  /** What padding holds, as at most 8 little-endian bytes; absent: zeros. */
  readonly fill?: Uint8Array | undefined;
}

export class Strided extends KernelObject {
  constructor(instance: KernelInstance, { elementBytes, length, axes, fill = new Uint8Array() }: StridedOptions) {
    const words = new Uint8Array(8);
    words.set(fill);
    const parameters = new Parameters(instance).i32(elementBytes, length, ...new Int32Array(words.buffer), axes.length);
    for (const { stride, segments } of axes) {
      parameters.i32(stride, segments.length);
      for (const { start, step, count } of segments) parameters.i32(start, step, count);
    }
    super(instance, parameters.call(instance.exports.strided_new));
  }

  /** x to y, which do not overlap. */
  run(x: number, y: number): void {
    this.instance.check(this.instance.exports.strided_run(this.handle, x, y));
  }
}
