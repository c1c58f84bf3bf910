/** `quantize`: a tensor and a quantizer in, codes and honest figures out. */
import { InputError, NotFiniteError, OutOfRangeError, ShapeError } from "../errors.ts";
import { codesPerRow } from "../graph/constants.ts";
import type { Decoding, QuantizedConstant } from "../graph/types.ts";
import type { KernelInstance } from "../kernels/instance.ts";
import { innerLoops } from "./engine.ts";
import { QuantizerError } from "./errors.ts";
import { addSums, type ErrorFigures, errorFigures, NO_ERROR } from "./figures.ts";
import { type CodedRows, type ErrorSums, groupsPerRow, type InnerLoops } from "./inner.ts";
import { codedRowsOf, type Quantized, quantizedCodes, quantizedFloats } from "./quantized.ts";
import { Random } from "./random.ts";
import type {
  Calibration,
  Context,
  DecodingKind,
  Encoded,
  FloatTensor,
  Need,
  QuantizeOptions,
  Quantizer,
} from "./types.ts";
import { BLOCK, matrixOf, Weights } from "./weights.ts";

/** Options are an argument one must give only where the quantizer needs more than the weights. */
export type OptionsArgument<Seeded extends boolean, N extends Need> = [N] extends ["inputs" | "curvature"]
  ? [options: QuantizeOptions<Seeded, N>]
  : [options?: QuantizeOptions<Seeded, N>];

/**
 * Quantizes a tensor.
 *
 * @param tensor finite f32, row-major, at least one axis and one element; axis 0 is the output channel.
 * @param quantizer from a factory, `parseScheme` or `defineQuantizer`.
 * @param options `name` for messages, `kernels` to run on; `seed` for seeded quantizers (default 0), `calibration` or `curvature` for those that need it; others take neither.
 * @returns codes, levels and error figures; the same bytes for the same input in every engine and tier.
 * @throws NotFiniteError (a NaN or infinity, with its position), ShapeError (empty, data of another length, a row that does not divide),
 *   InputError (calibration or curvature missing), OutOfRangeError (levels beyond f32), QuantizerError (a faulty quantizer).
 */
export async function quantize<D extends DecodingKind, Seeded extends boolean, N extends Need>(
  tensor: FloatTensor,
  quantizer: Quantizer<D, Seeded, N>,
  ...[options]: OptionsArgument<Seeded, N>
): Promise<Quantized<D>> {
  const given: QuantizeOptions = options ?? {};
  const loops = await innerLoops(given.kernels);
  const op =
    given.name === undefined ? `quantize ${quantizer.scheme}` : `quantize ${quantizer.scheme} of ${given.name}`;
  const { rows, columns } = checkTensor(op, tensor, loops);
  const context = contextFor(op, quantizer, given, rows, columns, loops);

  using weights = new Weights(loops, tensor.data, rows, columns, quantizer.per);
  const encoded = quantizer.encode(weights, context);
  if (encoded === undefined || "values" in encoded) {
    const values = encoded?.values ?? tensor.data;
    if (values.length !== tensor.data.length)
      throw new QuantizerError(quantizer.scheme, "number of floats", tensor.data.length, values.length);
    const error = measure(tensor.data, rows, columns, (given, from, to) =>
      loops.errorSums(given, values.subarray(from * columns, to * columns)),
    );
    const floats: Quantized = quantizedFloats(quantizer.scheme, tensor.shape, values, error);
    return floats as Quantized<D>;
  }
  const coded = packEncoded(loops, quantizer, encoded as Encoded<Decoding["kind"]>, weights);
  const error = measure(tensor.data, rows, columns, (given, from, to) =>
    loops.decodedErrorSums(given, coded, from, to),
  );
  if (!Number.isFinite(error.maxAbs)) throw new OutOfRangeError(op, "levels", "finite f32", "an infinity or a NaN");
  const quantized: Quantized = quantizedCodes(loops, quantizer.scheme, tensor.shape, coded, error);
  return quantized as Quantized<D>;
}

/** The floats that a constant of the Graph stands for, row-major: fround(level * scale). */
export async function dequantize(constant: QuantizedConstant, kernels?: KernelInstance): Promise<Float32Array> {
  const loops = await innerLoops(kernels);
  const coded = codedRowsOf(constant);
  return loops.decode(coded, 0, coded.rows);
}

/** Figures between two float arrays of one length: `reference` and what stands for it. */
export async function compareFloats(
  reference: Float32Array,
  approximation: Float32Array,
  kernels?: KernelInstance,
): Promise<ErrorFigures> {
  if (reference.length !== approximation.length || reference.length === 0) {
    throw new ShapeError(
      "compareFloats",
      "length of the approximation",
      Math.max(1, reference.length),
      approximation.length,
    );
  }
  const loops = await innerLoops(kernels);
  return errorFigures(loops.errorSums(reference, approximation), reference.length);
}

function checkTensor(op: string, { shape, data }: FloatTensor, loops: InnerLoops): { rows: number; columns: number } {
  if (shape.length === 0) throw new ShapeError(op, "axes", "at least 1", 0);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    throw new ShapeError(op, "shape", "sizes >= 1", [...shape]);
  }
  const { rows, columns } = matrixOf(shape);
  if (data.length !== rows * columns)
    throw new ShapeError(op, `elements of shape [${shape}]`, rows * columns, data.length);
  const position = loops.firstNonFinite(data);
  if (position >= 0) throw new NotFiniteError(op, "weights", position);
  return { rows, columns };
}

