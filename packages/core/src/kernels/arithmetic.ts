/** Functions of up to three tensors of any element types; see crates/kernels/src/arithmetic. */
import type { DataOf } from "../graph/types.ts";
import type { KernelInstance } from "./instance.ts";
import { KernelObject, Parameters } from "./kernel-object.ts";

/** Element types: those of tensors, and what only conversions make, of 16 and 8 bits and, a byte each, of 4. */
export const elementTypes = [
  ...(["f32", "f16", "int8", "uint8", "int32", "int64", "bool", "f64", "int16", "uint16", "uint32", "uint64"] as const),
  ...(["bf16", "int4", "uint4", "f8e4m3fn", "f8e4m3fnuz", "f8e5m2", "f8e5m2fnuz"] as const),
];

export type ElementType = (typeof elementTypes)[number];

/** The number of an element type across the border. */
export const elementType = (dtype: ElementType | keyof DataOf): number => elementTypes.indexOf(dtype);

/** In the order of crates/kernels/src/arithmetic/functions.rs, which has the formulas. */
export const arithmeticFunctions = [
  ...(["identity", "neg", "abs", "sign", "not", "bitwiseNot"] as const),
  ...(["add", "sub", "mul", "div", "mod", "fmod", "pow", "min", "max", "equal", "less", "lessOrEqual"] as const),
  ...(["bitwiseAnd", "bitwiseOr", "bitwiseXor", "shiftLeft", "shiftRight", "where", "clip"] as const),
  ...(["leakyRelu", "thresholdedRelu", "elu", "celu", "hardSigmoid", "hardSwish", "sigmoid", "softplus"] as const),
  ...(["softsign", "mish", "gelu", "geluTanh", "shrink"] as const),
  ...(["sqrt", "reciprocal", "exp", "log", "erf", "floor", "ceil", "round"] as const),
  ...(["sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"] as const),
  ...(["isNan", "isInf"] as const),
];

export type ArithmeticFunction = (typeof arithmeticFunctions)[number];

export interface ArithmeticOptions {
  readonly function: ArithmeticFunction;
  /** One to three, of shapes of at most 8 axes that broadcast. */
  readonly tensors: readonly { readonly dtype: ElementType; readonly shape: readonly number[] }[];
  /** b and c where they are no tensors; 0 where absent. */
  readonly constants?: readonly number[];
  /** Type of y. */
  readonly to: ElementType;
  /** Whether floats of 8 bits saturate; else what is too large becomes infinite, or NaN where there is no infinity. */
  readonly saturate?: boolean;
}

/**
 * y = function(a, b, c), element by element, with numpy broadcasting. Where a tensor is of floats it is computed in f64, else in int64 (all of uint64: modulo
 * 2^64), and rounded or cut once to y's type.
 */
export class Arithmetic extends KernelObject {
  constructor(instance: KernelInstance, { tensors, to, saturate = true, ...options }: ArithmeticOptions) {
    const [b = 0, c = 0] = options.constants ?? [];
    const parameters = new Parameters(instance)
      .i32(arithmeticFunctions.indexOf(options.function), elementType(to), Number(saturate))
      .array(Float64Array.of(b, c))
      .i32(tensors.length);
    for (const { dtype, shape } of tensors) parameters.i32(elementType(dtype)).array(Int32Array.from(shape));
    super(instance, parameters.call(instance.exports.arithmetic_new));
  }

  /** @param y may be a where that has y's shape and elements as wide */
  run(y: number, a: number, b = 0, c = 0): void {
    this.instance.check(this.instance.exports.arithmetic_run(this.handle, a, b, c, y));
  }
}
