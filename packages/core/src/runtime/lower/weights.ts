/** A weight seen as rows of a matrix product: whole, or the rows of one group of a convolution. */
import { matrixSize } from "../../graph/constants.ts";
import type { QuantizedConstant } from "../../graph/types.ts";

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
    decoding:
      decoding.kind === "affine" && typeof decoding.zeroPoint !== "number"
        ? { kind: "affine", zeroPoint: rowsOf(decoding.zeroPoint, scaleShape, first, count) }
        : decoding,
    scale: scale && rowsOf(scale, scaleShape, first, count),
    scaleShape: scaleShape[0] === 1 ? scaleShape : [count, groups],
    groupSize,
  };
}

function rowsOf<T extends Float32Array | Int32Array>(
  data: T,
  [rows, groups]: readonly [number, number],
  first: number,
  count: number,
): T {
  return (rows === 1 ? data : data.subarray(first * groups, (first + count) * groups)) as T;
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
