/**
 * start, start + delta, ... to before limit: max(0, ceil((limit - start) / delta)) numbers, each computed in f64 as start + i * delta.
 *
 * Inputs: start, limit, delta (not 0), one element each, of one type; integers within ±2^53. Output: their type, one axis.
 */
import type { InputRule } from "../graph/operators.ts";
import { OPEN } from "../graph/shapes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import { type Operator, operationOf, refuse } from "./operator.ts";
import { build, type Value } from "./reference.ts";

export type RangeAttributes = Record<never, never>;

/** As the kernel numbers them. */
const types = ["f32", "f64", "int16", "int32", "int64"] as const;
const number: InputRule = { dtypes: types, reads: "sizes" };
const same: InputRule = { dtypes: "same", reads: "sizes" };

const lengthOf = (start: number, limit: number, delta: number): number =>
  Math.max(0, Math.ceil((limit - start) / delta));

export const range: Operator<"range"> = {
  name: "range",
  attributes: {},
  inputs: [number, same, same],
  outputs(node, inputs, lists) {
    const { dtype } = inputs[0]!;
    for (const [i, list] of lists.entries())
      if (list && list.length !== 1) refuse(node, `elements of input ${i}`, 1, list.length);
    const [start, limit, delta] = lists.map((list) => list?.[0]);
    if (delta === 0) refuse(node, "delta", "a number other than 0", delta);
    const isKnown = [start, limit, delta].every((value) => typeof value === "number");
    // From 0 by ones, a symbol is its own length.
    const length: Dim = isKnown
      ? lengthOf(start as number, limit as number, delta as number)
      : start === 0 && delta === 1
        ? (limit ?? OPEN)
        : OPEN;
    return [{ dtypes: [dtype], shape: [length] }];
  },
  lower(node, context) {
    const [start = "", , delta = ""] = node.inputs;
    const [y = ""] = node.outputs;
    const kind = types.indexOf(context.info(y).dtype as (typeof types)[number]);
    return operationOf(node, context, "strided", {
      bind({ instance, pointer, elements, shape }) {
        const [from, by] = [elements(start)![0]!, elements(delta)![0]!];
        const [to, count] = [pointer(y), shape(y)[0]!];
        return () => instance.check(instance.exports.strided_range(kind, from, by, to, count));
      },
    });
  },
};

export function reference(_node: NodeOf<"range">, inputs: readonly (Value | undefined)[]): Value[] {
  const [start, limit, delta] = inputs.map((value) => value!.data[0]!) as [number, number, number];
  const { dtype } = inputs[0]!;
  const rounded = dtype === "f32" ? Math.fround : (value: number) => value;
  return [build(dtype, [lengthOf(start, limit, delta)], ([i]) => rounded(start + i! * delta))];
}
