/** What each scheme would do to the network if only one layer had it: measured on samples, never guessed from bits. */
import { constantBytes, type Graph, type QuantizedConstant } from "lowbit";
import { compareFloats, parseScheme } from "lowbit/quantize";
import { ahead } from "./ahead.ts";
import type { Calibration, Feed, LayerTask, Quantizing } from "./api.ts";
import { breathe } from "./breathe.ts";
import { GraphEditor } from "./graph/editor.ts";
import { LayerInputs } from "./layer-inputs.ts";
import { joined, record } from "./parity.ts";
import {
  decodesRows,
  giveWeight,
  HERE,
  isTable,
  layersOf,
  needsInputs,
  readsFloats,
  taskOf,
  type Weighted,
} from "./schemes.ts";

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

/** Has layers quantized, and what that does to the network measured, somewhere else than in this thread. */
export interface Measuring extends Quantizing {
  /** Must give what {@link damageMeter} of the same graph and samples gives. */
  readonly damage: (task: LayerTask, constant: QuantizedConstant) => Promise<number>;
}

export interface SensitivityOptions {
  readonly candidates?: readonly string[];
  readonly calibration: Calibration;
  /** Absent: in this thread, one pair after another. */
  readonly measuring?: Measuring;
  readonly signal?: AbortSignal;
  /** In pairs of layer and scheme. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A layer and a scheme that it might have. */
interface Pair {
  readonly layer: Weighted;
  readonly scheme: string;
}

/**
 * Runs the network once for every layer and candidate. A candidate that a layer cannot have (its rows do not divide, or it is a table and the codes are not uniform), or
 * that takes as much room as its floats, is no choice there. The result is the same wherever, and on however many threads, pairs are measured.
 * @throws SchemeError, the signal's reason
 */
export async function measureSensitivity(graph: Graph, options: SensitivityOptions): Promise<LayerChoices[]> {
  const { candidates = DEFAULT_CANDIDATES, calibration, signal, onProgress } = options;
  const schemes = [...new Set(candidates.map((scheme) => parseScheme(scheme).scheme))].filter((s) => s !== "float");
  const layers = layersOf(graph);
  const { measuring = measuringHere(graph, calibration.feeds, signal) } = options;
  const looked = layers.filter((layer) => readsFloats(graph, layer));
  const inputs = new LayerInputs(graph, looked, calibration.feeds);

  const measure = async ({ layer, scheme }: Pair): Promise<Choice | undefined> => {
    await breathe(signal);
    if (isTable(layer) && !decodesRows(scheme)) return undefined;
    const assignment = { scheme, named: true };
    const task = taskOf(graph, layer, assignment);
    if (task === undefined) return undefined;
    const needed = async () => (needsInputs(assignment) && readsFloats(graph, layer) ? inputs.of(layer) : undefined);
    // As a rule for all layers has it: rows that do not divide, or more room than the floats take, are no error but no choice.
    const codes = await measuring.quantize({ ...task, named: false }, needed);
    if (codes === undefined) return undefined;
    const bytes = constantBytes(codes.constant);
    return bytes < task.stored ? { scheme, bytes, damage: await measuring.damage(task, codes.constant) } : undefined;
  };

  const choices = new Map(layers.map((layer) => [layer, [floatChoice(graph, layer)]]));
  const pairs = layers.flatMap((layer) => schemes.map((scheme) => ({ layer, scheme })));
  const measured = async (pair: Pair) => ({ layer: pair.layer, choice: await measure(pair) });
  let done = 0;
  for await (const { layer, choice } of ahead(pairs, measuring.atOnce, measured)) {
    if (choice) choices.get(layer)!.push(choice);
    onProgress?.(++done, pairs.length);
  }
  return layers.map((layer) => ({ name: layer.name, choices: choices.get(layer)! }));
}

const floatChoice = (graph: Graph, layer: Weighted): Choice => ({
  scheme: "float",
  bytes: constantBytes(graph.constants.get(layer.inputs[1]!)!),
  damage: 0,
});

function measuringHere(graph: Graph, feeds: readonly Feed[], signal: AbortSignal | undefined): Measuring {
  const damage = damageMeter(graph, feeds, signal);
  return { ...HERE, damage: ({ name }, constant) => damage(name, constant) };
}

/**
 * Measures what quantized weights of one layer do: Σ(y - ŷ)² / Σy² of the network's first output over all samples. The float network runs once, when the
 * first layer is measured.
 * @throws from what it returns: the signal's reason
 */
export function damageMeter(
  graph: Graph,
  feeds: readonly Feed[],
  signal?: AbortSignal,
): (layer: string, constant: QuantizedConstant) => Promise<number> {
  const output = graph.outputs[0]!;
  const outputsOf = async (of: Graph) =>
    joined((await record(of, feeds, [output], () => breathe(signal))).get(output)!);
  let reference: Promise<Float32Array> | undefined;
  return async (name, constant) => {
    reference ??= outputsOf(graph);
    const editor = GraphEditor.from(graph);
    giveWeight(editor, layersOf(graph).find((layer) => layer.name === name)!, constant);
    const { relativeMse } = await compareFloats(await reference, await outputsOf(editor.freeze()));
    return relativeMse;
  };
}
