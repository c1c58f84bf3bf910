/** onnxruntime-web as a peer: the same float ONNX file, its WASM backend with SIMD, one thread, in the same process. */

import * as ort from "onnxruntime-web/wasm";

export const PEER = "onnxruntime-web";

export { ort };

/** A session of an ONNX file. @param {Uint8Array} model */
export function openSession(model) {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  return ort.InferenceSession.create(model, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
}

/**
 * @param {Uint8Array} model an ONNX file
 * @returns {Promise<{ version: string, scores: (images: Float32Array, count: number) => Promise<Float32Array>, dispose: () => Promise<void> }>}
 */
export async function openPeer(model) {
  const session = await openSession(model);
  const [input, output] = [session.inputNames[0], session.outputNames[0]];
  return {
    version: ort.env.versions.web ?? "",
    async scores(images, count) {
      const results = await session.run({ [input]: new ort.Tensor("float32", images, [count, 1, 28, 28]) });
      return /** @type {Float32Array} */ (results[output].data);
    },
    dispose: () => session.release(),
  };
}
