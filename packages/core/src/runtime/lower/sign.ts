/** f32 to signs: as floats, as bits, or as trits whose zeros are counted on the way. */
import type { NodeOf } from "../../graph/types.ts";
import { packSigns, packTrits, unpackSigns, unpackTrits } from "../../kernels/bitpack.ts";
import { sign } from "../../kernels/elementwise.ts";
import { sizeOf } from "../../tensor.ts";
import { rowsOf } from "../layout.ts";
import type { LoweringContext } from "./context.ts";
import type { Operation } from "./operation.ts";

const nothing = (): void => {};

export function lowerSign(node: NodeOf<"sign">, context: LoweringContext): Operation {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const { dtype } = context.info(y);
  const packed = dtype === "bit" || dtype === "trit";
  return {
    node: node.name,
    op: node.op,
    kernel: packed ? "bitpack" : "elementwise",
    inputs: [x],
    output: y,
    ...(!packed && { storage: "inPlace" as const }),
    bind({ instance, pointer, shape, zeros }) {
      const from = pointer(x);
      const to = pointer(y);
      const sizes = shape(x);
      const [rows, channels] = [rowsOf(sizes), sizes.at(-1)!];
      if (dtype === "bit") return () => packSigns(instance, from, rows, channels, to);
      if (dtype !== "trit") return () => sign(instance, from, sizeOf(sizes), to);
      const count = zeros(y);
      return () => {
        count.count = packTrits(instance, from, rows, channels, to);
      };
    },
    [Symbol.dispose]: nothing,
  };
}

/** Bits or trits back to f32. */
export function lowerUnpack(node: NodeOf<"cast">, context: LoweringContext): Operation | undefined {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const { dtype } = context.info(x);
  if (node.attributes.to !== "f32" || context.runLength(x) !== context.info(x).shape.at(-1))
    return context.refuse(node, `cast from ${dtype} to ${node.attributes.to}`);
  return {
    node: node.name,
    op: node.op,
    kernel: "bitpack",
    inputs: [x],
    output: y,
    bind({ instance, pointer, shape, zeros }) {
      const from = pointer(x);
      const to = pointer(y);
      const sizes = shape(x);
      const [rows, channels] = [rowsOf(sizes), sizes.at(-1)!];
      if (dtype === "bit") return () => unpackSigns(instance, from, rows, channels, to);
      const count = zeros(x);
      return () => (count.count === 0 ? unpackSigns : unpackTrits)(instance, from, rows, channels, to);
    },
    [Symbol.dispose]: nothing,
  };
}
