/**
 * `concat` along an axis whose sizes are known only when it runs. Inputs: one or more of one type (any but bits), of equal sizes but for the axis. Output: that type; along the axis,
 * the sum of the sizes.
 */
import { integer } from "../graph/attributes.ts";
import { axisOf, OPEN } from "../graph/shapes.ts";
import type { Dim, NodeOf } from "../graph/types.ts";
import { copyRows } from "../kernels/transform.ts";
import { bytesOf, sizeOf, type TensorDType } from "../tensor.ts";
import { movable, type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";

export interface JoinAttributes {
  readonly axis: number;
}

export const join: Operator<"join"> = {
  name: "join",
  attributes: { axis: integer(-16, 15) },
  inputs: [{ dtypes: movable }, { dtypes: "same", optional: true }],
  most: 1024,
  outputs(node, inputs) {
    const shape: Dim[] = [...shapeOf(node, inputs)];
    const axis = axisOf(node, node.attributes.axis, shape.length);
    for (let i = 1; i < inputs.length; i++) {
      const other = shapeOf(node, inputs, i);
      if (other.length !== shape.length) refuse(node, `axes of input ${i}`, shape.length, other.length);
      for (const [a, size] of other.entries()) {
        const sum = shape[a]!;
        const isKnown = typeof size === "number" && typeof sum === "number";
        if (a === axis) shape[a] = isKnown ? sum + size : OPEN;
        else if (isKnown && size !== sum) refuse(node, `axis ${a} of input ${i}`, sum, size);
        // A number says more than the symbol that it stands for.
        else if (typeof size === "number") shape[a] = size;
      }
    }
    return [{ dtypes: [inputs[0]!.dtype], shape }];
  },
  lower(node, context) {
    const [y = ""] = node.outputs;
    const elementBytes = bytesOf[context.info(y).dtype as TensorDType];
    return operationOf(node, context, "transform", {
      bind({ instance, shape, pointer }) {
        const axis = axisOf(node, node.attributes.axis, shape(y).length);
        // A row is everything from the axis on; the inputs' rows follow one another in y's.
        const rowBytes = (name: string): number => sizeOf(shape(name).slice(axis)) * elementBytes;
        const [rows, stride] = [sizeOf(shape(y).slice(0, axis)), rowBytes(y)];
        let to = pointer(y);
        const copies = node.inputs.flatMap((name) => {
          const copy = { from: pointer(name), bytes: rowBytes(name), to };
          to += copy.bytes;
          return copy.bytes > 0 ? [copy] : [];
        });
        return () => {
          for (let i = 0; i < copies.length; i++) {
            const { from, bytes, to } = copies[i]!;
            copyRows(instance, from, rows, bytes, to, stride);
          }
        };
      },
    });
  },
};

export function reference(node: NodeOf<"join">, inputs: readonly (Value | undefined)[]): Value[] {
  const values = inputs as readonly Value[];
  const { dtype, shape } = values[0]!;
  const axis = axisOf(node, node.attributes.axis, shape.length);
  const total = values.reduce((sum, value) => sum + value.shape[axis]!, 0);
  return [
    build(dtype, shape.with(axis, total), (index) => {
      let place = index[axis]!;
      const own = values.find((value) => {
        if (place < value.shape[axis]!) return true;
        place -= value.shape[axis]!;
        return false;
      })!;
      return at(own, index.with(axis, place));
    }),
  ];
}
