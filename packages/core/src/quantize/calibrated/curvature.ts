/** A diagonal Hessian from a layer's inputs. */
import { ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { innerLoops } from "../engine.ts";
import type { Calibration } from "../types.ts";
import { checkInputs } from "./output-error.ts";

/**
 * ∂²/∂w² of the squared error of a layer's output, mean over the samples: 2/n Σ x_k², the same in each of its rows, f32 [rows, K]. What quantizers that need `curvature` take
 * where no gradient of the loss is at hand.
 * @throws ShapeError where the inputs are not samples of `columns` numbers
 */
export async function inputCurvature(
  calibration: Calibration,
  rows: number,
  columns: number,
  kernels?: KernelInstance,
): Promise<Float32Array> {
  checkInputs("inputCurvature", calibration, columns);
  const { solver } = await innerLoops(kernels);
  const { sumSquares } = solver.columnFigures(calibration.inputs, columns);
  const row = Float32Array.from(sumSquares, (sum) => (2 * sum) / calibration.samples);
  const curvature = new Float32Array(rows * columns);
  for (let n = 0; n < rows; n++) curvature.set(row, n * columns);
  return curvature;
}

/** E[x_k] over the samples. @throws ShapeError as above */
export async function inputMean(
  calibration: Calibration,
  columns: number,
  kernels?: KernelInstance,
): Promise<Float64Array> {
  checkInputs("inputMean", calibration, columns);
  const { solver } = await innerLoops(kernels);
  return solver.columnFigures(calibration.inputs, columns).sum.map((sum) => sum / calibration.samples);
}

/**
 * max|x| of every input channel over the samples; number k of a row belongs to channel k mod `channels`.
 * @throws ShapeError where `channels` does not divide the inputs
 */
export async function inputMax(
  { inputs }: Calibration,
  channels: number,
  kernels?: KernelInstance,
): Promise<Float64Array> {
  if (!(Number.isInteger(channels) && channels >= 1 && inputs.length % channels === 0))
    throw new ShapeError("inputMax", "input channels", `a divisor of ${inputs.length}`, channels);
  const { solver } = await innerLoops(kernels);
  return solver.columnFigures(inputs, channels).maxAbs;
}
