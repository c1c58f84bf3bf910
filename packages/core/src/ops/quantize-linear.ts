/**
 * Codes by scales that are values (ONNX QuantizeLinear): y = clamp(roundTiesToEven(fround(x / scale)) + zeroPoint) to `range`; one scale, one per entry of the axis, or one per block along
 * it. A scale that is a constant and one is what `quantize` has in its output's type, and integer kernels read it there.
 *
 * Inputs: x f32; scale f32, [] or [1], [axis], or x's shape with the axis in blocks; zero point of the scale's shape and the output's type (absent: 0).
 * Output: int8, uint8, int16 or uint16 as `to` says, of x's shape.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf } from "../graph/types.ts";
import { roundTiesToEven } from "../runtime/lower/requantize.ts";
import { checkScales, lowerLinear, type ScaleAttributes, scaleAt, scaleRules } from "./linear-scales.ts";
import { type Operator, refuse } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";

export interface QuantizeLinearAttributes extends ScaleAttributes {
  readonly to: "int8" | "uint8" | "int16" | "uint16";
  /** Least and largest code: those of the type, or of 4 bits. */
  readonly range: readonly [low: number, high: number];
}

export const quantizeLinear: Operator<"quantizeLinear"> = {
  name: "quantizeLinear",
  attributes: {
    ...scaleRules,
    to: attribute.oneOf("int8", "uint8", "int16", "uint16"),
    range: { ...attribute.someIntegers(-32768, 65535, 2), wants: "the least and the largest code" },
  },
  inputs: [
    { dtypes: ["f32"] },
    { what: "scale", dtypes: ["f32"] },
    { what: "zero point", dtypes: ["int8", "uint8", "int16", "uint16"], optional: true },
  ],
  outputs(node, inputs) {
    const { to } = node.attributes;
    checkScales(node, node.attributes, inputs);
    if (inputs[2] && inputs[2].dtype !== to) refuse(node, "type of the zero point", to, inputs[2].dtype);
    return [{ dtypes: [to], shape: inputs[0]!.shape }];
  },
  lower: (node, context) =>
    lowerLinear(node, context, "quantize", { dtype: node.attributes.to, range: node.attributes.range }),
};

export function reference(
  { attributes }: NodeOf<"quantizeLinear">,
  [x, scale, zero]: readonly (Value | undefined)[],
): Value[] {
  const [low, high] = attributes.range;
  const code = (index: readonly number[]): number => {
    const entry = scaleAt(attributes, scale!.shape, index);
    const steps = roundTiesToEven(Math.fround(at(x!, index) / scale!.data[entry]!));
    return Math.min(high, Math.max(low, steps + (zero?.data[entry] ?? 0)));
  };
  return [build(attributes.to, x!.shape, code)];
}
