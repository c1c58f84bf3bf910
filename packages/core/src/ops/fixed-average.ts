/**
 * Means of codes by integers alone, as TensorFlow Lite's reference kernels pool: y = clamp(sum / count), halves away from 0, over the taps inside the image. Scale and zero point of x are those of y.
 *
 * Input: x [N, H, W, C], bytes of the type `dtype`. Output: as `avgPool`'s. `zeroPoint` counts for nothing but its type.
 */
import { window } from "../graph/attributes.ts";
import { pooled } from "../graph/shapes.ts";
import type { NodeOf, Window2d } from "../graph/types.ts";
import { FixedAverage } from "../kernels/fixed-point.ts";
import { codesOf, codesRules, type FixedCodesAttributes } from "./fixed-point.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import type { Value } from "./reference.ts";

export interface FixedAverageAttributes extends FixedCodesAttributes, Window2d {}

export const fixedAverage: Operator<"fixedAverage"> = {
  name: "fixedAverage",
  attributes: { ...codesRules, ...window },
  inputs: [{ dtypes: ["int8", "uint8"] }],
  outputs(node, inputs) {
    const { dtype } = node.attributes;
    if (inputs[0]!.dtype !== dtype) refuse(node, "type of x", dtype, inputs[0]!.dtype);
    return [{ dtypes: [dtype], shape: pooled(node as never, [shapeOf(node, inputs)]) }];
  },
  lower(node, context) {
    const [x = ""] = node.inputs;
    const [y = ""] = node.outputs;
    return operationOf(node, context, "fixed_point", {
      bind({ instance, pointer, shape, own }) {
        const [batch = 0, height = 0, width = 0, channels = 0] = shape(x);
        const options = { input: [height, width] as const, channels, window: node.attributes };
        const kernel = own(new FixedAverage(instance, { ...options, ...codesOf(node.attributes) }));
        const [from, to] = [pointer(x), pointer(y)];
        return () => kernel.run(from, batch, to);
      },
    });
  },
};

export function reference(node: NodeOf<"fixedAverage">, [x]: readonly (Value | undefined)[]): Value[] {
  const { kernel, strides, dilations, pads, min, max, dtype } = node.attributes;
  const [batch = 0, height = 0, width = 0, channels = 0] = x!.shape;
  const shape = pooled(node as never, [x!.shape]) as readonly number[];
  const [, rows = 0, columns = 0] = shape;
  const data: number[] = [];
  for (let n = 0; n < batch; n++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        for (let c = 0; c < channels; c++) {
          let [sum, count] = [0, 0];
          for (let ky = 0; ky < kernel[0]; ky++)
            for (let kx = 0; kx < kernel[1]; kx++) {
              const y = row * strides[0] - pads[0] + ky * dilations[0];
              const at = column * strides[1] - pads[1] + kx * dilations[1];
              if (y < 0 || y >= height || at < 0 || at >= width) continue;
              sum += x!.data[((n * height + y) * width + at) * channels + c]!;
              count++;
            }
          const mean = Math.sign(sum) * Math.floor((2 * Math.abs(sum) + count) / (2 * count));
          data.push(Math.min(max, Math.max(min, mean)));
        }
  return [{ dtype, shape, data: Float64Array.from(data) }];
}
