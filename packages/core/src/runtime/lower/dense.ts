import type { NodeOf } from "../../graph/types.ts";
import { sizeOf } from "../../tensor.ts";
import { rowsOf } from "../layout.ts";
import type { LoweringContext } from "./context.ts";
import type { Operation } from "./operation.ts";
import { makeProduct, type Tail } from "./product.ts";
import { tritStep } from "./trits.ts";

export function lowerDense(node: NodeOf<"dense">, context: LoweringContext, tail: Tail): Operation | undefined {
  const [x = "", weight = ""] = node.inputs;
  const { shape } = context.constant(weight);
  const [n = 0, k = 0] = shape;
  const { dtype } = context.info(x);
  const part = { first: 0, count: n, taps: k / context.runLength(x) };
  const made = makeProduct(node, context, tail, part);
  // The same weights for trits without zeros, which count faster as bits.
  const bits = dtype === "trit" && made ? makeProduct(node, context, tail, { ...part, packed: "bit" }) : undefined;
  if (!made) return undefined;
  const { output } = tail;
  return {
    node: tail.nodes.join(" + "),
    op: node.op,
    kernel: made.kernel,
    inputs: [x],
    output,
    macs: (of) => rowsOf(of(x)) * sizeOf(shape),
    bind: (binding) => tritStep(binding, { x, y: output, count: rowsOf(binding.shape(x)) }, made.object, bits?.object),
    [Symbol.dispose]() {
      made.object.dispose();
      bits?.object.dispose();
    },
  };
}
