import { GraphEditor } from "@lowbit/convert/graph";
import { type Constant, type Graph, validateGraph } from "lowbit";
import type { Layer } from "../layers/layer.ts";
import type { WeightSlot } from "../strategies/strategy.ts";
import type { HostTensor, HostTensors } from "../values.ts";

/** A Graph under construction, as layers see it. */
export type GraphWriter = GraphEditor;

export interface GraphOptions {
  readonly name: string;
  /** Name, type and shape of the input without the batch; int32 is for token numbers. */
  readonly input: { readonly name: string; readonly dtype: "f32" | "int32"; readonly shape: readonly number[] };
  /** Default `logits`. */
  readonly output?: string;
  /** Constants of quantized weights by slot; others are f32. */
  readonly weights?: Readonly<Record<string, Constant>>;
}

/** A tensor as a plain constant. */
export const plain = ({ shape, data }: HostTensor): Constant => ({ kind: "plain", dtype: "f32", shape, data });

/** A vector under `name`, a new constant; returns its name in the graph. */
export const vector = (graph: GraphWriter, name: string, tensor: HostTensor): string =>
  graph.constant(name, plain(tensor));

/**
 * -1 below 0, else +1, as nodes: the sign that training has. The Graph's own is 0 at 0, so half is added to it before the last one; the converter's passes read the three as the one comparison that they are, whose result is a bit.
 * @param name of the last node
 */
export function signNodes(graph: GraphWriter, name: string, x: string): string {
  const half = vector(graph, `${name}.half`, { shape: [1], data: Float32Array.of(0.5) });
  const threeValued = graph.add("sign", `${name}.three-valued`, [x], {});
  return graph.add("sign", name, [graph.add("add", `${name}.raised`, [threeValued, half], {})], {});
}

/**
 * Layers as a Graph of the core, batch size free: what `createModel` runs, `writeModel` packs and the converter's passes fuse.
 *
 * @param tensors parameters and statistics by full name
 * @param rowsOf the float weight of a slot in the core's layout
 * @throws Error where a layer has no form in a Graph; GraphError
 */
export function toGraph(
  layers: readonly Layer[],
  tensors: HostTensors,
  rowsOf: (slot: WeightSlot) => HostTensor,
  { name, input, output = "logits", weights = {} }: GraphOptions,
): Graph {
  const graph = new GraphEditor({ name });
  graph.reserved.add(output);
  graph.addInput(input.name, { dtype: input.dtype, shape: ["N", ...input.shape] });
  const weightOf = (slot: WeightSlot): Constant => weights[slot.name] ?? plain(rowsOf(slot));
  let value = input.name;
  for (const layer of layers) {
    if (layer.write === undefined) throw new Error(`${layer.name}: this layer has no form in a Graph`);
    value = layer.write(graph, value, tensors, weightOf);
  }
  graph.rename(value, output);
  graph.outputs = [output];
  const frozen = graph.freeze();
  validateGraph(frozen);
  return frozen;
}
