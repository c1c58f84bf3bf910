/** ZipML's double sampling: two independent low-precision copies of the data, for gradients without bias. */
import { NotFiniteError, OutOfRangeError, ShapeError } from "../../errors.ts";
import type { QuantizedConstant } from "../../graph/types.ts";
import { kernelGradientLoops } from "../../kernels/gradients.ts";
import { checkInteger } from "../define.ts";
import { kernelsOf } from "../engine.ts";
import type { Method } from "../method.ts";
import { ZIPML } from "../papers.ts";
import { floatAbove } from "../powers.ts";
import { dequantize } from "../quantize.ts";
import { Random } from "../random.ts";
import type { Calibration } from "../types.ts";
import type { GradientOptions } from "./codec.ts";

export interface DoubleSamplingOptions extends GradientOptions {
  /** s, 1..127: steps from 0 to the largest magnitude of a sample. */
  readonly levels: number;
}

/** Two constants of [samples, K], drawn independently of each other. */
export interface DoubleSample {
  readonly first: QuantizedConstant;
  readonly second: QuantizedConstant;
}

const OP = "doubleSampling";

/**
 * Double sampling (Zhang et al., section 3): for each sample a, with M = max|a|, two independent stochastic roundings Q₁, Q₂ of a to multiples of M / s, so
 * that
 *
 *   E Q₁(a) = E Q₂(a) = a   and   E Q₁(a) Q₂(a)ᵀ = a aᵀ,   where E Q₁(a) Q₁(a)ᵀ = a aᵀ + diag Var Q₁(a)
 *
 * Codes are floor(a s / M + s + u), 0..2s, around the zero point s, one scale a sample (M / s rounded up to f32). A sample of zeros stays; a step below f32 is
 * refused by none: it is rounded up to 2^-149.
 * @throws ShapeError, NotFiniteError (with the position), OutOfRangeError for other levels
 */
export async function doubleSampling(
  { samples, inputs }: Calibration,
  { levels, seed = 0, kernels }: DoubleSamplingOptions,
): Promise<DoubleSample> {
  checkInteger("double sampling", "levels", levels, 1, 127);
  const columns = inputs.length / samples;
  if (!(Number.isInteger(samples) && samples >= 1 && Number.isInteger(columns) && columns >= 1))
    throw new ShapeError(
      OP,
      "inputs",
      "samples >= 1 of as many numbers each",
      `${samples} samples in ${inputs.length} numbers`,
    );
  const loops = kernelGradientLoops(await kernelsOf(kernels));
  const position = loops.firstNonFinite(inputs);
  if (position >= 0) throw new NotFiniteError(OP, "inputs", position);
  const grouping = { rows: samples, columns, groupSize: columns };
  using x = loops.load(inputs);
  const scale = x.absMax(grouping).map((max) => floatAbove(max / levels));
  const random = new Random(seed);
  const bits = 33 - Math.clz32(levels);
  const draw = (): QuantizedConstant => ({
    kind: "quantized",
    scheme: `double-sampling:${levels}`,
    shape: [samples, columns],
    bits,
    codes: loops.pack(
      loops.randomCodes(inputs, grouping, scale, levels, 2 * levels, random.bits32()),
      samples,
      columns,
      bits,
    ),
    decoding: { kind: "affine", zeroPoint: levels },
    scale,
    scaleShape: [samples, 1],
    groupSize: columns,
  });
  return { first: draw(), second: draw() };
}

/**
 * The gradient of ½ E (aᵀx - b)² over the samples, estimated without bias: 1/n Σ Q₁(a_i) (Q₂(a_i)ᵀ x - b_i). Sums in f64.
 * @param x [K] @param b [samples]
 * @throws ShapeError, OutOfRangeError where it leaves f32
 */
export async function doubleSampledGradient(
  { first, second }: DoubleSample,
  x: Float32Array,
  b: Float32Array,
  { kernels }: Pick<GradientOptions, "kernels"> = {},
): Promise<Float32Array> {
  const op = "doubleSampledGradient";
  const [samples = 0, columns = 0] = first.shape;
  if (x.length !== columns) throw new ShapeError(op, "numbers of x", columns, x.length);
  if (b.length !== samples) throw new ShapeError(op, "numbers of b", samples, b.length);
  const instance = await kernelsOf(kernels);
  const loops = kernelGradientLoops(instance);
  const gradient = loops.leastSquaresGradient(
    await dequantize(first, instance),
    await dequantize(second, instance),
    x,
    b,
  );
  if (loops.firstNonFinite(gradient) >= 0)
    throw new OutOfRangeError(op, "gradient", "finite f32", "an infinity or a NaN");
  return gradient;
}

export const doubleSamplingMethod: Method = {
  method: "ZipML's double sampling",
  section: "gradients",
  file: "gradients/double-sampling.ts",
  paper: ZIPML,
  published: "0 bias of a aᵀ's diagonal on average; of one sample used twice the variance, up to (M/2s)² a number",
  laws: ["unbiased", "E Q₁(a) Q₂(a)ᵀ = a aᵀ", "unbiased gradient of least squares"],
  kernel: "gradient_random_codes, quantize_decode, gradient_least_squares",
  async measure({ calibration }) {
    const { first, second } = await doubleSampling(calibration, { levels: 7 });
    const [q1, q2] = [await dequantize(first), await dequantize(second)];
    const bias = (a: Float32Array, b: Float32Array): number =>
      calibration.inputs.reduce((sum, x, i) => sum + a[i]! * b[i]! - x * x, 0);
    const power = calibration.inputs.reduce((sum, x) => sum + x * x, 0);
    return `bias of Σ a² ${((100 * bias(q1, q2)) / power).toFixed(2)} %, with one sample twice ${((100 * bias(q1, q1)) / power).toFixed(2)} %`;
  },
};
