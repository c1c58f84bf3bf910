import { smoothQuant } from "lowbit/quantize";
import { move, stacked } from "./move.ts";
import { pairOf } from "./pair.ts";
import { layerNamed, layerNames, type Rescaling, span } from "./rescaling.ts";

/** SmoothQuant (Xiao et al. 2023, arXiv 2211.10438, equation 4). @param alpha 0 (activations stay) to 1 (their ranges become 1) */
export const smooth = (alpha: number): Rescaling => ({
  name: "smooth",
  explain: "moves outliers of activations into the weights that read them, so that int8 codes serve both",
  needsSamples: true,
  async run(editor, { inputsOf, signal }, note) {
    const done = new Set<string>();
    for (const name of layerNames(editor)) {
      signal?.throwIfAborted();
      const pair = pairOf(editor, layerNamed(editor, name));
      if ("why" in pair) {
        note(`${name}: stays, ${pair.why}`);
        continue;
      }
      const { source, layers } = pair;
      if (done.has(source.name)) continue;
      done.add(source.name);
      const { inputs } = await inputsOf(name);
      const { factors, weights } = await smoothQuant(stacked(editor, pair), largestOf(inputs, pair.channels), {
        alpha,
      });
      await move(editor, pair, weights, factors);
      const readers = layers.map((layer) => layer.name).join(", ");
      note(`${readers}: inputs divided by ${span(factors)}, in ${source.op} ${source.name}`);
    }
  },
});

/** max|x| of every channel over rows in which element k belongs to channel k mod C. */
function largestOf(inputs: Float32Array, channels: number): Float32Array {
  const largest = new Float32Array(channels);
  for (let at = 0; at < inputs.length; at += channels)
    for (let c = 0; c < channels; c++) largest[c] = Math.max(largest[c]!, Math.abs(inputs[at + c]!));
  return largest;
}
