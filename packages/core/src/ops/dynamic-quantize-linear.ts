/**
 * Codes by the range of the values themselves (ONNX DynamicQuantizeLinear): scale = (max(0, x) - min(0, x)) / 255, or 1 where that is 0; zeroPoint = roundTiesToEven(-min / scale);
 * y = clamp(roundTiesToEven(fround(x / scale)) + zeroPoint).
 *
 * Input: x f32. Outputs: y uint8 of x's shape, scale f32 [], zero point uint8 [].
 */
import type { NodeOf } from "../graph/types.ts";
import { dynamicQuantize } from "../kernels/linear.ts";
import { roundTiesToEven } from "../runtime/lower/requantize.ts";
import { sizeOf } from "../tensor.ts";
import { type Operator, operationOf, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export type DynamicQuantizeLinearAttributes = Record<never, never>;

export const dynamicQuantizeLinear: Operator<"dynamicQuantizeLinear"> = {
  name: "dynamicQuantizeLinear",
  attributes: {},
  inputs: [{ dtypes: ["f32"] }],
  outputs: (node, inputs) => [
    { dtypes: ["uint8"], shape: shapeOf(node, inputs) },
    { dtypes: ["f32"], shape: [] },
    { dtypes: ["uint8"], shape: [] },
  ],
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [y = "", scale, zero] = node.outputs;
    if (scale === undefined || zero === undefined)
      return context.refuse(node, "without outputs for scale and zero point");
    return operationOf(node, context, "convert", {
      bind({ instance, pointer, shape }) {
        const count = sizeOf(shape(x));
        const [from, to, by, from0] = [pointer(x), pointer(y), pointer(scale), pointer(zero)];
        return () => dynamicQuantize(instance, from, count, to, by, from0);
      },
    });
  },
};

export function reference(_: NodeOf<"dynamicQuantizeLinear">, [x]: readonly (Value | undefined)[]): Value[] {
  const [low, high] = [Math.min(0, ...x!.data), Math.max(0, ...x!.data)];
  const scale = low === high ? 1 : Math.fround(Math.fround(high - low) / 255);
  const zero = roundTiesToEven(Math.min(255, Math.max(0, Math.fround(-low / scale))));
  const codes = x!.data.map((v) => Math.min(255, Math.max(0, roundTiesToEven(Math.fround(v / scale)) + zero)));
  return [
    { dtype: "uint8", shape: x!.shape, data: codes },
    { dtype: "f32", shape: [], data: Float64Array.of(scale) },
    { dtype: "uint8", shape: [], data: Float64Array.of(zero) },
  ];
}
