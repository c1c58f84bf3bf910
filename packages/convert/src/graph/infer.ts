import {
  type Dim,
  type DType,
  inferOutputs,
  isOpsOp,
  type Node,
  OPEN,
  type PlainConstant,
  type ValueInfo,
} from "lowbit";
import { registerAllOps } from "lowbit/ops";

// Every graph that is made here is inferred here: the operators of all of them are known.
registerAllOps();

/** The numbers of a constant, where it is as small as those are that decide sizes. */
export const elementsOf = ({ data }: PlainConstant): readonly Dim[] | undefined =>
  data.length <= 4096 ? Array.from(data as ArrayLike<number | bigint>, Number) : undefined;

/**
 * dtypes and shapes of a node's outputs by the operator's rules; x's type unless the operator changes it. A size that only a run can tell gets a symbol of its
 * own. `stated` is what the node alone does not say: the codes that `quantize` writes, or the integer type that a pass gave to a layer's output.
 */
export function inferAll(
  node: Node,
  lookup: (value: string) => ValueInfo,
  elements: (value: string) => readonly Dim[] | undefined,
  stated: Partial<ValueInfo> = {},
): readonly ValueInfo[] {
  const infos = node.inputs.map((input) => (input === "" ? undefined : lookup(input)));
  const lists = node.inputs.map((input) => (input === "" || !isOpsOp(node.op) ? undefined : elements(input)));
  const outputs = inferOutputs(node, infos, lists).slice(0, node.outputs.length);
  return outputs.map(({ dtypes, shape }, i) => {
    const closed = shape.map((dim, axis) => (dim === OPEN ? `${node.outputs[i]}.${axis}` : dim));
    if (!isOpsOp(node.op)) return typed(node, infos[0]!, closed, stated);
    const [dtype] = dtypes as readonly [DType];
    return { dtype, shape: closed, ...(stated.quantization && { quantization: stated.quantization }) };
  });
}

function typed(node: Node, x: ValueInfo, shape: readonly Dim[], stated: Partial<ValueInfo>): ValueInfo {
  const dtype = stated.dtype ?? ownType(node) ?? x.dtype;
  const quantization =
    stated.quantization ?? (dtype === x.dtype && ownType(node) === undefined ? x.quantization : undefined);
  return { dtype, shape, ...(quantization && (dtype === "int8" || dtype === "uint8") ? { quantization } : {}) };
}

/** The type that an operator writes whatever it reads; undefined where x's goes through. */
function ownType(node: Node): DType | undefined {
  switch (node.op) {
    case "conv2d":
    case "dense":
    case "matmul":
    case "affine":
    case "batchNorm":
    case "dequantize":
    case "sign":
      return "f32";
    case "threshold":
      return "bit";
    case "quantize":
      return "int8";
    case "cast":
      return node.attributes.to;
    default:
      return undefined;
  }
}
