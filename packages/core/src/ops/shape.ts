/** Sizes of x's axes from `start` to before `end`, int64 [end - start]; or, where `count` is set, how many elements they have together, int64 []. It is TypeScript: the numbers are known when a plan is made. */
import { flag, integer } from "../graph/attributes.ts";
import { OPEN } from "../graph/shapes.ts";
import type { Dim, NodeOf, ValueInfo } from "../graph/types.ts";
import { type Operator, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface ShapeAttributes {
  readonly start: number;
  readonly end: number;
  /** ONNX's Size in place of Shape. */
  readonly count: boolean;
}

/** The sizes; or their product, which is known where at most one of them is not 1 and not a number. */
function elementsOf(node: NodeOf<"shape">, inputs: readonly (ValueInfo | undefined)[]): Dim[] {
  const { start, end, count } = node.attributes;
  const sizes = shapeOf(node, inputs).slice(start, end);
  if (!count) return sizes;
  const others = sizes.filter((size) => size !== 1);
  if (others.length === 1) return others;
  return [others.every((size) => typeof size === "number") ? others.reduce<number>((a, b) => a * Number(b), 1) : OPEN];
}

export const shape: Operator<"shape"> = {
  name: "shape",
  attributes: { start: integer(0, 16), end: integer(0, 16), count: flag },
  inputs: [{ dtypes: "any", reads: "shape" }],
  outputs(node, inputs) {
    const { length } = elementsOf(node, inputs);
    return [{ dtypes: ["int64"], shape: node.attributes.count ? [] : [length] }];
  },
  evaluate: elementsOf,
  lower(node) {
    const [x = ""] = node.inputs;
    const [y = ""] = node.outputs;
    return {
      node: node.name,
      op: node.op,
      kernel: "typescript",
      inputs: [],
      output: y,
      bind({ instance, pointer, shape }) {
        const numbers = elementsOf(node, [{ dtype: "f32", shape: shape(x) }]);
        const to = pointer(y);
        // As the low and high halves of int64.
        const halves = Int32Array.from(numbers.flatMap((size) => [Number(size), 0]));
        return () => instance.i32(to, halves.length).set(halves);
      },
      [Symbol.dispose]() {},
    };
  },
};

export function reference(node: NodeOf<"shape">, [x]: readonly (Value | undefined)[]): Value[] {
  const { start, end, count } = node.attributes;
  const sizes = x!.shape.slice(start, end);
  const data = Float64Array.from(count ? [sizes.reduce((product, size) => product * size, 1)] : sizes);
  return [{ dtype: "int64", shape: count ? [] : [data.length], data }];
}
