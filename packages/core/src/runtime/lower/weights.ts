/** A weight seen as rows of a matrix product: whole, or the rows of one group of a convolution. */
import { decodingOfCells, matrixSize } from "../../graph/constants.ts";
import type { QuantizedConstant } from "../../graph/types.ts";
import type { AffineCodes } from "../../kernels/affine-gemm.ts";

/** Rows `first` to `first + count` of a coded weight. All arrays are views. */
export interface CodedRows {
  readonly n: number;
  readonly k: number;
  readonly bits: number;
  readonly codes: Uint8Array;
  readonly decoding: QuantizedConstant["decoding"];
  readonly scale: Float32Array | undefined;
  readonly scaleShape: readonly [rows: number, groups: number];
  readonly groupSize: number;
  /** Position of the first weight in the tensor. */
  readonly firstWeight: number;
}

export function codedRows(weight: QuantizedConstant, first: number, count: number): CodedRows {
  const { n, k, rowBytes } = matrixSize(weight);
  // A group may reach beyond a short row.
  const groupSize = Math.min(weight.groupSize ?? k, k);
  const groups = Math.ceil(k / groupSize);
  const scaleShape = weight.scaleShape ?? [weight.scale ? n : 1, groups];
  const { decoding, scale } = weight;
  return {
    n: count,
    k,
    bits: weight.bits,
    codes: weight.codes.subarray(first * rowBytes, (first + count) * rowBytes),
    decoding: decodingOfCells(
      decoding,
      (values, width) => rowsOf(values, scaleShape, first, count, width),
      weight.bits,
    ),
    scale: scale && rowsOf(scale, scaleShape, first, count),
    scaleShape: scaleShape[0] === 1 ? scaleShape : [count, groups],
    groupSize,
    firstWeight: first * k,
  };
}

function rowsOf<T extends Float32Array | Int32Array>(
  data: T,
  [rows, groups]: readonly [number, number],
  first: number,
  count: number,
  width = 1,
): T {
  const size = groups * width;
  return (rows === 1 ? data : data.subarray(first * size, (first + count) * size)) as T;
}

/** The scale of each row, times `factor`, where a row has one scale; each product rounded to f32. */
export function rowScales({ n, scale, scaleShape }: CodedRows, factor: number): Float32Array {
  return Float32Array.from({ length: n }, (_, row) => {
    const own = scale ? scale[scaleShape[0] === 1 ? 0 : row]! : 1;
    return own * factor;
  });
}

/** Whether a row of weights has scales of its own for parts of it. */
export const isGrouped = ({ scaleShape }: CodedRows): boolean => scaleShape[1] > 1;

/** Weights -1, 0, +1 as codes 0, 1, 2, or -1, +1 as sign bits: what the ternary kernel takes. */
export function isTernary({ bits, codes, decoding, scaleShape }: CodedRows): boolean {
  if (decoding.kind === "sign") return true;
  if (decoding.kind !== "affine" || bits !== 2 || decoding.zeroPoint !== 1 || scaleShape[1] > 1) return false;
  // Code 3 has both of its bits set.
  return codes.every((byte) => (byte & (byte >> 1) & 0x55) === 0);
}

/** The weights -1, 0, +1 of rows that are {@link isTernary} as codes 0, 1, 2 of `width` bits with zero point 1. */
export function ternaryCodes({ n, k, bits, codes, decoding }: CodedRows, width: 2 | 8): AffineCodes {
  if (bits === width) return { n, k, bits, codes, zeroPoint: 1 };
  const [from, to] = [bits, width].map((size) => Math.ceil((k * size) / 8)) as [number, number];
  const mask = (1 << bits) - 1;
  const result = new Uint8Array(n * to);
  for (let row = 0; row < n; row++)
    for (let i = 0; i < k; i++) {
      const code = (codes[row * from + ((i * bits) >> 3)]! >> ((i * bits) & 7)) & mask;
      // A set sign bit is -1.
      const level = decoding.kind === "sign" ? 2 - 2 * code : code;
      result[row * to + ((i * width) >> 3)]! |= level << ((i * width) & 7);
    }
  return { n, k, bits: width, codes: result, zeroPoint: 1 };
}
