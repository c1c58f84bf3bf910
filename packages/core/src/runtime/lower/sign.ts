import type { NodeOf } from "../../graph/types.ts";
import { sign } from "../../kernels/elementwise.ts";
import { sizeOf } from "../../tensor.ts";
import type { LoweringContext } from "./context.ts";
import type { Operation } from "./operation.ts";

export function lowerSign(node: NodeOf<"sign">, context: LoweringContext): Operation | undefined {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  if (context.info(y).dtype !== "f32") return context.refuse(node, "packed");
  return {
    node: node.name,
    op: node.op,
    kernel: "elementwise",
    inputs: [x],
    output: y,
    storage: "inPlace",
    bind({ instance, pointer, shape }) {
      const from = pointer(x);
      const to = pointer(y);
      const count = sizeOf(shape(x));
      return () => sign(instance, from, count, to);
    },
    [Symbol.dispose]: () => undefined,
  };
}
