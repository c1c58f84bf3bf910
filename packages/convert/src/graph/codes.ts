import type { Decoding, Node, PlainConstant, QuantizedConstant } from "lowbit";
import { elementCount, transposed } from "./constants.ts";
import { packCodes, perChannelConstant } from "./low-bit.ts";

/** What a float constant was before it was dequantized: value = (code - zero point) * scale, one of each, or one per entry or block of an axis. */
export interface Codes {
  /** int8 or uint8. */
  readonly codes: PlainConstant;
  /** Of blocks: in the codes' shape, with as many entries along the axis as there are blocks. */
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  readonly axis: number;
  /** Entries of the axis that share a scale, where more than one does. */
  readonly block?: number;
  /** Bits that the source has for each, where they are fewer than 8. */
  readonly bits?: 2 | 4 | 8;
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
    const moved = { ...codes, codes: transposed(codes.codes, permutation), axis: permutation.indexOf(codes.axis) };
    return codes.block === undefined ? moved : { ...moved, ...movedBlocks(codes, permutation) };
  }
  if (op !== "reshape" || codes.block !== undefined) return undefined;
  const one = codes.scale.length === 1;
  // An axis keeps its scales where as many elements lie in front of it as before.
  const before = (sizes: readonly number[], axis: number) => elementCount(sizes.slice(0, axis));
  const axis = shape.findIndex(
    (size, i) => size === codes.scale.length && before(shape, i) === before(codes.codes.shape, codes.axis),
  );
  if (!one && axis < 0) return undefined;
  return { ...codes, codes: { ...codes.codes, shape }, axis: one ? 0 : axis };
}

function movedBlocks({ codes, scale, zeroPoint, axis, block }: Codes, permutation: readonly number[]) {
  const shape = codes.shape.map((size, i) => (i === axis ? Math.ceil(size / block!) : size));
  const moved = (dtype: "f32" | "int32", data: Float32Array | Int32Array) =>
    transposed({ kind: "plain", dtype, shape, data }, permutation).data;
  return { scale: moved("f32", scale) as Float32Array, zeroPoint: moved("int32", zeroPoint) as Int32Array };
}

/** The codes as weights with rows along axis 0; undefined where a row has several scales that are not of blocks. */
export function rowCodes(given: Codes): QuantizedConstant | undefined {
  const { codes, axis, block, bits = 8 } = given;
  const { shape } = codes;
  const [rows, ...rest] = shape;
  if (rows === undefined) return undefined;
  const groups = block === undefined ? 1 : Math.ceil(rest[0]! / block);
  if (block !== undefined && (axis !== 1 || rest.length !== 1)) return undefined;
  if (block === undefined && given.scale.length !== 1 && (axis !== 0 || given.scale.length !== rows)) return undefined;
  // Codes are unsigned.
  const shift = codes.dtype === "int8" ? 2 ** (bits - 1) : 0;
  const unsigned = Uint8Array.from(codes.data as Int8Array | Uint8Array, (code) => code + shift);
  const zeros = given.zeroPoint.map((zero) => zero + shift);
  const same = zeros.every((zero) => zero === zeros[0]);
  const scale = given.scale.length === 1 ? new Float32Array(rows).fill(given.scale[0]!) : given.scale;
  const whole: Narrow = {
    ...{ scheme: `int${bits}`, bits, values: unsigned },
    decoding: { kind: "affine", zeroPoint: same ? zeros[0]! : zeros },
  };
  const { scheme, bits: width, values, decoding } = (bits < 8 && same && narrowest(unsigned, zeros[0]!)) || whole;
  if (groups === 1 && same) return perChannelConstant(scheme, shape, width, values, decoding, scale);
  return {
    kind: "quantized",
    scheme: groups === 1 ? scheme : `${scheme}:g${block}`,
    ...{ shape, bits: width, decoding, scale, scaleShape: [rows, groups] },
    codes: packCodes(values, rows, elementCount(rest), width),
    ...(groups > 1 && { groupSize: block! }),
  };
}

/** Codes one byte each, and how they are meant. */
interface Narrow {
  readonly scheme: string;
  readonly bits: number;
  readonly decoding: Decoding;
  readonly values: Uint8Array;
}

/** Codes of 4 bits that are -1, 0 and 1, or signs: the file has no type for less. */
function narrowest(codes: Uint8Array, zero: number): Narrow | undefined {
  if (codes.some((code) => Math.abs(code - zero) > 1)) return undefined;
  if (!codes.includes(zero))
    return { scheme: "binary", bits: 1, decoding: { kind: "sign" }, values: codes.map((code) => Number(code < zero)) };
  const values = codes.map((code) => code - zero + 1);
  return { scheme: "ternary", bits: 2, decoding: { kind: "affine", zeroPoint: 1 }, values };
}
