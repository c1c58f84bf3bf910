/**
 * Mean pooling as sentence encoders do it (Reimers and Gurevych 2019): y[b, c] = mean of x[b, s, c] over the positions whose mask is not 0; zeros where there is none.
 *
 * Inputs: x f32 [B, S, C], mask int32 or int64 [B, S]. Output: f32 [B, C].
 */
import type { NodeOf } from "../graph/types.ts";
import { maskedMean as kernel } from "../kernels/embedding.ts";
import { type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import { build, type Value } from "./reference.ts";

export type MaskedMeanAttributes = Record<never, never>;

export const maskedMean: Operator<"maskedMean"> = {
  name: "maskedMean",
  attributes: {},
  inputs: [{ dtypes: ["f32"] }, { what: "mask", dtypes: ["int32", "int64"] }],
  outputs(node, inputs) {
    const [x, mask] = [shapeOf(node, inputs), shapeOf(node, inputs, 1)];
    if (x.length !== 3) refuse(node, "axes of x", 3, x.length);
    if (mask.length !== 2 || mask[0] !== x[0] || mask[1] !== x[1])
      refuse(node, "shape of the mask", x.slice(0, 2), mask);
    return [{ dtypes: ["f32"], shape: [x[0]!, x[2]!] }];
  },
  lower(node, context) {
    const [x = "", mask = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const dtype = context.info(mask).dtype as "int32" | "int64";
    return operationOf(node, context, "embedding", {
      bind({ instance, pointer, shape }) {
        const sizes = shape(x) as [number, number, number];
        const [from, keep, to] = [pointer(x), pointer(mask), pointer(output)];
        return () => kernel(instance, from, keep, dtype, sizes, to);
      },
    });
  },
};

export function reference(_node: NodeOf<"maskedMean">, [x, mask]: readonly (Value | undefined)[]): Value[] {
  const [batch = 0, positions = 0, columns = 0] = x!.shape;
  return [
    build("f32", [batch, columns], ([b = 0, c = 0]) => {
      const kept = Array.from({ length: positions }, (_, s) => b * positions + s).filter((i) => mask!.data[i] !== 0);
      const sum = kept.reduce((total, i) => Math.fround(total + x!.data[i * columns + c]!), 0);
      return Math.fround(sum / Math.max(1, kept.length));
    }),
  ];
}
