import { inputMax, smoothQuant } from "lowbit/quantize";
import { move, stacked } from "./move.ts";
import { pairsOf, type Rescaling, span } from "./rescaling.ts";

/** SmoothQuant (Xiao et al. 2023, arXiv 2211.10438, equation 4). @param alpha 0 (activations stay) to 1 (their ranges become 1) */
export const smooth = (alpha: number): Rescaling => ({
  name: "smooth",
  explain: "moves outliers of activations into the weights that read them, so that int8 codes serve both",
  needsSamples: true,
  async run(editor, { inputsOf, signal }, note) {
    const done = new Set<string>();
    for (const { name, pair } of pairsOf(editor, signal, note)) {
      const { source, layers } = pair;
      if (done.has(source.name)) continue;
      done.add(source.name);
      // A depthwise row has the inputs of one channel, and does not say of which.
      const whole = layers.find((each) => each.op === "dense" || each.attributes.groups === 1);
      if (whole === undefined) {
        note(`${name}: stays, a depthwise row has one input channel`);
        continue;
      }
      const largest = await inputMax(await inputsOf(whole.name), pair.channels);
      const { factors, weights } = await smoothQuant(stacked(editor, pair), largest, { alpha });
      await move(editor, pair, weights, factors);
      const readers = layers.map((layer) => layer.name).join(", ");
      note(`${readers}: inputs divided by ${span(factors)}, in ${source.op} ${source.name}`);
    }
  },
});
