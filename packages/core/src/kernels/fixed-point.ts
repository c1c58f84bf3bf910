/** Requantization, sums and means of codes by integers alone; see crates/kernels/src/fixed_point. */
import type { Window2d } from "../graph/types.ts";
import { writeWindow } from "./convolution.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/** multiplier · 2^(exponent - 31): multiplier 0 to 2^31 - 1, exponent -31 to 30. */
export interface FixedFactor {
  readonly multiplier: number;
  readonly exponent: number;
}

/** Codes of a result. */
export interface FixedCodes {
  readonly dtype: "int8" | "uint8";
  /** Of the type. */
  readonly zeroPoint: number;
  /** The smallest and the largest, of the type. */
  readonly clamp: readonly [min: number, max: number];
}

const writeCodes = (parameters: Parameters, { dtype, zeroPoint, clamp }: FixedCodes): Parameters =>
  parameters.i32(dtype === "uint8" ? 1 : 0, zeroPoint, ...clamp);

export interface FixedRequantizeOptions extends FixedCodes {
  readonly columns: number;
  /** int32: 1, or one for each column. */
  readonly multipliers: Int32Array;
  readonly exponents: Int32Array;
  /** int32, one for each column. */
  readonly bias?: Int32Array | undefined;
  /** How often a product is rounded. */
  readonly rounded: "twice" | "once";
}

/** y = clamp(scaled(x + bias) + zeroPoint), scaled with two integer roundings or with one. */
export class FixedRequantize extends KernelObject {
  constructor(instance: KernelInstance, options: FixedRequantizeOptions) {
    const { columns, multipliers, exponents, bias, rounded } = options;
    const parameters = new Parameters(instance).i32(columns).array(multipliers).array(exponents).array(bias);
    parameters.i32(rounded === "once" ? 1 : 0);
    super(instance, writeCodes(parameters, options).call(instance.exports.fixed_requantize_new));
  }

  /** @param x int32 [rows, columns] @param y bytes */
  run(x: number, rows: number, y: number): void {
    this.instance.check(this.instance.exports.fixed_requantize_run(this.handle, x, rows, y));
  }
}

export interface FixedOperand extends FixedFactor {
  readonly zeroPoint: number;
}

export interface FixedAddOptions extends FixedCodes {
  /** From codes with 20 more bits to a common scale. */
  readonly operands: readonly [a: FixedOperand, b: FixedOperand];
  /** From the common scale to y's. */
  readonly factor: FixedFactor;
}

/** y = clamp(factor(scaled a + scaled b) + zeroPoint). */
export class FixedAdd extends KernelObject {
  constructor(instance: KernelInstance, options: FixedAddOptions) {
    const { operands, factor } = options;
    const parameters = new Parameters(instance);
    for (const { multiplier, exponent, zeroPoint } of operands) parameters.i32(multiplier, exponent, zeroPoint);
    parameters.i32(factor.multiplier, factor.exponent);
    super(instance, writeCodes(parameters, options).call(instance.exports.fixed_add_new));
  }

  /** @param a bytes @param b as many @param y as many */
  run(a: number, b: number, count: number, y: number): void {
    this.instance.check(this.instance.exports.fixed_add_run(this.handle, a, b, count, y));
  }
}

export interface FixedAverageOptions extends FixedCodes {
  readonly input: readonly [height: number, width: number];
  readonly channels: number;
  readonly window: Window2d;
}

/** The mean of the codes of the taps inside the image, halves away from 0, clamped. */
export class FixedAverage extends KernelObject {
  constructor(instance: KernelInstance, options: FixedAverageOptions) {
    const { input, channels, window } = options;
    const parameters = writeWindow(new Parameters(instance), input, window).i32(channels);
    super(instance, writeCodes(parameters, options).call(instance.exports.fixed_average_new));
  }

  /** @param x [batch, h, w, channels] @param y [batch, h', w', channels] */
  run(x: number, batch: number, y: number): void {
    this.instance.check(this.instance.exports.fixed_average_run(this.handle, x, batch, y));
  }
}
