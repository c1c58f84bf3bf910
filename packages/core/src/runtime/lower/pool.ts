import type { NodeOf, Window2d } from "../../graph/types.ts";
import { BitMaxPool } from "../../kernels/bitpack.ts";
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
  const { dtype, shape } = context.info(x);
  const [, height, width, channels] = shape as readonly number[];
  const input = [height!, width!] as const;
  const window: Window2d = node.op === "globalAvgPool" ? wholeImage(input) : node.attributes;
  if (dtype === "bit") {
    if (!context.isWholeRows(x)) return context.refuse(node, "pooling of a reshaped value of bits");
    const object = new BitMaxPool(context.instance, { input, channels: channels!, window });
    return overImages(node, "bitpack", object);
  }
  if (dtype !== "f32" && dtype !== "int8" && dtype !== "uint8") return context.refuse(node, `pooling of ${dtype}`);
  const options = { kind: kindOf(node), dtype, input, channels: channels!, window };
  return overImages(node, "pool", new Pool(context.instance, options));
}

function overImages(node: PoolNode, kernel: string, object: Pool | BitMaxPool): Operation {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  return {
    node: node.name,
    op: node.op,
    kernel,
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
