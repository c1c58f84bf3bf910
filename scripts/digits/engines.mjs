/** Something that classifies digits: a packed file on our kernels, or the peer. */

import { lowbit } from "./packages.mjs";

const { loadModel, Tensor } = lowbit;

/** Images in one call, in the judging as in the race. */
export const BATCH = 64;
const PIXELS = 28 * 28;

/** A packed file of one image input and one output of ten scores. */
export async function openEngine(name, file) {
  const model = await loadModel(file);
  const [input] = model.inputs;
  const [output] = model.outputs;
  return {
    name,
    tier: model.tier,
    scores: async (images, count) =>
      (await model.run({ [input.name]: new Tensor("f32", [count, 1, 28, 28], images) }))[output.name].data,
    dispose: () => model.dispose(),
  };
}

/** Images `from` until `from + count` as floats 0..255. */
export const takeImages = (images, from, count) =>
  Float32Array.from(images.subarray(from * PIXELS, (from + count) * PIXELS));

/** The class of each image: the position of the largest of ten scores, the lowest of equals. */
export async function classify(engine, { count, images }) {
  const classes = new Uint8Array(count);
  for (let from = 0; from < count; from += BATCH) {
    const batch = Math.min(BATCH, count - from);
    const scores = await engine.scores(takeImages(images, from, batch), batch);
    for (let image = 0; image < batch; image++) {
      let best = 0;
      for (let k = 1; k < 10; k++) if (scores[image * 10 + k] > scores[image * 10 + best]) best = k;
      classes[from + image] = best;
    }
  }
  return classes;
}

/** Share of equal entries, 0..1. */
export function shareEqual(a, b) {
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}
