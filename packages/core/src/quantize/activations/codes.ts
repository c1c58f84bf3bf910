/** What all quantizers of activations share: checks, the pass that makes codes, and what the codes stand for. */
import { NotFiniteError, OutOfRangeError, ShapeError } from "../../errors.ts";
import type { ActivationQuantization, Decoding } from "../../graph/types.ts";
import { checkInteger } from "../define.ts";
import { innerLoops } from "../engine.ts";
import { errorFigures } from "../figures.ts";
import type { CodedRows, Grouping, InnerLoops, Resident } from "../inner.ts";
import { scaleFor } from "../rounding/ranges.ts";
import type { FloatTensor, Paper } from "../types.ts";
import type { ActivationBits, ActivationOptions, ActivationQuantizer, QuantizedActivations } from "./types.ts";

/** What one tensor's codes are made of. */
interface Coded {
  readonly codes: Uint8Array;
  /** Absent: 1. */
  readonly scale?: Float32Array;
  /** Absent: 0. */
  readonly zeroPoint?: Int32Array;
  readonly levels?: Float32Array | undefined;
}

/** How a quantizer makes codes of a tensor that its kernels hold; `grouping` has a row for each token. */
type Encode = (x: Resident, grouping: Grouping, options: ActivationOptions) => Coded;

/** A quantizer of activations from its traits and formula. */
export function activationQuantizer(
  traits: { readonly scheme: string; readonly bits: ActivationBits; readonly paper: Paper },
  quantization: ActivationQuantization | undefined,
  encode: Encode,
): ActivationQuantizer {
  const { scheme, bits } = traits;
  return {
    ...traits,
    quantization,
    async quantize(x, options = {}): Promise<QuantizedActivations> {
      const loops = await innerLoops(options.kernels);
      const grouping = checkActivations(`quantize ${scheme}`, x, loops, options);
      using held = loops.load(x.data);
      const { codes, scale = Float32Array.of(1), zeroPoint, levels } = encode(held, grouping, options);
      const coded = codedRows(codes, grouping, scale, zeroPoint, levels);
      const dequantize = (): Float32Array => loops.decode(coded, 0, coded.rows);
      const error = errorFigures(loops.errorSums(x.data, dequantize()), x.data.length);
      // The ends of a grid that must hold 0 may lie beyond f32.
      if (!Number.isFinite(error.maxAbs))
        throw new OutOfRangeError(`quantize ${scheme}`, "levels", "finite f32", "an infinity or a NaN");
      const zeros = zeroPoint ?? new Int32Array(scale.length);
      return { scheme, shape: x.shape, bits, codes, scale, zeroPoint: zeros, levels, error, dequantize };
    },
  };
}

/** Checks a tensor and returns its tokens: rows of the last axis. */
export function checkActivations(
  op: string,
  { shape, data }: FloatTensor,
  loops: InnerLoops,
  { name }: ActivationOptions,
): Grouping {
  const where = name === undefined ? op : `${op} of ${name}`;
  if (shape.length === 0) throw new ShapeError(where, "axes", "at least 1", 0);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 1))
    throw new ShapeError(where, "shape", "sizes >= 1", [...shape]);
  const columns = shape.at(-1)!;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  if (data.length !== rows * columns)
    throw new ShapeError(where, `elements of shape [${shape}]`, rows * columns, data.length);
  const position = loops.firstNonFinite(data);
  if (position >= 0) throw new NotFiniteError(where, "activations", position);
  return { rows, columns, groupSize: columns };
}

/** All tokens in one group. */
export const wholeOf = ({ rows, columns }: Grouping): Grouping => ({
  rows: 1,
  columns: rows * columns,
  groupSize: rows * columns,
});

/** Codes of a byte each as the loops decode them: by table, or (code - zero point) * scale. */
function codedRows(
  codes: Uint8Array,
  { rows, columns }: Grouping,
  scale: Float32Array,
  zeroPoint: Int32Array | undefined,
  levels: Float32Array | undefined,
): CodedRows {
  const decoding: Decoding =
    levels === undefined ? { kind: "affine", zeroPoint: zeroPoint ?? 0 } : { kind: "table", codebook: levels };
  return { rows, columns, bits: 8, codes, decoding, scale, scaleShape: [scale.length, 1], groupSize: columns };
}

/** A grid of unsigned codes. */
export interface ActivationGrid extends ActivationQuantization {
  readonly minCode: number;
  readonly maxCode: number;
}

/**
 * The grid of `bits` over [min, max]. Affine: 2^b - 1 steps over the range widened to hold 0, which is a level. Symmetric: the middle code is 0 and as many steps
 * lie on either side, the lowest code stays unused.
 */
export function gridOver(min: number, max: number, bits: number, symmetric: boolean): ActivationGrid {
  const maxCode = 2 ** bits - 1;
  if (symmetric) {
    const zeroPoint = 2 ** (bits - 1);
    const scale = scaleFor(Math.max(-min, max), zeroPoint - 1);
    return { scale, zeroPoint, minCode: 1, maxCode };
  }
  const low = Math.min(min, 0);
  const scale = scaleFor(Math.max(max, 0) - low, maxCode);
  return { scale, zeroPoint: Math.min(maxCode, Math.round(0 - low / scale)), minCode: 0, maxCode };
}

/** One grid for every tensor. */
export function fixedGrid(
  traits: { readonly scheme: string; readonly bits: ActivationBits; readonly paper: Paper },
  { scale, zeroPoint, minCode, maxCode }: ActivationGrid,
): ActivationQuantizer {
  const scales = Float32Array.of(scale);
  return activationQuantizer(traits, { scale, zeroPoint }, (x, tokens) => ({
    codes: x.gridCodes(wholeOf(tokens), { scale: scales, zeroPoint, minCode, maxCode }),
    scale: scales,
    zeroPoint: Int32Array.of(zeroPoint),
  }));
}

/** @throws OutOfRangeError */
export function checkActivationBits(scheme: string, bits: number, least: number, most = 8): void {
  checkInteger(scheme, "bits of activations", bits, least, most);
}

/** @throws OutOfRangeError where a parameter is not a finite number above 0 that f32 holds. */
export function checkPositive(scheme: string, what: string, value: number): void {
  if (!(Math.fround(value) > 0 && Math.fround(value) < Number.POSITIVE_INFINITY))
    throw new OutOfRangeError(`quantizer ${scheme}`, what, "a finite f32 above 0", value);
}
