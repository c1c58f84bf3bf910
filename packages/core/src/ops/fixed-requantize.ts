/**
 * Sums to codes by integers alone, as TensorFlow Lite's reference kernels end a layer (gemmlowp; Jacob et al. 2018, arXiv 1712.05877, section 2.2):
 *
 * y = clamp(scaled(x + bias[n]) + zeroPoint), scaled(v) = v · multiplier · 2^(exponent - 31), rounded twice: after 2^31 with halves up, after the shift with halves away from 0; or, as
 * dense layers are there, once, with halves up.
 *
 * Inputs: x int32 [..., N]; constants multiplier (0 to 2^31 - 1) and exponent (-31 to 30) int32 [1] or [N], bias? int32 [N]. Output: bytes, x's shape.
 */
import * as attribute from "../graph/attributes.ts";
import type { NodeOf, ValueInfo } from "../graph/types.ts";
import { FixedRequantize } from "../kernels/fixed-point.ts";
import { sizeOf } from "../tensor.ts";
import { codeOf, codesOf, codesRules, type FixedCodesAttributes, scaled, scaledOnce } from "./fixed-point.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface FixedRequantizeAttributes extends FixedCodesAttributes {
  readonly rounded: "twice" | "once";
}

const perColumn = (what: string) => ({ what, dtypes: ["int32"], constant: true }) as const;

export const fixedRequantize: Operator<"fixedRequantize"> = {
  name: "fixedRequantize",
  attributes: { ...codesRules, rounded: attribute.oneOf("twice", "once") },
  inputs: [
    { dtypes: ["int32"] },
    perColumn("multiplier"),
    perColumn("exponent"),
    { ...perColumn("bias"), optional: true },
  ],
  outputs(node, inputs) {
    const x = shapeOf(node, inputs);
    const columns = x.at(-1);
    if (typeof columns !== "number") refuse(node, "last axis of x", "a known size", columns);
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
    const columns = context.info(x).shape.at(-1) as number;
    // Made here: constants that are no values of a run are gone when shapes are bound.
    const kernel = new FixedRequantize(context.instance, {
      columns,
      multipliers: integers(multiplier),
      exponents: integers(exponent),
      bias: bias ? integers(bias) : undefined,
      rounded: node.attributes.rounded,
      ...codesOf(node.attributes),
    });
    const operation = operationOf(node, context, "fixed_point", {
      bind({ pointer, shape }) {
        const rows = sizeOf(shape(x)) / columns;
        const [from, to] = [pointer(x), pointer(y)];
        return () => kernel.run(from, rows, to);
      },
    });
    return { ...operation, [Symbol.dispose]: () => kernel.dispose() };
  },
};

export function reference(node: NodeOf<"fixedRequantize">, inputs: readonly (Value | undefined)[]): Value[] {
  const [x, multiplier, exponent, bias] = inputs;
  const columns = x!.shape.at(-1)!;
  const data = x!.data.map((sum, i) => {
    const n = i % columns;
    const at = multiplier!.data.length === 1 ? 0 : n;
    const factor = { multiplier: multiplier!.data[at]!, exponent: exponent!.data[at]! };
    const by = node.attributes.rounded === "once" ? scaledOnce : scaled;
    return codeOf(by((sum + (bias?.data[n] ?? 0)) | 0, factor), node.attributes);
  });
  return [{ dtype: node.attributes.dtype, shape: x!.shape, data }];
}
