/** Which scheme each layer gets, and what it makes of the layer's weights. */
import { type Graph, type QuantizedConstant, ShapeError } from "lowbit";
import { parseScheme, quantize, type ErrorFigures as WeightFigures } from "lowbit/quantize";
import type { QuantizeModelOptions } from "./api.ts";
import { OptionError } from "./errors.ts";
import { isFloat } from "./graph/constants.ts";
import { isLayer, type Layer } from "./passes/channel-function.ts";

/** The convolutions and dense layers of a graph, in its order. */
export function layersOf(graph: Graph): Layer[] {
  return graph.nodes.filter(isLayer);
}

/** A glob over node names: `*` is any run of characters, `?` one; everything else stands for itself. */
export function globToRegExp(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*/g, ".*").replace(/\?/g, ".")}$`, "s");
}

/** A scheme and whether a rule named the layer, rather than all of them. */
export interface Assignment {
  readonly scheme: string;
  readonly named: boolean;
}

/**
 * The scheme of every layer by node name; layers that stay as they are have none.
 *
 * @throws OptionError for a glob that matches no layer, SchemeError for an unknown scheme
 */
export function assignSchemes(
  layers: readonly Layer[],
  { weights, layers: rules = [] }: QuantizeModelOptions,
): Map<string, Assignment> {
  const assignments = new Map<string, Assignment>();
  if (weights !== undefined) for (const { name } of layers) assignments.set(name, { scheme: weights, named: false });
  for (const [glob, scheme] of rules) {
    const pattern = globToRegExp(glob);
    const matched = layers.filter(({ name }) => pattern.test(name));
    if (matched.length === 0) {
      throw new OptionError(
        "quantizeModel",
        `layers that match "${glob}"`,
        `some of ${layers.map(({ name }) => name).join(", ")}`,
        "none",
      );
    }
    for (const { name } of matched) assignments.set(name, { scheme, named: true });
  }
  for (const { scheme } of assignments.values()) parseScheme(scheme);
  return assignments;
}

/** Quantized weights and what that cost them. */
export interface QuantizedWeights {
  readonly constant: QuantizedConstant;
  readonly error: WeightFigures;
}

/**
 * Quantizes the float weights of a layer. Undefined where they stay as they are: packed already, scheme `float`, or
 * (for a scheme given to all layers at once) rows that do not divide into its sub-vectors, and a codebook that takes
 * more room than the weights.
 *
 * @throws NotFiniteError, and ShapeError where a rule named the layer and its rows do not divide
 */
export async function quantizeWeights(
  graph: Graph,
  layer: Layer,
  { scheme, named }: Assignment,
): Promise<QuantizedWeights | undefined> {
  const weight = graph.constants.get(layer.inputs[1]!);
  if (!isFloat(weight)) return undefined;
  try {
    const quantized = await quantize(weight, parseScheme(scheme), { name: layer.name } as never);
    const constant = quantized.toConstant();
    if (constant.kind !== "quantized" || (!named && quantized.bytes >= weight.data.byteLength)) return undefined;
    return { constant, error: quantized.error };
  } catch (error) {
    if (error instanceof ShapeError && !named) return undefined;
    throw error;
  }
}
