/** What `quantize` returns: codes, levels, what they cost in bits and in error. */
import { codesPerRow } from "../graph/constants.ts";
import type { Decoding, PlainConstant, QuantizedConstant } from "../graph/types.ts";
import type { ErrorFigures } from "./figures.ts";
import type { CodedRows, InnerLoops } from "./inner.ts";
import type { DecodingKind } from "./types.ts";
import { matrixOf } from "./weights.ts";

interface ConstantByDecoding {
  sign: QuantizedConstant;
  affine: QuantizedConstant;
  offset: QuantizedConstant;
  bases: QuantizedConstant;
  table: QuantizedConstant;
  product: QuantizedConstant;
  additive: QuantizedConstant;
  hashed: QuantizedConstant;
  identity: PlainConstant;
}

/** The Graph's constant that a decoding yields. */
export type ConstantOf<D extends DecodingKind> = ConstantByDecoding[D];

interface DecodingByKind {
  sign: Extract<Decoding, { kind: "sign" }>;
  affine: Extract<Decoding, { kind: "affine" }>;
  offset: Extract<Decoding, { kind: "offset" }>;
  bases: Extract<Decoding, { kind: "bases" }>;
  table: Extract<Decoding, { kind: "table" }>;
  product: Extract<Decoding, { kind: "product" }>;
  additive: Extract<Decoding, { kind: "additive" }>;
  hashed: Extract<Decoding, { kind: "hashed" }>;
  identity: { readonly kind: "identity" };
}

/** The Graph's decoding of a kind; `identity` has none. */
export type DecodingOf<D extends DecodingKind> = DecodingByKind[D];

export interface Quantized<D extends DecodingKind = DecodingKind> {
  readonly scheme: string;
  readonly shape: readonly number[];
  /** Bits per code. */
  readonly bits: number;
  /**
   * Packed codes, least significant bit first, row after row (axis 0); each row starts on a byte, spare bits are 0. For
   * `identity`, the floats' little-endian bytes.
   */
  readonly codes: Uint8Array;
  readonly decoding: DecodingOf<D>;
  /**
   * Levels in code order, before the scale (and the offset): [levels], [levels, dimension] for product, [count, levels, dimension] for additive, the shared
   * values for hashed. Absent for `identity` and `bases`, and where every group has its own zero point.
   */
  readonly codebook: Float32Array | undefined;
  /** Row-major {@link scaleShape}; absent means 1. */
  readonly scales: Float32Array | undefined;
  /** [N or 1, groups of a row]. */
  readonly scaleShape: readonly [number, number] | undefined;
  /** Weights of a row that share a scale. */
  readonly groupSize: number | undefined;
  /** 8 * (bytes of codes, padding included, + scales + all that the decoding has: codebook, zero points, offsets, coefficients) / weights. */
  readonly bitsPerWeight: number;
  /** Bytes of the same. */
  readonly bytes: number;
  /** Measured over all weights against what was given. */
  readonly error: ErrorFigures;
  /** One byte per code, row-major [N, codes of a row]; a new array. For `identity`, the bytes as they are. */
  unpackCodes(): Uint8Array;
  /** The floats that the codes stand for, row-major; a new array. */
  dequantize(): Float32Array;
  /** For the Graph and the packed file; shares the arrays. */
  toConstant(): ConstantOf<D>;
}

/** Builds the result around coded rows. */
export function quantizedCodes(
  loops: InnerLoops,
  scheme: string,
  shape: readonly number[],
  coded: CodedRows,
  error: ErrorFigures,
): Quantized<Decoding["kind"]> {
  const { rows, columns, bits, codes, decoding, scale, scaleShape, groupSize } = coded;
  const bytes = codes.byteLength + (scale?.byteLength ?? 0) + levelBytes(decoding);
  return {
    scheme,
    shape,
    bits,
    codes,
    decoding,
    codebook: codebookOf(decoding, bits),
    scales: scale,
    scaleShape,
    groupSize,
    bytes,
    bitsPerWeight: (8 * bytes) / (rows * columns),
    error,
    unpackCodes: () => (bits === 0 ? codes.slice() : loops.unpack(codes, rows, codesPerRow(decoding, columns), bits)),
    dequantize: () => loops.decode(coded, 0, rows),
    toConstant: () => ({
      kind: "quantized",
      scheme,
      shape,
      bits,
      codes,
      decoding,
      ...(scale && scaleShape && groupSize !== undefined ? { scale, scaleShape, groupSize } : {}),
    }),
  };
}

/** The result of `float` and of pruning alone: 32 bits each, whose zeros a packed file may leave out. */
export function quantizedFloats(
  scheme: string,
  shape: readonly number[],
  data: Float32Array,
  error: ErrorFigures,
): Quantized<"identity"> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return {
    scheme,
    shape,
    bits: 32,
    codes: bytes,
    decoding: { kind: "identity" },
    codebook: undefined,
    scales: undefined,
    scaleShape: undefined,
    groupSize: undefined,
    bytes: data.byteLength,
    bitsPerWeight: 32,
    error,
    unpackCodes: () => bytes.slice(),
    dequantize: () => data.slice(),
    toConstant: () => ({ kind: "plain", dtype: "f32", shape, data }),
  };
}

/** A constant of the Graph as coded rows; a constant that says nothing of groups has one scale per row or per tensor. */
export function codedRowsOf(constant: QuantizedConstant): CodedRows {
  const { rows, columns } = matrixOf(constant.shape);
  const { bits, codes, decoding, scale, scaleShape, groupSize } = constant;
  return { rows, columns, bits, codes, decoding, scale, scaleShape, groupSize };
}

/** Bytes that the packed file spends on levels; a sign needs none. */
function levelBytes(decoding: Decoding): number {
  switch (decoding.kind) {
    case "sign":
      return 0;
    case "affine":
      return typeof decoding.zeroPoint === "number" ? 4 : decoding.zeroPoint.byteLength;
    case "offset":
      return decoding.offset.byteLength;
    case "bases":
      return decoding.coefficients.byteLength;
    case "table":
    case "product":
    case "additive":
      return decoding.codebook.byteLength;
    case "hashed":
      return decoding.values.byteLength + 4;
  }
}

function codebookOf(decoding: Decoding, bits: number): Float32Array | undefined {
  switch (decoding.kind) {
    case "sign":
      return Float32Array.of(1, -1);
    case "affine": {
      const { zeroPoint } = decoding;
      return typeof zeroPoint === "number"
        ? Float32Array.from({ length: 2 ** bits }, (_, code) => code - zeroPoint)
        : undefined;
    }
    case "offset":
      return Float32Array.from({ length: 2 ** bits }, (_, code) => code);
    case "bases":
      return undefined;
    case "table":
    case "product":
    case "additive":
      return decoding.codebook;
    case "hashed":
      return decoding.values;
  }
}
