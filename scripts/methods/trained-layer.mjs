// The trained layer that methods are measured on: `dense1` of the committed float network, which has 95 % of its weights, with its
// inputs on the committed calibration images.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../setup/paths.mjs";

export const LAYER = "dense1";
const file = (name) => join(root, "models", name);

/** @returns {Promise<import("../../packages/core/src/quantize/method.ts").TrainedLayer>} */
export async function trainedLayer({ createModel, importModel, readNpz, runPasses, Tensor }) {
  const graph = runPasses(importModel(readFileSync(file("mnist-cnn-float.onnx")), { name: "mnist-cnn-float" }));
  const { inputs: names } = graph.nodes.find(({ name }) => name === LAYER);
  const { shape, data } = graph.constants.get(names[1]);
  const { data: pixels, shape: sizes } = readNpz(readFileSync(file("mnist-calibration.npz"))).get("x");
  const model = await createModel(graph, { taps: [names[0]] });
  const images = new Tensor("f32", sizes, Float32Array.from(pixels));
  const { [names[0]]: tapped } = await model.run({ [graph.inputs[0]]: images });
  model.dispose();
  const inputs = tapped.data;
  const samples = inputs.length / shape[1];
  return { weights: { shape, data }, calibration: { samples, inputs }, curvature: curvatureOf(inputs, shape) };
}

/** ∂²/∂w² of the mean squared output error: 2/samples Σ x_k², the same for every row. */
function curvatureOf(inputs, [rows, columns]) {
  const sums = new Float64Array(columns);
  for (let i = 0; i < inputs.length; i++) sums[i % columns] += inputs[i] * inputs[i];
  const samples = inputs.length / columns;
  return Float32Array.from({ length: rows * columns }, (_, i) => (2 * sums[i % columns]) / samples);
}

/** Σ(x(w - ŵ))² / Σ(xw)² over all samples and rows: what replacing the weights costs the layer's outputs. */
export function outputError({ weights, calibration }, replaced) {
  const [rows, columns] = weights.shape;
  const { samples, inputs } = calibration;
  let [noise, signal] = [0, 0];
  for (let row = 0; row < rows; row++) {
    const exact = weights.data.subarray(row * columns, (row + 1) * columns);
    const approximate = replaced.subarray(row * columns, (row + 1) * columns);
    for (let sample = 0; sample < samples; sample++) {
      const x = inputs.subarray(sample * columns, (sample + 1) * columns);
      let [y, error] = [0, 0];
      for (let k = 0; k < columns; k++) {
        y += x[k] * exact[k];
        error += x[k] * (exact[k] - approximate[k]);
      }
      signal += y * y;
      noise += error * error;
    }
  }
  return noise / signal;
}
