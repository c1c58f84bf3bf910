import { equalizeLayers } from "lowbit/quantize";
import { isLayer } from "../passes/channel-function.ts";
import { floatsOf, move, stacked } from "./move.ts";
import { pairsOf, type Rescaling } from "./rescaling.ts";

/** Sweeps over all pairs, at most: a layer between two others is scaled from both sides until they agree. */
const SWEEPS = 20;

/** Factors this near to 1 are worth no other sweep. */
const SETTLED = 1e-3;

/** Cross-layer equalization (Nagel et al. 2019, arXiv 1906.04721, section 4.1): both ranges of a channel between two layers become sqrt(r1 r2). */
export const equalize: Rescaling = {
  name: "equalize",
  explain: "gives each channel between two layers the same range in both, so that one scale for a tensor serves all",
  needsSamples: false,
  async run(editor, { signal }, note) {
    const moved = new Map<string, string>();
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      let furthest = 0;
      const done = new Set<string>();
      const stays = sweep === 0 ? note : () => {};
      for (const { name, pair } of pairsOf(editor, signal, stays)) {
        const { source, layers } = pair;
        // The scale of a normalization has no range that would want to be equal to a layer's.
        if (!isLayer(source)) {
          stays(`${name}: stays, its inputs come from ${source.op} ${source.name}`);
          continue;
        }
        if (done.has(source.name)) continue;
        done.add(source.name);
        const { factors, second } = await equalizeLayers(floatsOf(editor, source.inputs[1]!), stacked(editor, pair));
        await move(editor, pair, second, factors);
        furthest = factors.reduce((far, s) => Math.max(far, Math.abs(s - 1)), furthest);
        moved.set(source.name, layers.map((layer) => layer.name).join(", "));
      }
      if (furthest < SETTLED) break;
    }
    for (const [source, layers] of moved) note(`${source}: ranges of its channels equalized with those of ${layers}`);
  },
};
