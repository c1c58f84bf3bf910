// A float network quantized by schemes of every kind: whole files that must be the same to the byte everywhere.
import { calibrate, importModel, quantizeModel, runPasses, writeModel } from "@lowbit/convert";
import { Tensor } from "lowbit";

/** Rounding, drawing, clustering, codes of least entropy, pruning, codes chosen by the layer's inputs and by a curvature, a search by gradients. */
const SCHEMES = [
  ...["int4:g32", "stochastic:int4", "kmeans:16", "multibit:3", "ecsq:16:r2", "prune:0.75+int4", "apot:4", "q4_k"],
  ...["gptq:4:g32", "awq:4:g32", "hkmeans:16", "adaround:4", "hqq:4:g32", "vnq:3:n1000"],
];

const BATCH = 16;

/** @returns {Promise<Record<string, string>>} SHA-256 of each scheme's file, with the figures that were measured in it and codes by their entropy */
export async function quantized(onnx) {
  const graph = runPasses(importModel(onnx));
  const pixels = Float32Array.from({ length: BATCH * 784 }, (_, index) => (index * 37 + (index >> 3)) % 256);
  const feed = { [graph.inputs[0]]: new Tensor("f32", [BATCH, 1, 28, 28], pixels) };
  const calibration = await calibrate(graph, [feed]);
  const sha256 = {};
  for (const weights of SCHEMES) {
    const made = await quantizeModel(graph, { weights, activations: "int8:kl", calibration, gate: false });
    const layers = made.layers.map(({ name, scheme, measured, sqnr, cosine, maxError }) => ({
      ...{ name, scheme, measured, cosine, maxError },
      sqnr: Number.isFinite(sqnr) ? sqnr : 999,
    }));
    const bytes = writeModel(made.graph, { parity: { layers } }, { pack: "smallest" });
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    sha256[weights] = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  return sha256;
}
