/** Factors that move between layers before weights are quantized: `rescale` in the options of `quantizeModel`, `--rescale` on the command line. */
import type { Graph } from "lowbit";
import type { Calibration, PassOptions } from "../api.ts";
import { OptionError } from "../errors.ts";
import { GraphEditor } from "../graph/editor.ts";
import { LayerInputs } from "../layer-inputs.ts";
import { layersOf, readsFloats } from "../schemes.ts";
import { awq } from "./awq.ts";
import { equalize } from "./equalize.ts";
import type { Rescaling } from "./rescaling.ts";
import { smooth } from "./smooth.ts";

/** What `--rescale` takes, for help and messages. */
export const RESCALINGS = "equalize, smooth[:<alpha 0..1>], awq";

/** @throws OptionError */
export function parseRescaling(text: string): Rescaling {
  if (text === "equalize") return equalize;
  if (text === "awq") return awq;
  const match = /^smooth(?::(0|1|0?\.\d{1,4}))?$/.exec(text);
  if (match) return smooth(Number(match[1] ?? 0.5));
  throw new OptionError("quantizeModel", "rescale", RESCALINGS, text);
}

export interface RescaleOptions extends PassOptions {
  /** Needed by `smooth` and `awq`. */
  readonly calibration?: Calibration | undefined;
  /** The scheme that the weights will have; needed by `awq`. */
  readonly weights?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Moves factors between layers, one rescaling after another. What the network computes stays, to the rounding of f32; its layers quantize better.
 *
 * - `equalize`: cross-layer equalization (Nagel et al. 2019): equal ranges of a channel in the layer that makes it and those that read it. For one scale for a tensor; needs no samples.
 * - `smooth:<alpha>`: SmoothQuant (Xiao et al. 2023), s = max|x|^α / max|w|^(1-α), alpha 0.5 where it is absent. For int8 activations with outlier channels.
 * - `awq`: AWQ's scales (Lin et al. 2023), s = mean|x|^a, the a of least output error. For groups of 4 and 3 bits.
 *
 * Factors pass ReLU, leaky ReLU, pooling, zero padding, flattening and the values of an attention; a clamp with another end (ReLU6), a residual addition and other functions hold them up, and the
 * layer behind stays as it is, which `explain` says.
 *
 * @param graph after `runPasses`
 * @throws OptionError for an unknown name and where samples or weights are missing, what the quantizer throws, the signal's reason
 */
export async function rescale(
  graph: Graph,
  names: readonly string[],
  { calibration, weights, signal, explain }: RescaleOptions = {},
): Promise<Graph> {
  const rescalings = names.map(parseRescaling);
  let current = graph;
  for (const rescaling of rescalings) {
    if (rescaling.needsSamples && !calibration)
      throw new OptionError("quantizeModel", "calibration", `samples, for ${rescaling.name}`, "none");
    const layers = layersOf(current).filter((layer) => readsFloats(current, layer));
    const seen = new LayerInputs(current, layers, calibration?.feeds ?? []);
    const editor = GraphEditor.from(current);
    const changes: string[] = [];
    const context = {
      inputsOf: (name: string) => seen.of(layers.find((layer) => layer.name === name)!),
      weights,
      signal,
    };
    await rescaling.run(editor, context, (change) => changes.push(change));
    if (changes.length > 0) explain?.({ pass: rescaling.name, changes });
    current = editor.freeze();
  }
  return current;
}
