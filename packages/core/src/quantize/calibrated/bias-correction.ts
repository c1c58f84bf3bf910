/** Bias correction: the mean error that quantized weights leave in a layer's output goes into its bias. */
import { ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { innerLoops } from "../engine.ts";
import type { Method } from "../method.ts";
import { DFQ } from "../papers.ts";
import { quantize } from "../quantize.ts";
import { uniform } from "../rounding/uniform.ts";
import type { FloatTensor } from "../types.ts";
import { matrixOf } from "../weights.ts";

export interface BiasCorrection {
  /** The float layer's weights, [N, ...]. */
  readonly weights: FloatTensor;
  /** What stands for them, as many floats. */
  readonly quantized: Float32Array;
  /** E[x_k] over calibration inputs, K numbers. */
  readonly inputMean: ArrayLike<number>;
  /** [N]; absent: zeros. */
  readonly bias?: Float32Array | undefined;
  readonly kernels?: KernelInstance;
}

/**
 * b ← b - E[ε x] = b - (Ŵ - W) E[x] (DFQ, section 4.2, with a measured E[x]). The output's mean error on the calibration inputs becomes 0, and its squared error falls by the
 * square of what that was. Sums in f64, rounded once.
 * @throws ShapeError
 */
export async function correctBias({
  weights,
  quantized,
  inputMean,
  bias,
  kernels,
}: BiasCorrection): Promise<Float32Array> {
  const { rows, columns } = matrixOf(weights.shape);
  const check = (what: string, expected: number, got: number): void => {
    if (expected !== got) throw new ShapeError("correctBias", what, expected, got);
  };
  check("quantized weights", weights.data.length, quantized.length);
  check("means of inputs", columns, inputMean.length);
  if (bias !== undefined) check("biases", rows, bias.length);
  const { solver } = await innerLoops(kernels);
  const mean = Float64Array.from(inputMean);
  const [float, coded] = [solver.rowDots(weights.data, mean), solver.rowDots(quantized, mean)];
  return Float32Array.from(float, (y, n) => (bias?.[n] ?? 0) - (coded[n]! - y));
}

export const biasCorrectionMethod: Method = {
  method: "Bias correction (DFQ)",
  section: "since 2018",
  file: "calibrated/bias-correction.ts",
  paper: DFQ,
  published: "mean error of the output 0; MobileNetV2, 8 bits, with equalization: 71.2 % top-1, float 71.7",
  laws: ["mean error becomes 0", "squared error of the output never rises"],
  kernel: "that of the scheme behind it",
  async measure({ weights, calibration }) {
    const { solver } = await innerLoops();
    const { columns } = matrixOf(weights.shape);
    const { sum, rows } = solver.columnFigures(calibration.inputs, columns);
    const inputMean = sum.map((s) => s / rows);
    const quantized = (await quantize(weights, uniform({ bits: 2 }))).dequantize();
    const shift = await correctBias({ weights, quantized, inputMean });
    const largest = shift.reduce((most, b) => Math.max(most, Math.abs(b)), 0);
    return `largest mean error of int2, taken out: ${largest.toPrecision(3)}`;
  },
};
