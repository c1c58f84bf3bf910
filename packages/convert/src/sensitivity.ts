/** What each scheme would do to the network if only one layer had it: measured on samples, never guessed from bits. */
import { type Graph, ShapeError } from "lowbit";
import { compareFloats, parseScheme } from "lowbit/quantize";
import type { Calibration, QuantizeModelOptions } from "./api.ts";
import { breathe } from "./breathe.ts";
import { joined, record } from "./parity.ts";
import { quantizeModel } from "./quantize.ts";
import { layersOf } from "./schemes.ts";

/** One scheme for one layer. */
export interface Choice {
  readonly scheme: string;
  /** Of the layer's weights in the file. */
  readonly bytes: number;
  /** Σ(y - ŷ)² / Σy² of the network's first output with this layer alone quantized. */
  readonly damage: number;
}

export interface LayerChoices {
  readonly name: string;
  /** `float` first. */
  readonly choices: readonly Choice[];
}

export const DEFAULT_CANDIDATES: readonly string[] = [
  ...["int8", "int4", "int4:g32", "int3", "ternary", "binary", "kmeans:16"],
];

export interface SensitivityOptions {
  readonly candidates?: readonly string[];
  readonly calibration: Calibration;
  readonly signal?: AbortSignal;
  /** In pairs of layer and scheme. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Runs the network once for every layer and candidate. A candidate that a layer cannot have (its rows do not divide), or that takes as much room as
 * its floats, is no choice there.
 * @throws SchemeError, the signal's reason
 */
export async function measureSensitivity(graph: Graph, options: SensitivityOptions): Promise<LayerChoices[]> {
  const { candidates = DEFAULT_CANDIDATES, calibration, signal, onProgress } = options;
  const schemes = [...new Set(candidates.map((scheme) => parseScheme(scheme).scheme))].filter((s) => s !== "float");
  const output = graph.outputs[0]!;
  const outputsOf = async (of: Graph) =>
    joined((await record(of, calibration.feeds, [output], () => breathe(signal))).get(output)!);
  const reference = await outputsOf(graph);
  const layers = layersOf(graph);
  const total = layers.length * schemes.length;
  const measured: LayerChoices[] = [];
  for (const [index, { name }] of layers.entries()) {
    const choices: Choice[] = [];
    const floats = (await quantizeModel(graph)).layers.find((layer) => layer.name === name)!;
    choices.push({ scheme: "float", bytes: floats.bytes, damage: 0 });
    for (const [at, scheme] of schemes.entries()) {
      // Only what looks at inputs is given them: measuring layers by them would take most of the time here.
      const needed = parseScheme(scheme).needs === "weights" ? {} : { calibration };
      const cut = await alone(graph, { layers: [[name, scheme]], ...needed, ...(signal && { signal }) });
      const layer = cut?.layers.find((each) => each.name === name);
      if (cut && layer && layer.bytes < floats.bytes) {
        const { relativeMse } = await compareFloats(reference, await outputsOf(cut.graph));
        choices.push({ scheme, bytes: layer.bytes, damage: relativeMse });
      }
      onProgress?.(index * schemes.length + at + 1, total);
    }
    measured.push({ name, choices });
  }
  return measured;
}

/** One layer quantized; undefined where it cannot have the scheme. */
async function alone(graph: Graph, options: QuantizeModelOptions) {
  try {
    return await quantizeModel(graph, options);
  } catch (error) {
    if (error instanceof ShapeError) return undefined;
    throw error;
  }
}
