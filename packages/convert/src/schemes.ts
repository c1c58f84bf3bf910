/** Which scheme each layer gets, and what it makes of the layer's weights. */
import { type Graph, type Node, type NodeOf, type PlainConstant, type QuantizedConstant, ShapeError } from "lowbit";
import {
  type Calibration,
  inputCurvature,
  parseScheme,
  type QuantizeOptions,
  quantize,
  type ErrorFigures as WeightFigures,
} from "lowbit/quantize";
import type { QuantizeTensorsOptions } from "./api.ts";
import { OptionError } from "./errors.ts";
import { elementCount, isFloat } from "./graph/constants.ts";
import { isLayer, type Layer } from "./passes/channel-function.ts";

/** A node with a table of rows. */
export type Table = NodeOf<"embedding"> | NodeOf<"addPositions">;
/** A node with weights that can be quantized. */
export type Weighted = Layer | Table;

export const isTable = (node: Node): node is Table => node.op === "embedding" || node.op === "addPositions";
export const isWeighted = (node: Node): node is Weighted => isLayer(node) || isTable(node);

/** The nodes of a graph whose weights can be quantized, in its order. */
export function layersOf(graph: Graph): Weighted[] {
  return graph.nodes.filter(isWeighted);
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

/** Whether a scheme looks at the inputs of the layer. */
export const needsInputs = ({ scheme }: Assignment): boolean => parseScheme(scheme).needs !== "weights";

/**
 * Quantizes the weights of a layer by {@link quantizeFloats}; undefined also where they are packed already.
 * @param inputs of the layer, for a scheme that needs them or a curvature, which is then that of the output's squared error
 */
export async function quantizeWeights(
  graph: Graph,
  layer: Weighted,
  assignment: Assignment,
  inputs?: Calibration,
): Promise<QuantizedWeights | undefined> {
  const weight = graph.constants.get(layer.inputs[1]!);
  if (!isFloat(weight)) return undefined;
  const given = isTable(layer) ? tableAssignment(layer, assignment) : assignment;
  if (!given) return undefined;
  return quantizeFloats(layer.name, weight, given, { needed: await neededOf(weight, assignment, inputs) });
}

/** What a scheme for all layers means for a table: rows are decoded from uniform codes only, and positions, a hundredth of the weights, keep 8 bits. */
function tableAssignment({ op }: Table, assignment: Assignment): Assignment | undefined {
  if (assignment.named) return assignment;
  if (!/^int\d/.test(assignment.scheme)) return undefined;
  return op === "addPositions" ? { ...assignment, scheme: "int8" } : assignment;
}

async function neededOf(
  { shape }: PlainConstant,
  { scheme }: Assignment,
  calibration: Calibration | undefined,
): Promise<QuantizeOptions> {
  const { needs } = parseScheme(scheme);
  if (needs === "weights" || calibration === undefined) return {} as QuantizeOptions;
  if (needs === "inputs") return { calibration } as QuantizeOptions;
  const curvature = await inputCurvature(calibration, shape[0]!, elementCount(shape.slice(1)));
  return { curvature } as QuantizeOptions;
}

/**
 * Quantizes float weights. Undefined where they stay as they are: scheme `float`, or (for a scheme given to all layers at
 * once) rows that do not divide into its sub-vectors, and a codebook that takes more room than the weights.
 *
 * @param name of the layer or tensor, for messages
 * @param stored bytes that the weights take unquantized
 * @param needed what the scheme asks for beside the weights
 * @throws NotFiniteError, and ShapeError where a rule named the layer and its rows do not divide
 */
export async function quantizeFloats(
  name: string,
  weight: PlainConstant & { readonly data: Float32Array },
  { scheme, named }: Assignment,
  {
    stored = weight.data.byteLength,
    needed = {} as QuantizeOptions,
  }: { stored?: number; needed?: QuantizeOptions } = {},
): Promise<QuantizedWeights | undefined> {
  try {
    const quantized = await quantize(weight, parseScheme(scheme), { name, ...needed });
    const constant = quantized.toConstant();
    if (constant.kind !== "quantized" || (!named && quantized.bytes >= stored)) return undefined;
    return { constant, error: quantized.error };
  } catch (error) {
    if (error instanceof ShapeError && !named) return undefined;
    throw error;
  }
}
