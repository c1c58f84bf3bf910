import type { PlainConstant, QuantizedConstant } from "lowbit";
import { elementCount, floats, transposed } from "../../graph/constants.ts";
import { perChannelConstant, rowScales } from "../../graph/low-bit.ts";
import type { NodeContext } from "../context.ts";
import { TensorType, typeName } from "../schema.ts";

/**
 * Input `index` as the weights of a layer, output channel first (`permutation` says how the file's axes get there): floats
 * as they are, codes of 8 or 4 bits as unsigned ones around their zero point.
 */
export function weightsOf(
  node: NodeContext,
  index: number,
  channelAxis: number,
  permutation?: readonly number[],
): PlainConstant | QuantizedConstant {
  const stored = node.constant(index);
  if (stored === undefined) return node.unsupported("weights computed at run time", "constant weights");
  const constant = permutation ? transposed(stored, permutation) : stored;
  if (constant.dtype === "f32") return constant;
  const { type, quantization } = node.tensor(index);
  if ((constant.dtype !== "int8" && constant.dtype !== "uint8") || quantization === undefined)
    return node.unsupported(`weights of type ${typeName(type)}`, "floats, or INT8, UINT8 or INT4 codes with a scale");
  const { scale, zeroPoint, axis } = quantization;
  if (scale.length > 1 && axis !== channelAxis)
    node.unsupported(
      `weights with scales along axis ${axis}`,
      `one scale, or one per output channel (axis ${channelAxis})`,
    );
  if (zeroPoint.some((value) => value !== zeroPoint[0]))
    node.unsupported("weights with a zero point per channel", "one zero point");
  const bits = type === TensorType.INT4 ? 4 : 8;
  // Signed codes become unsigned ones, and the zero point moves with them.
  const shift = constant.dtype === "int8" ? 1 << (bits - 1) : 0;
  const zero = zeroPoint[0]! + shift;
  if (!(zero >= 0 && zero < 1 << bits)) node.damaged("zero point of the weights", "one of the codes", zeroPoint[0]);
  const codes = new Uint8Array(constant.data.length);
  for (let i = 0; i < codes.length; i++) codes[i] = (constant.data[i] as number) + shift;
  const rows = constant.shape[0]!;
  const scales = Float32Array.from({ length: rows }, (_, row) => scale[scale.length === 1 ? 0 : row]!);
  return perChannelConstant(`int${bits}`, constant.shape, bits, codes, { kind: "affine", zeroPoint: zero }, scales);
}

/**
 * Input `index` as the f32 bias of a layer, undefined where it is absent. Codes are int32 in units of a sum over codes, the
 * scale of x times that of the channel's weights: multiplied out here, and divided again by whoever adds in integers.
 */
export function biasOf(
  node: NodeContext,
  index: number,
  weights: PlainConstant | QuantizedConstant,
  xScale: number | undefined,
): PlainConstant | undefined {
  const constant = node.constant(index);
  const outputs = weights.shape[0]!;
  if (constant === undefined)
    return node.has(index) ? node.unsupported("a bias computed at run time", "a constant bias") : undefined;
  if (elementCount(constant.shape) !== outputs)
    node.damaged("bias", `${outputs} elements`, elementCount(constant.shape));
  if (constant.dtype === "f32") return floats([outputs], constant.data as Float32Array);
  const scales = weights.kind === "quantized" ? rowScales(weights) : undefined;
  // Behind int16, sums and biases have 64 bits.
  if ((constant.dtype !== "int32" && constant.dtype !== "int64") || scales === undefined || xScale === undefined)
    return node.unsupported(
      `a bias of type ${typeName(node.tensor(index).type)}`,
      "floats, or INT32 or INT64 between quantized x and weights",
    );
  return floats(
    [outputs],
    Float32Array.from(scales, (scale, row) => Number(constant.data[row]) * Math.fround(scale * xScale)),
  );
}