function contextFor<D extends DecodingKind, Seeded extends boolean, N extends Need>(
  op: string,
  quantizer: Quantizer<D, Seeded, N>,
  options: QuantizeOptions,
  rows: number,
  columns: number,
  loops: InnerLoops,
): Context<Seeded, N> {
  const { needs, seeded } = quantizer as Quantizer;
  const calibration = needs === "inputs" ? checkCalibration(op, options.calibration, columns, loops) : undefined;
  const curvature = needs === "curvature" ? checkCurvature(op, options.curvature, rows * columns, loops) : undefined;
  const random = seeded ? new Random(options.seed ?? 0) : undefined;
  return { random, calibration, curvature } as Context<Seeded, N>;
}

function checkCalibration(
  op: string,
  calibration: Calibration | undefined,
  columns: number,
  loops: InnerLoops,
): Calibration {
  if (calibration === undefined)
    throw new InputError(op, "calibration", `inputs of the layer, [samples, ${columns}]`, "none");
  const { samples, inputs } = calibration;
  if (!Number.isInteger(samples) || samples < 1 || inputs.length !== samples * columns) {
    throw new ShapeError(
      op,
      "calibration inputs",
      `samples >= 1 of ${columns}`,
      `${samples} samples in ${inputs.length} numbers`,
    );
  }
  const position = loops.firstNonFinite(inputs);
  if (position >= 0) throw new NotFiniteError(op, "calibration inputs", position);
  return calibration;
}

function checkCurvature(
  op: string,
  curvature: Float32Array | undefined,
  weights: number,
  loops: InnerLoops,
): Float32Array {
  if (curvature === undefined)
    throw new InputError(op, "curvature", `a diagonal Hessian of ${weights} numbers`, "none");
  if (curvature.length !== weights) throw new ShapeError(op, "numbers of curvature", weights, curvature.length);
  const position = loops.firstNonFinite(curvature);
  if (position >= 0) throw new NotFiniteError(op, "curvature", position);
  using held = loops.load(curvature);
  const whole = { rows: 1, columns: weights, groupSize: weights };
  const least = held.minMax(whole).min[0]!;
  if (least < 0) throw new OutOfRangeError(op, "curvature", "0 or more", least);
  return curvature;
}

/** Checks what a formula returned against its traits and packs it. */
function packEncoded(
  loops: InnerLoops,
  quantizer: Quantizer,
  { codes, decoding, scale }: Encoded<Decoding["kind"]>,
  weights: Weights,
): CodedRows {
  const { scheme, bits } = quantizer;
  const { rows, columns, grouping, groups } = weights;
  if (decoding.kind !== quantizer.decoding)
    throw new QuantizerError(scheme, "decoding", quantizer.decoding, decoding.kind);
  const perRow = codesPerRow(decoding, columns);
  if (codes.length !== rows * perRow) throw new QuantizerError(scheme, "number of codes", rows * perRow, codes.length);
  if (scale !== undefined && scale.length !== groups)
    throw new QuantizerError(scheme, "number of scales", groups, scale.length);
  const levels = Math.min(2 ** bits, levelCount(scheme, decoding, groups, bits));
  const beyond = loops.firstCodeBeyond(codes, levels);
  if (beyond >= 0) throw new QuantizerError(scheme, `code ${beyond}`, `below ${levels}`, codes[beyond]);
  const packed = perRow === 0 ? codes : loops.pack(codes, rows, perRow, bits);
  // These mean nothing without a scale (bases have their coefficients shaped by it): absent stands for 1.
  const written = scale ?? (SCALED.has(decoding.kind) ? new Float32Array(groups).fill(1) : undefined);
  if (written === undefined) return { rows, columns, bits, codes: packed, decoding };
  // Where the tensor shares one scale, each of its rows does as a whole.
  const groupSize = quantizer.per === "tensor" ? columns : grouping.groupSize;
  const scaleShape = [grouping.rows, groupsPerRow(grouping)] as const;
  return { rows, columns, bits, codes: packed, decoding, scale: written, scaleShape, groupSize };
}

const SCALED: ReadonlySet<Decoding["kind"]> = new Set(["sign", "affine", "offset", "bases"]);

/** Levels that codes may name; checks the parts of a decoding against each other. */
function levelCount(scheme: string, decoding: Decoding, groups: number, bits: number): number {
  switch (decoding.kind) {
    case "sign":
      return 2;
    case "affine": {
      const { zeroPoint } = decoding;
      if (typeof zeroPoint !== "number" && zeroPoint.length !== groups) {
        throw new QuantizerError(scheme, "number of zero points", groups, zeroPoint.length);
      }
      return 256;
    }
    case "offset":
      if (decoding.offset.length !== groups)
        throw new QuantizerError(scheme, "number of offsets", groups, decoding.offset.length);
      return 256;
    case "bases":
      if (decoding.coefficients.length !== groups * bits)
        throw new QuantizerError(scheme, "number of coefficients", groups * bits, decoding.coefficients.length);
      return 256;
    case "table":
      return decoding.codebook.length;
    case "product":
      return decoding.codebook.length / decoding.dimension;
    case "additive":
      return decoding.codebook.length / (decoding.dimension * decoding.count);
    case "hashed":
      return 0;
  }
}

/** Figures over all rows, so many at a time that what they stand for takes little memory. */
function measure(
  data: Float32Array,
  rows: number,
  columns: number,
  sumsOf: (given: Float32Array, from: number, to: number) => ErrorSums,
): ErrorFigures {
  const step = Math.max(1, Math.floor(BLOCK / columns));
  let sums = NO_ERROR;
  for (let from = 0; from < rows; from += step) {
    const to = Math.min(rows, from + step);
    sums = addSums(sums, sumsOf(data.subarray(from * columns, to * columns), from, to));
  }
  return errorFigures(sums, rows * columns);
}
