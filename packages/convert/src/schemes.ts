/** Which scheme each layer gets, and what it makes of the layer's weights. */
import { type Graph, type PlainConstant, type QuantizedConstant, ShapeError } from "lowbit";
import { parseScheme, quantize, type ErrorFigures as WeightFigures } from "lowbit/quantize";
import type { QuantizeTensorsOptions } from "./api.ts";
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
 * The scheme of every layer by node name (or of every tensor by its own); those that stay as they are have none.
 *
 * @param what for messages
 * @throws OptionError for a glob that matches nothing, SchemeError for an unknown scheme
 */
export function assignSchemes(
  layers: readonly { readonly name: string }[],
  { weights, layers: rules = [] }: Pick<QuantizeTensorsOptions, "weights" | "layers">,
  what: "layers" | "tensors" = "layers",
): Map<string, Assignment> {
  const assignments = new Map<string, Assignment>();
  if (weights !== undefined) for (const { name } of layers) assignments.set(name, { scheme: weights, named: false });
  for (const [glob, scheme] of rules) {
    const pattern = globToRegExp(glob);
    const matched = layers.filter(({ name }) => pattern.test(name));
    if (matched.length === 0) {
      throw new OptionError(
        what === "layers" ? "quantizeModel" : "quantizeTensors",
        `${what} that match "${glob}"`,
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

/** Quantizes the weights of a layer by {@link quantizeFloats}; undefined also where they are packed already. */
export async function quantizeWeights(
  graph: Graph,
  layer: Layer,
  assignment: Assignment,
): Promise<QuantizedWeights | undefined> {
  const weight = graph.constants.get(layer.inputs[1]!);
  return isFloat(weight) ? quantizeFloats(layer.name, weight, assignment) : undefined;
}

/**
 * Quantizes float weights. Undefined where they stay as they are: scheme `float`, or (for a scheme given to all layers at
 * once) rows that do not divide into its sub-vectors, and a codebook that takes more room than the weights.
 *
 * @param name of the layer or tensor, for messages
 * @param stored bytes that the weights take unquantized
 * @throws NotFiniteError, and ShapeError where a rule named the layer and its rows do not divide
 */
export async function quantizeFloats(
  name: string,
  weight: PlainConstant & { readonly data: Float32Array },
  { scheme, named }: Assignment,
  stored = weight.data.byteLength,
): Promise<QuantizedWeights | undefined> {
  try {
    const quantized = await quantize(weight, parseScheme(scheme), { name } as never);
    const constant = quantized.toConstant();
    if (constant.kind !== "quantized" || (!named && quantized.bytes >= stored)) return undefined;
    return { constant, error: quantized.error };
  } catch (error) {
    if (error instanceof ShapeError && !named) return undefined;
    throw error;
  }
}
