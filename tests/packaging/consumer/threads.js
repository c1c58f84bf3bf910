// Two threads against one: a convolution that is large enough to be shared out, and a model.
import { Convolution, loadKernels, XnorGemm } from "lowbit/kernels";
import { outputs } from "./outputs.js";

const [size, channels] = [56, 128];

/** @returns {Promise<{ tier: string, one: object, two: object, shared: number }>} digests of both, and how many runs were shared out */
export async function threads(source, options = {}) {
  const [one, two] = [await convolve({ ...options, threads: 1 }), await convolve({ ...options, threads: 2 })];
  const models = [await outputs(source, options), await outputs(source, { ...options, threads: 2 })];
  return {
    tier: models[0].tier,
    one: { ...models[0].sha256, convolution: one.sha256 },
    two: { ...models[1].sha256, convolution: two.sha256 },
    shared: two.shared,
  };
}

/** The second one is left to the end of the process. */
async function convolve(options) {
  const kernels = await loadKernels(options);
  let shared = 0;
  const { runShared } = kernels;
  kernels.runShared = (...args) => {
    shared++;
    runShared.apply(kernels, args);
  };
  const codes = Uint8Array.from({ length: (channels * 9 * channels) / 8 }, (_, i) => i * 91 + (i >> 5));
  const x = kernels.upload(Uint8Array.from({ length: (size * size * channels) / 8 }, (_, i) => i * 37 + (i >> 3)));
  const product = new XnorGemm(kernels, { n: channels, channels, taps: 9, codes, output: { kind: "int32" } });
  const window = { kernel: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
  const convolution = new Convolution(kernels, [product], { input: [size, size], window, padding: "zero bits" });
  const bytes = size * size * channels * 4;
  const y = kernels.alloc(bytes);
  for (let i = 0; i < 10; i++) convolution.run(x, 1, y);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", kernels.u8(y, bytes).slice()));
  if (options.threads === 1) kernels.dispose();
  return { shared, sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}
