import type { NodeContext, OperatorImporter } from "../context.ts";

/** Floats to codes, or codes to codes of another scale. */
const quantize: OperatorImporter = (node) => {
  const target = node.target();
  if (!target.quantization) node.unsupported(`codes of type ${target.dtype}`, "int8 or uint8 codes with a scale");
  node.bind(node.constant(0) ? node.codes(node.real(0), target) : node.codes(node.value(0), target));
};

function cast(node: NodeContext): void {
  const { dtype } = node.target();
  const x = node.value(0);
  node.bind(node.info(x).dtype === dtype ? x : node.main("cast", [x], { to: dtype }));
}

export const quantization: Readonly<Record<string, OperatorImporter>> = {
  QUANTIZE: quantize,
  DEQUANTIZE: (node) => node.bindReal(node.real(0)),
  CAST: cast,
};
