import type { NodeOf, Window2d } from "../../graph/types.ts";
import { Pool, type PoolOptions, wholeImage } from "../../kernels/pool.ts";
import type { LoweringContext } from "./context.ts";
import type { Operation } from "./operation.ts";

type PoolNode = NodeOf<"maxPool" | "avgPool" | "globalAvgPool">;

function kindOf(node: PoolNode): PoolOptions["kind"] {
  if (node.op === "maxPool") return "max";
  return node.op === "avgPool" && node.attributes.countIncludePad ? "averageWithPadding" : "average";
}

export function lowerPool(node: PoolNode, context: LoweringContext): Operation | undefined {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const { dtype, shape } = context.info(x);
  const [, height, width, channels] = shape as readonly number[];
  const input = [height!, width!] as const;
  const window: Window2d = node.op === "globalAvgPool" ? wholeImage(input) : node.attributes;
  if (dtype !== "f32" && dtype !== "int8" && dtype !== "uint8") return context.refuse(node, `pooling of ${dtype}`);
  const object = new Pool(context.instance, { kind: kindOf(node), dtype, input, channels: channels!, window });
  return {
    node: node.name,
    op: node.op,
    kernel: "pool",
    inputs: [x],
    output: y,
    bind(binding) {
      const batch = binding.shape(x)[0]!;
      const from = binding.pointer(x);
      const to = binding.pointer(y);
      return () => object.run(from, batch, to);
    },
    [Symbol.dispose]: () => object.dispose(),
  };
}
