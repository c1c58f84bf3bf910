/**
 * Sums to codes by integers alone, as TensorFlow Lite's reference kernels end a layer (gemmlowp; Jacob et al. 2018, arXiv 1712.05877, section 2.2):
 *
 * y = clamp(scaled(x + bias[n]) + zeroPoint), scaled(v) = v · multiplier · 2^(exponent - 31), rounded twice: after 2^31 with halves up, after the shift with halves away from 0.
 *
 * Inputs: x int32 [..., N]; constants multiplier (0 to 2^31 - 1) and exponent (-31 to 30) int32 [1] or [N], bias? int32 [N]. Output: bytes, x's shape.
 */
import type { NodeOf, ValueInfo } from "../graph/types.ts";
import { FixedRequantize } from "../kernels/fixed-point.ts";
import { sizeOf } from "../tensor.ts";
import { codeOf, codesOf, codesRules, type FixedCodesAttributes, scaled } from "./fixed-point.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export type FixedRequantizeAttributes = FixedCodesAttributes;

const perColumn = (what: string) => ({ what, dtypes: ["int32"], constant: true }) as const;

export const fixedRequantize: Operator<"fixedRequantize"> = {
  name: "fixedRequantize",
  attributes: codesRules,
  inputs: [
    { dtypes: ["int32"] },
    perColumn("multiplier"),
    perColumn("exponent"),
    { ...perColumn("bias"), optional: true },
  ],
  outputs(node, inputs) {
    const x = shapeOf(node, inputs);
    const columns = x.at(-1);
    const count = ({ shape }: ValueInfo) => sizeOf(shape.map(Number));
    for (const [i, what] of [
      [1, "multipliers"],
      [2, "exponents"],
    ] as const)
      if (count(inputs[i]!) !== 1 && count(inputs[i]!) !== columns)
        refuse(node, what, `1 or ${columns}`, count(inputs[i]!));
    if (count(inputs[1]!) !== count(inputs[2]!)) refuse(node, "exponents", count(inputs[1]!), count(inputs[2]!));
    if (inputs[3] && count(inputs[3]) !== columns) refuse(node, "biases", columns, count(inputs[3]));
    return [{ dtypes: [node.attributes.dtype], shape: x }];
  },
  lower(node, context) {
    const [x = "", multiplier = "", exponent = "", bias] = node.inputs;
    const [y = ""] = node.outputs;
    const integers = (name: string) => context.plain(name).data as Int32Array;
    return operationOf(node, context, "fixed_point", {
      bind({ instance, pointer, shape, own }) {
        const columns = shape(x).at(-1)!;
        const rows = sizeOf(shape(x)) / columns;
        const kernel = own(
          new FixedRequantize(instance, {
            columns,
            multipliers: integers(multiplier),
            exponents: integers(exponent),
            bias: bias ? integers(bias) : undefined,
            ...codesOf(node.attributes),
          }),
        );
        const [from, to] = [pointer(x), pointer(y)];
        return () => kernel.run(from, rows, to);
      },
    });
  },
};

export function reference(node: NodeOf<"fixedRequantize">, inputs: readonly (Value | undefined)[]): Value[] {
  const [x, multiplier, exponent, bias] = inputs;
  const columns = x!.shape.at(-1)!;
  const data = x!.data.map((sum, i) => {
    const n = i % columns;
    const at = multiplier!.data.length === 1 ? 0 : n;
    const factor = { multiplier: multiplier!.data[at]!, exponent: exponent!.data[at]! };
    return codeOf(scaled((sum + (bias?.data[n] ?? 0)) | 0, factor), node.attributes);
  });
  return [{ dtype: node.attributes.dtype, shape: x!.shape, data }];
}
