/**
 * A new axis of `depth` places, of which the one that an index names is `on` and all others are `off`; an index beyond -depth to depth - 1 names none.
 *
 * Inputs: indices int64 or int32 of any shape; depth [] or [1] int64 or int32; values [2], off then on, of any type but bits. Output: the type of the values.
 */
import { integer } from "../graph/attributes.ts";
import { axisOf, OPEN } from "../graph/shapes.ts";
import type { NodeOf } from "../graph/types.ts";
import { Gather } from "../kernels/gather.ts";
import { Strided } from "../kernels/strided.ts";
import { bytesOf, sizeOf, type TensorDType } from "../tensor.ts";
import { bitsOf, counted, indices } from "./gathered.ts";
import { movable, type Operator, operationOf, refuse, shapeOf, sizes } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";

export interface OneHotAttributes {
  /** Of the new axis in the output. */
  readonly axis: number;
}

export const oneHot: Operator<"oneHot"> = {
  name: "oneHot",
  attributes: { axis: integer(-16, 15) },
  inputs: [indices, sizes, { what: "values", dtypes: movable }],
  outputs(node, inputs, [, depth]) {
    const list = shapeOf(node, inputs);
    const axis = axisOf(node, node.attributes.axis, list.length + 1);
    const values = shapeOf(node, inputs, 2);
    if (values.length !== 1 || values[0] !== 2) refuse(node, "shape of the values", [2], values);
    if (depth && (depth.length !== 1 || Number(depth[0]) < 1)) refuse(node, "depth", "one number of 1 or more", depth);
    return [{ dtypes: [inputs[2]!.dtype], shape: list.toSpliced(axis, 0, depth?.[0] ?? OPEN) }];
  },
  lower(node, context) {
    const [list = "", , values = ""] = node.inputs;
    const [y = ""] = node.outputs;
    const type = bitsOf(context.info(values).dtype);
    const elementBytes = bytesOf[type];
    const indexBytes = bytesOf[context.info(list).dtype as TensorDType] as 4 | 8;
    return operationOf(node, context, "gather", {
      bind({ instance, shape, pointer, own }) {
        const sizesOfY = shape(y);
        const data = sizeOf(sizesOfY);
        const axis = axisOf(node, node.attributes.axis, sizesOfY.length);
        const [depth, inner] = [sizesOfY[axis]!, sizeOf(sizesOfY.slice(axis + 1))];
        const off = { stride: 0, segments: [{ start: 0, step: 0, count: data }] };
        const fill = own(new Strided(instance, { elementBytes, length: 1, axes: [off] }));
        const outer = sizeOf(sizesOfY.slice(0, axis));
        const axes = [
          { count: outer, stride: depth * inner, indexStride: inner },
          { count: inner, stride: 1, indexStride: 1 },
        ];
        const coordinates = [{ size: depth, stride: inner }];
        const options = { data, indices: outer * inner, block: 1, axes, coordinates, skips: true };
        const kernel = own(new Gather(instance, options));
        const [from, places, to] = [pointer(values), pointer(list), pointer(y)];
        return () => {
          fill.run(from, to);
          kernel.scatter(type, "none", indexBytes, from + elementBytes, true, places, to);
        };
      },
    });
  },
};

export function reference(node: NodeOf<"oneHot">, [list, depth, values]: readonly (Value | undefined)[]): Value[] {
  const size = depth!.data[0]!;
  const axis = axisOf(node, node.attributes.axis, list!.shape.length + 1);
  const shape = list!.shape.toSpliced(axis, 0, size);
  const isOn = (index: readonly number[]) => counted(at(list!, index.toSpliced(axis, 1)), size) === index[axis];
  return [build(values!.dtype, shape, (index) => values!.data[isOn(index) ? 1 : 0]!)];
}
