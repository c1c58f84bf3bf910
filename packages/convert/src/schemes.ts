/** Which scheme each layer gets, and what it makes of the layer's weights. */
import { type Graph, type Node, type NodeOf, type PlainConstant, type QuantizedConstant, ShapeError } from "lowbit";
import {
  type Calibration as Inputs,
  inputCurvature,
  parseScheme,
  type QuantizeOptions,
  type Quantizer,
  quantize,
} from "lowbit/quantize";
import type { LayerCodes, LayerTask, QuantizeTensorsOptions, Quantizing } from "./api.ts";
import { OptionError } from "./errors.ts";
import { elementCount, isFloat } from "./graph/constants.ts";
import type { GraphEditor } from "./graph/editor.ts";
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

/** Whether a scheme looks at the inputs of the layer. */
export const needsInputs = ({ scheme }: Assignment): boolean => parseScheme(scheme).needs !== "weights";

/** What there is to quantize of a layer; undefined where its weights stay as they are, or are packed already. */
export function taskOf(graph: Graph, layer: Weighted, assignment: Assignment): LayerTask | undefined {
  const weight = graph.constants.get(layer.inputs[1]!);
  if (!isFloat(weight)) return undefined;
  const given = isTable(layer) ? tableAssignment(layer, assignment) : assignment;
  return given && { name: layer.name, weight, ...given, stored: weight.data.byteLength };
}

/** Whether the layer multiplies reals, so that its inputs can be looked at. */
export const readsFloats = (graph: Graph, layer: Weighted): layer is Layer =>
  !isTable(layer) && graph.values.get(layer.inputs[0]!)?.dtype === "f32";

/** Puts quantized weights into a layer, and another bias where there is one. */
export function giveWeight(
  editor: GraphEditor,
  layer: Weighted,
  constant: QuantizedConstant,
  bias?: PlainConstant,
): void {
  const weight = editor.constant(`${layer.inputs[1]}/${constant.scheme}`, constant);
  const biases = bias ? [editor.constant(`${layer.name}/bias`, bias)] : layer.inputs.slice(2);
  editor.replace([...editor.nodes].find(({ name }) => name === layer.name)!, {
    inputs: [layer.inputs[0]!, weight, ...biases],
  });
}

/** Whether a table can have the scheme: its rows are decoded one by one, from uniform codes only. */
export const decodesRows = (scheme: string): boolean => /^int\d/.test(scheme);

/** What a scheme for all layers means for a table: positions, a hundredth of the weights, keep 8 bits. */
function tableAssignment({ op }: Table, assignment: Assignment): Assignment | undefined {
  if (assignment.named) return assignment;
  if (!decodesRows(assignment.scheme)) return undefined;
  return op === "addPositions" ? { ...assignment, scheme: "int8" } : assignment;
}

/**
 * Quantizes the float weights of a layer, or of a tensor. Undefined where they stay as they are: scheme `float`, or (for a scheme given to all layers at
 * once) rows that do not divide into its sub-vectors, and a codebook that takes more room than the weights.
 *
 * @param inputs of the layer, for a scheme that needs them or a curvature, which is then that of the output's squared error
 * @throws NotFiniteError, and ShapeError where a rule named the layer and its rows do not divide
 */
export async function quantizeLayer(
  { name, weight, scheme, named, stored }: LayerTask,
  inputs?: Inputs,
): Promise<LayerCodes | undefined> {
  try {
    const quantizer = parseScheme(scheme);
    const quantized = await quantize(weight, quantizer, { name, ...(await neededOf(weight, quantizer, inputs)) });
    const constant = quantized.toConstant();
    if (constant.kind !== "quantized" || (!named && quantized.bytes >= stored)) return undefined;
    return { constant, error: quantized.error };
  } catch (error) {
    if (error instanceof ShapeError && !named) return undefined;
    throw error;
  }
}

/** In this thread, one after another. */
export const HERE: Quantizing = { atOnce: 1, quantize: async (task, inputs) => quantizeLayer(task, await inputs()) };

async function neededOf(
  { shape }: LayerTask["weight"],
  { needs }: Quantizer,
  calibration: Inputs | undefined,
): Promise<QuantizeOptions> {
  if (needs === "weights" || calibration === undefined) return {} as QuantizeOptions;
  if (needs === "inputs") return { calibration } as QuantizeOptions;
  const curvature = await inputCurvature(calibration, shape[0]!, elementCount(shape.slice(1)));
  return { curvature } as QuantizeOptions;
}
