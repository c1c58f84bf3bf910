/**
 * x rounded to what a float of 8 bits holds, as f32: to nearest, ties to even. What is larger than its largest number is that number where `saturate`, else infinite, or NaN where the type has no infinity;
 * so is an infinity itself.
 *
 * Types (Micikevicius et al. 2022; Noune et al. 2022): `f8e4m3fn`, `f8e4m3fnuz`, `f8e5m2`, `f8e5m2fnuz`, as ONNX has them.
 *
 * Input: x f32. Output: f32, x's shape.
 */
import { flag, oneOf } from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { Arithmetic } from "../kernels/arithmetic.ts";
import { sizeOf } from "../tensor.ts";
import { eachOf } from "./elementwise.ts";
import { type Operator, operationOf, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface NarrowFloatAttributes {
  readonly to: "f8e4m3fn" | "f8e4m3fnuz" | "f8e5m2" | "f8e5m2fnuz";
  readonly saturate: boolean;
}

/** Bits of the mantissa, the exponent of the smallest normal number, and the largest number. */
const FORMATS = {
  f8e4m3fn: { bits: 3, least: -6, largest: 448, infinite: Number.NaN },
  f8e4m3fnuz: { bits: 3, least: -7, largest: 240, infinite: Number.NaN },
  f8e5m2: { bits: 2, least: -14, largest: 57344, infinite: Number.POSITIVE_INFINITY },
  f8e5m2fnuz: { bits: 2, least: -15, largest: 57344, infinite: Number.NaN },
} as const;

export const narrowFloat: Operator<"narrowFloat"> = {
  name: "narrowFloat",
  attributes: { to: oneOf(...Object.keys(FORMATS)), saturate: flag },
  inputs: [{ dtypes: ["f32"] }],
  outputs: (node, inputs) => [{ dtypes: ["f32"], shape: shapeOf(node, inputs) }],
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [y = ""] = node.outputs;
    const { to, saturate } = node.attributes;
    return operationOf(node, context, "arithmetic", {
      // A byte for each element.
      scratchBytes: (of) => sizeOf(of(x)),
      bind({ instance, own, pointer, shape, scratch }) {
        const cast = (from: "f32" | typeof to, as: "f32" | typeof to) =>
          own(
            new Arithmetic(instance, {
              function: "identity",
              tensors: [{ dtype: from, shape: shape(x) }],
              to: as,
              saturate,
            }),
          );
        const [narrow, wide] = [cast("f32", to), cast(to, "f32")];
        const [from, result] = [pointer(x), pointer(y)];
        return () => {
          narrow.run(scratch, from);
          wide.run(result, scratch);
        };
      },
    });
  },
};

export function reference({ attributes }: NodeOf<"narrowFloat">, [x]: readonly (Value | undefined)[]): Value[] {
  const { bits, least, largest, infinite } = FORMATS[attributes.to];
  return eachOf("f32", [x], (value) => {
    if (Number.isNaN(value)) return value;
    const beyond = attributes.saturate ? largest : infinite;
    const size = Math.abs(value);
    if (size === Number.POSITIVE_INFINITY) return value < 0 ? -beyond : beyond;
    const exponent = Math.max(least, Math.floor(Math.log2(size)));
    const unit = 2 ** (exponent - bits);
    const units = size / unit;
    const even = 2 * Math.round(units / 2);
    const rounded = (Math.abs(units - even) <= 0.5 ? even : Math.round(units)) * unit;
    const kept = rounded > largest ? beyond : rounded;
    // Types without a negative zero have none here either.
    return kept === 0 && attributes.to.endsWith("uz") ? 0 : value < 0 || Object.is(value, -0) ? -kept : kept;
  });
}
