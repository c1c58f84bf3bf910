/** int8 / 4-bit / 2-bit weights by int8 or uint8 activations, summed in int32; see crates/kernels/src/affine_gemm. */
import type { Clamp } from "../graph/types.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, macCost, Parameters } from "./kernel-object.ts";
import { type Output, unclamped, writeOutput } from "./output.ts";

/** Codes of a weight: code (n, k) stands for the integer code - zeroPoint. */
export interface AffineCodes {
  readonly n: number;
  readonly k: number;
  /** 1..8; kept at 2, 4 or 8. */
  readonly bits: number;
  /** [n, ceil(k * bits / 8)], least significant bit first. */
  readonly codes: Uint8Array;
  /** One for the tensor, or [n, groups] (groups is 1 where the product has none). */
  readonly zeroPoint: number | Int32Array;
}

/** The quantized activations: real = (x - zeroPoint) * scale; the scale is part of the output's. */
export interface ActivationCodes {
  readonly dtype: "int8" | "uint8";
  readonly zeroPoint: number;
}

export interface AffineGemmOptions extends AffineCodes {
  readonly x: ActivationCodes;
  readonly output: Output;
}

/** y[rows, n] = output(sum over k of (x - x.zeroPoint) * (code - zeroPoint)), exact in int32. */
export class AffineGemm extends KernelObject {
  /**
   * @throws OutOfRangeError where bits, a zero point or a weight (outside -128..127) is out of range, or where a sum could leave int32;
   * ShapeError where an array does not have its length
   */
  constructor(instance: KernelInstance, options: AffineGemmOptions) {
    const parameters = writeAffineCodes(new Parameters(instance), options, options.x);
    const handle = writeOutput(parameters, options.output).call(instance.exports.affine_gemm_new);
    super(instance, handle, macCost.bytes * options.n * options.k);
  }

  /** @param x int8 or uint8 [rows, k] @param y int32, f32, bytes or bits [rows, n] */
  run(x: number, rows: number, y: number): void {
    this.call(this.instance.exports.affine_gemm_run, x, y, rows);
  }
}

/** What the float sums of a grouped product become. */
export type GroupedOutput =
  | { readonly kind: "f32"; readonly bias?: Float32Array | undefined; readonly clamp?: Clamp | undefined }
  | {
      readonly kind: "int8";
      readonly bias?: Float32Array | undefined;
      readonly scale: number;
      readonly zeroPoint: number;
      /** Of the quantized result, inside -128..127 or 0..255. */
      readonly clamp: readonly [min: number, max: number];
    };

export interface GroupedAffineGemmOptions extends AffineCodes {
  readonly x: ActivationCodes;
  /** Weights of a row that share a scale. */
  readonly groupSize: number;
  /** [n, ceil(k / groupSize)]: the weight's scale times the activation's. */
  readonly scale: Float32Array;
  readonly output: GroupedOutput;
}

/**
 * Scales per group of a row: r[n] = sum over groups, ascending, of fround(int32 sum of the group * scale[n, g]), each addition rounded, plus bias[n];
 * y = clamp(r), or clamp(roundTiesToEven(fround(r / scale)) + zeroPoint).
 */
export class GroupedAffineGemm extends KernelObject {
  constructor(instance: KernelInstance, options: GroupedAffineGemmOptions) {
    const { groupSize, scale, output } = options;
    const parameters = writeAffineCodes(new Parameters(instance), options, options.x);
    parameters.i32(groupSize).array(scale).array(output.bias);
    if (output.kind === "f32") parameters.i32(1).f32(...(output.clamp ?? unclamped));
    else
      parameters
        .i32(2)
        .f32(output.scale)
        .i32(output.zeroPoint, ...output.clamp);
    const handle = parameters.call(instance.exports.affine_gemm_grouped_new);
    super(instance, handle, macCost.bytes * options.n * options.k);
  }

  /** @param x int8 or uint8 [rows, k] @param y f32 or bytes [rows, n] */
  run(x: number, rows: number, y: number): void {
    this.call(this.instance.exports.affine_gemm_grouped_run, x, y, rows);
  }
}

export interface DynamicAffineGemmOptions extends AffineCodes {
  /** Weights of a row that share a scale. */
  readonly groupSize: number;
  /** [n, ceil(k / groupSize)] */
  readonly scale: Float32Array;
  readonly bias?: Float32Array | undefined;
  readonly clamp?: Clamp | undefined;
}

/**
 * Floats in and out, int8 in between: every row of x is quantized by its largest magnitude, q = roundTiesToEven(x * (127 / max|x|)), and
 * y[n] = clamp(fround(fround(sum over groups of fround(int32 sum * scale[n, g])) * (max|x| / 127)) + bias[n]).
 */
export class DynamicAffineGemm extends KernelObject {
  constructor(instance: KernelInstance, options: DynamicAffineGemmOptions) {
    const { n, k, bits, codes, zeroPoint, groupSize, scale, bias, clamp = unclamped } = options;
    const parameters = new Parameters(instance)
      .i32(n, k, bits)
      .array(codes)
      .array(typeof zeroPoint === "number" ? Int32Array.of(zeroPoint) : zeroPoint)
      .i32(groupSize)
      .array(scale)
      .array(bias)
      .f32(...clamp);
    super(instance, parameters.call(instance.exports.affine_gemm_dynamic_new), macCost.bytes * n * k);
  }

  /** @param x f32 [rows, k] @param y f32 [rows, n] */
  run(x: number, rows: number, y: number): void {
    this.call(this.instance.exports.affine_gemm_dynamic_run, x, y, rows);
  }
}

/** n, k, bits, codes, zero points, then the activation's type and zero point. */
export function writeAffineCodes(parameters: Parameters, codes: AffineCodes, x: ActivationCodes): Parameters {
  const zeroPoints = typeof codes.zeroPoint === "number" ? Int32Array.of(codes.zeroPoint) : codes.zeroPoint;
  return parameters
    .i32(codes.n, codes.k, codes.bits)
    .array(codes.codes)
    .array(zeroPoints)
    .i32(x.dtype === "uint8" ? 1 : 0, x.zeroPoint);
}
