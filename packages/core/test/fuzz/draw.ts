/** Random problems from a seed: sizes crowd around words and lanes, values around the ends of their ranges. */
import type { Window2d } from "../../src/graph/types.ts";
import type { Output } from "../../src/kernels/output.ts";
import { integers, sizes } from "../kernels/random.ts";

export class Draw {
  /** An integer of low..high. */
  readonly integer: (low: number, high: number) => number;

  constructor(seed: number) {
    const next = integers(seed);
    // Neighbouring seeds begin alike.
    for (let i = 0; i < 4; i++) next(0, 1);
    this.integer = next;
  }

  pick<const T>(...choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)]!;
  }

  /** 1..limit. */
  size(limit: number): number {
    const near = this.pick(...sizes) + this.integer(-1, 1);
    return this.integer(0, 1) && near >= 1 && near <= limit ? near : this.integer(1, limit);
  }

  /** `count` integers; now and then all at one end, or at both. */
  integers(count: number, low: number, high: number): number[] {
    const kind = this.integer(0, 9);
    const value = [() => low, () => high, () => this.pick(low, high)][kind] ?? (() => this.integer(low, high));
    return Array.from({ length: count }, value);
  }

  /** Finite floats of mixed magnitude. */
  floats(count: number): Float32Array {
    const magnitude = 10 ** this.integer(-3, 3);
    return Float32Array.from({ length: count }, () => (this.integer(-(2 ** 20), 2 ** 20) / 2 ** 20) * magnitude);
  }

  /** Floats with NaN, infinities, zeros of both signs and subnormal numbers among them. */
  anyFloats(count: number): Float32Array {
    const special = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, -1e-45, 0.5, -2.5];
    return this.floats(count).map((x) => (this.integer(0, 3) ? x : this.pick(...special)));
  }

  clamp(): readonly [number, number] {
    const [a, b] = [this.integer(-99, 99), this.integer(-99, 99)];
    return this.integer(0, 2) ? [Math.min(a, b), Math.max(a, b)] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  }

  /** A window that fits an image of `input`, and lies nowhere in the padding alone. */
  window(input: readonly [number, number]): Window2d {
    const kernel = [this.integer(1, Math.min(4, input[0])), this.integer(1, Math.min(4, input[1]))] as const;
    const dilations = [0, 1].map((axis) =>
      (kernel[axis]! - 1) * 2 + 1 <= input[axis]! ? this.integer(1, 2) : 1,
    ) as unknown as readonly [number, number];
    const pad = (axis: number) => this.integer(0, (kernel[axis]! - 1) * dilations[axis]!);
    return {
      kernel,
      dilations,
      strides: [this.integer(1, 3), this.integer(1, 3)],
      pads: [pad(0), pad(1), pad(0), pad(1)],
    };
  }

  /** Any end of an integer product of `n` columns. */
  output(n: number): Output {
    const unsigned = this.integer(0, 1);
    const ends = [this.integer(-128, 127), this.integer(-128, 127)].sort((a, b) => a - b) as [number, number];
    const clamp = ends.map((end) => end + 128 * unsigned) as unknown as readonly [number, number];
    switch (this.integer(0, 3)) {
      case 0:
        return { kind: "int32" };
      case 1:
        return { kind: "f32", scale: this.floats(n), bias: this.floats(n), clamp: this.clamp() };
      case 2:
        return {
          kind: "int8",
          multiplier: this.floats(n).map((x) => Math.abs(x) / 1000 + 1e-6),
          bias: Int32Array.from(this.integers(n, -1000, 1000)),
          zeroPoint: this.integer(clamp[0], clamp[1]),
          clamp,
        };
      default:
        return { kind: "bits", thresholds: Int32Array.from(this.integers(n, -2000, 2000)) };
    }
  }
}
