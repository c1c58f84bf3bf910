import type { NodeOf } from "../../graph/types.ts";
import { Columns } from "../../kernels/columns.ts";
import { macCost } from "../../kernels/kernel-object.ts";
import type { XnorGemm } from "../../kernels/xnor-gemm.ts";
import { sizeOf } from "../../tensor.ts";
import { rowsOf } from "../layout.ts";
import type { LoweringContext } from "./context.ts";
import type { Operation } from "./operation.ts";
import { type MadeProduct, makeProduct, type Part, type Product, type Tail } from "./product.ts";
import { tritStep } from "./trits.ts";

export function lowerDense(node: NodeOf<"dense">, context: LoweringContext, tail: Tail): Operation | undefined {
  const [x = "", weight = ""] = node.inputs;
  const { shape } = context.constant(weight);
  const [n = 0, k = 0] = shape;
  const part = { first: 0, count: n, taps: k / context.runLength(x) };
  const made = slicedProduct(node, context, tail, part, k);
  if (!made) return undefined;
  const { output } = tail;
  return {
    node: tail.nodes.join(" + "),
    op: node.op,
    kernel: made.kernel,
    inputs: [x],
    output,
    macs: (of) => rowsOf(of(x)) * sizeOf(shape),
    bind: (binding) => tritStep(binding, { x, y: output, count: rowsOf(binding.shape(x)) }, made.object, made.bits),
    [Symbol.dispose]() {
      made.object.dispose();
      made.bits?.dispose();
    },
  };
}

interface SlicedProduct extends MadeProduct {
  /** The same weights for trits without zeros, which count faster as bits. */
  readonly bits?: Product | undefined;
}

/** The product in slices of its columns, where the instance has threads and a row is work enough to be shared out. */
function slicedProduct(
  node: NodeOf<"dense">,
  context: LoweringContext,
  tail: Tail,
  part: Part,
  k: number,
): SlicedProduct | undefined {
  const { instance } = context;
  const { dtype } = context.info(node.inputs[0]!);
  const cost = macCost[dtype === "f32" ? "floats" : dtype === "bit" || dtype === "trit" ? "bits" : "bytes"];
  const counts = instance.threads?.slices(part.count, cost * part.count * k) ?? [];
  const ofBits = ({ object }: MadeProduct): Product | undefined =>
    dtype === "trit" ? (object as XnorGemm).ofBits() : undefined;
  if (counts.length <= 1) {
    const whole = makeProduct(node, context, tail, part);
    return whole && { ...whole, bits: ofBits(whole) };
  }
  const made: MadeProduct[] = [];
  let { first } = part;
  for (const count of counts) {
    const product = makeProduct(node, context, tail, { ...part, first, count });
    if (!product) {
      for (const { object } of made) object.dispose();
      return undefined;
    }
    made.push(product);
    first += count;
  }
  // Made first: `Columns` takes its products over.
  const bits = made.map(ofBits).filter((product) => product !== undefined);
  const object = new Columns(
    instance,
    made.map((product) => product.object),
  );
  return { kernel: made[0]!.kernel, object, bits: bits.length > 0 ? new Columns(instance, bits) : undefined };
}
