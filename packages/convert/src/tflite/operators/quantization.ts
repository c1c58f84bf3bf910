import type { CastType } from "lowbit";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { TensorType as T, typeName } from "../schema.ts";

/** Types whose rounding or wrapping a cast to our wider type would leave out. */
const NARROW: ReadonlySet<number> = new Set([T.FLOAT64, T.INT4, T.INT16, T.UINT16, T.UINT32]);

/** Floats to codes, or codes to codes of another scale. */
const quantize: OperatorImporter = (node) => {
  const target = node.target();
  if (target.grid !== undefined) {
    node.bindReal(node.real(0));
    return;
  }
  if (!target.quantization)
    node.unsupported(`codes of type ${target.dtype}`, "int8, uint8 or int16 codes with a scale");
  node.bind(node.constant(0) ? node.codes(node.real(0), target) : node.codes(node.value(0), target));
};

function cast(node: NodeContext): void {
  const to = node.target().dtype as CastType;
  if (NARROW.has(node.output().type))
    node.unsupported(`to ${typeName(node.output().type)}`, "FLOAT32, FLOAT16, INT8, UINT8, INT32, INT64 or BOOL");
  const x = node.value(0);
  node.bind(node.info(x).dtype === to ? x : node.main("cast", [x], { to }));
}

export const quantization: Readonly<Record<string, OperatorImporter>> = {
  QUANTIZE: quantize,
  DEQUANTIZE: (node) => node.bindReal(node.real(0)),
  CAST: cast,
};
