/**
 * Codes to floats by scales that are values (ONNX DequantizeLinear): y = fround((x - zeroPoint) * scale); one scale, one per entry of the axis, or one per block along it.
 *
 * Inputs: x int8, uint8, int16, uint16 or int32; scale f32, [] or [1], [axis], or x's shape with the axis in blocks; zero point of the scale's shape and x's type (absent: 0).
 * Output: f32 of x's shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { codeTypes, type LinearOptions } from "../kernels/linear.ts";
import { checkScales, lowerLinear, type ScaleAttributes, scaleAt, scaleRules } from "./linear-scales.ts";
import type { Operator } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";

export type DequantizeLinearAttributes = ScaleAttributes;

export const dequantizeLinear: Operator<"dequantizeLinear"> = {
  name: "dequantizeLinear",
  attributes: scaleRules,
  inputs: [
    { dtypes: codeTypes },
    { what: "scale", dtypes: ["f32"] },
    { what: "zero point", dtypes: "same", optional: true },
  ],
  outputs(node, inputs) {
    checkScales(node, node.attributes, inputs);
    return [{ dtypes: ["f32"], shape: inputs[0]!.shape }];
  },
  lower(node, context) {
    const dtype = context.info(node.inputs[0]!).dtype as LinearOptions["dtype"];
    return lowerLinear(node, context, "dequantize", { dtype, range: [0, 0] });
  },
};

export function reference(
  { attributes }: NodeOf<"dequantizeLinear">,
  [x, scale, zero]: readonly (Value | undefined)[],
): Value[] {
  const real = (index: readonly number[]): number => {
    const entry = scaleAt(attributes, scale!.shape, index);
    return Math.fround(Math.fround(at(x!, index) - (zero?.data[entry] ?? 0)) * scale!.data[entry]!);
  };
  return [build("f32", x!.shape, real)];
}
