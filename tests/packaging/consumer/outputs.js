// One fixed image through the model: what must be the same to the bit everywhere.
import { loadModel } from "lowbit";

/** @returns {Promise<{ tier: string, sha256: Record<string, string> }>} SHA-256 of each output's little-endian bytes */
export async function outputs(source, options) {
  const model = await loadModel(source, options);
  const feeds = {};
  for (const { name, shape, dtype } of model.inputs) {
    // A dimension with a name is the batch.
    const size = shape.reduce((product, extent) => product * (typeof extent === "number" ? extent : 1), 1);
    const values = dtype === "uint8" ? Uint8Array : Float32Array;
    feeds[name] = values.from({ length: size }, (_, index) => (index * 37 + (index >> 3)) % 256);
  }
  const results = await model.run(feeds);
  const sha256 = {};
  for (const [name, { data }] of Object.entries(results)) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    sha256[name] = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  const { tier } = model;
  model.dispose();
  return { tier, sha256 };
}
