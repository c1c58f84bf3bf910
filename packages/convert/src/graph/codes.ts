import type { Node, PlainConstant, QuantizedConstant } from "lowbit";
import { elementCount, transposed } from "./constants.ts";
import { perChannelConstant } from "./low-bit.ts";

/** What a float constant was before it was dequantized: value = (code - zero point) * scale, one of each or one per entry of an axis. */
export interface Codes {
  /** int8 or uint8. */
  readonly codes: PlainConstant;
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  readonly axis: number;
}

/** The codes of a constant that `op` makes of one with these; undefined where they are lost. */
export function movedCodes(
  codes: Codes,
  op: Node["op"],
  attributes: unknown,
  shape: readonly number[],
): Codes | undefined {
  if (op === "transpose") {
    const { permutation } = attributes as { readonly permutation: readonly number[] };
    return { ...codes, codes: transposed(codes.codes, permutation), axis: permutation.indexOf(codes.axis) };
  }
  if (op !== "reshape") return undefined;
  const one = codes.scale.length === 1;
  // An axis keeps its scales where as many elements lie in front of it as before.
  const before = (sizes: readonly number[], axis: number) => elementCount(sizes.slice(0, axis));
  const axis = shape.findIndex(
    (size, i) => size === codes.scale.length && before(shape, i) === before(codes.codes.shape, codes.axis),
  );
  if (!one && axis < 0) return undefined;
  return { ...codes, codes: { ...codes.codes, shape }, axis: one ? 0 : axis };
}

/** The codes as weights with rows along axis 0; undefined where a row has several scales. */
export function rowCodes({ codes, scale, zeroPoint, axis }: Codes): QuantizedConstant | undefined {
  const rows = codes.shape[0];
  if (rows === undefined || (scale.length !== 1 && (axis !== 0 || scale.length !== rows))) return undefined;
  // Codes are unsigned.
  const shift = codes.dtype === "int8" ? 128 : 0;
  const unsigned = Uint8Array.from(codes.data as Int8Array | Uint8Array, (code) => code + shift);
  const zeros = zeroPoint.map((zero) => zero + shift);
  const same = zeros.every((zero) => zero === zeros[0]);
  const scales = scale.length === 1 ? new Float32Array(rows).fill(scale[0]!) : scale;
  if (same)
    return perChannelConstant("int8", codes.shape, 8, unsigned, { kind: "affine", zeroPoint: zeros[0]! }, scales);
  return {
    kind: "quantized",
    scheme: "int8",
    shape: codes.shape,
    bits: 8,
    codes: unsigned,
    decoding: { kind: "affine", zeroPoint: zeros },
    scale: scales,
    scaleShape: [rows, 1],
  };
}
