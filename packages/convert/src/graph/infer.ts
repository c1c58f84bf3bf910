import { type DType, inferShape, type Node, type ValueInfo } from "lowbit";

/**
 * dtype and shape of a node's output: the operator's shape rule, and x's type unless the operator changes it. `stated`
 * is what the node alone does not say: the codes that `quantize` writes, or the integer type that a pass gave to a
 * layer's output.
 */
export function inferOutput(
  node: Node,
  lookup: (value: string) => ValueInfo,
  stated: Partial<ValueInfo> = {},
): ValueInfo {
  const infos = node.inputs.map((input) => (input === "" ? undefined : lookup(input)));
  const shape = inferShape(
    node,
    infos.map((info) => info?.shape),
  );
  const x = infos[0]!;
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
