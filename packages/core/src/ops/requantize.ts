/**
 * Sums to codes by scales that are values (the end of ONNX QLinearMatMul and QLinearConv): y = clamp(roundTiesToEven(fround(fround(x + bias[n]) * multiplier[n])) + zeroPoint).
 *
 * Inputs: x int32 [..., N]; multiplier f32 [1] or [N] (scale of a * scale of b / scale of y); zero point int8 or uint8, [] or [1]; bias int32 [N] (absent: 0).
 * Output: the zero point's type, x's shape.
 */
import type { NodeOf } from "../graph/types.ts";
import { requantize as kernel } from "../kernels/matmul-integer.ts";
import { roundTiesToEven } from "../runtime/lower/requantize.ts";
import { sizeOf } from "../tensor.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export type RequantizeAttributes = Record<never, never>;

export const requantize: Operator<"requantize"> = {
  name: "requantize",
  attributes: {},
  inputs: [
    { dtypes: ["int32"] },
    { what: "multiplier", dtypes: ["f32"] },
    { what: "zero point", dtypes: ["int8", "uint8"] },
    { what: "bias", dtypes: ["int32"], optional: true },
  ],
  outputs(node, inputs) {
    const x = shapeOf(node, inputs);
    const count = sizeOf(inputs[1]!.shape.map(Number));
    if (count !== 1 && count !== x.at(-1)) refuse(node, "multipliers", `1 or ${x.at(-1)}`, count);
    const bias = inputs[3]?.shape;
    if (bias && (bias.length !== 1 || bias[0] !== x.at(-1))) refuse(node, "shape of bias", [x.at(-1)], bias);
    return [{ dtypes: [inputs[2]!.dtype], shape: x }];
  },
  lower(node, context) {
    const [x = "", multiplier = "", zero = "", bias = ""] = node.inputs;
    const [y = ""] = node.outputs;
    const to = context.info(zero).dtype as "int8" | "uint8";
    return operationOf(node, context, "matmul_integer", {
      bind({ instance, pointer, shape }) {
        const columns = shape(x).at(-1)!;
        const rows = sizeOf(shape(x)) / columns;
        const how = { rows, columns, single: sizeOf(shape(multiplier)) === 1, to };
        const [from, by, from0, result] = [pointer(x), pointer(multiplier), pointer(zero), pointer(y)];
        const plus = bias === "" ? 0 : pointer(bias);
        return () => kernel(instance, how, from, plus, by, from0, result);
      },
    });
  },
};

export function reference(_: NodeOf<"requantize">, inputs: readonly (Value | undefined)[]): Value[] {
  const [x, multiplier, zero, bias] = inputs;
  const [low, high] = zero!.dtype === "uint8" ? [0, 255] : [-128, 127];
  const columns = x!.shape.at(-1)!;
  const data = x!.data.map((sum, i) => {
    const n = i % columns;
    const real = Math.fround(sum + (bias?.data[n] ?? 0)) * multiplier!.data[multiplier!.data.length === 1 ? 0 : n]!;
    return Math.min(high, Math.max(low, roundTiesToEven(Math.fround(real)) + zero!.data[0]!));
  });
  return [{ dtype: zero!.dtype, shape: x!.shape, data }];
}
