/** What a change of a layer's weights does to its output. */
import { ShapeError } from "../../errors.ts";
import type { KernelInstance } from "../../kernels/instance.ts";
import { innerLoops } from "../engine.ts";
import type { Calibration, FloatTensor } from "../types.ts";
import { matrixOf } from "../weights.ts";

/**
 * Σ ‖(W - V) x‖² / Σ ‖W x‖² over the calibration inputs: the layer's output error relative to its power, 0 where nothing is lost.
 * @param values V, as many floats as W has
 * @throws ShapeError where lengths do not fit
 */
export async function outputError(
  { shape, data }: FloatTensor,
  values: Float32Array,
  calibration: Calibration,
  kernels?: KernelInstance,
): Promise<number> {
  const { columns } = matrixOf(shape);
  if (values.length !== data.length) throw new ShapeError("outputError", "values", data.length, values.length);
  checkInputs("outputError", calibration, columns);
  const { solver } = await innerLoops(kernels);
  using gram = solver.gram(calibration, columns);
  const total = (forms: Float64Array): number => forms.reduce((sum, form) => sum + form, 0);
  const noise = total(gram.errors(data, values));
  return noise === 0 ? 0 : noise / total(gram.errors(data, new Float32Array(data.length)));
}

/** @throws ShapeError unless the inputs are samples of K numbers */
export function checkInputs(op: string, { samples, inputs }: Calibration, columns: number): void {
  if (!(samples >= 1) || inputs.length !== samples * columns)
    throw new ShapeError(
      op,
      "calibration inputs",
      `samples >= 1 of ${columns}`,
      `${samples} in ${inputs.length} numbers`,
    );
}
