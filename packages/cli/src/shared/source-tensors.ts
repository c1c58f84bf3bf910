/**
 * Which tensor of an ONNX file each weight and bias of a Graph came from, and how its elements were rearranged on the way:
 * images are channels first there and channels last here, and dense weights are [K, N] where MatMul multiplies by them.
 * Written into the packed file, so that `lowbit dequantize` can put the floats back in their place.
 */

import type { ModelProto, NodeProto } from "@lowbit/convert/onnx";
import type { Graph, Node } from "lowbit";

/** View the elements as `shape`, then transpose: axis i of the result is axis permutation[i]. */
export interface Rearrangement {
  readonly shape: readonly number[];
  readonly permutation: readonly number[];
}

export interface SourceTensor {
  /** Name of the layer's node, and which of its inputs the tensor is (1: weight, 2: bias). */
  readonly layer: string;
  readonly input: number;
  /** Name and shape in the source. */
  readonly source: string;
  readonly shape: readonly number[];
  /** From here to there, one after another. */
  readonly steps: readonly Rearrangement[];
}

type Layer = Extract<Node, { op: "conv2d" | "dense" }>;

/** Operators that leave the order of elements as it is. */
const ORDER_KEEPING = new Set(["Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze"]);
/** Operators of ONNX between a flattened image and a dense layer that work element by element. */
const ELEMENT_WISE = new Set([
  ...ORDER_KEEPING,
  "Relu",
  "Sign",
  "Clip",
  "QuantizeLinear",
  "DequantizeLinear",
  "Dropout",
]);

const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** An ONNX graph by name. */
class Source {
  readonly #shapes = new Map<string, readonly number[]>();
  readonly #producers = new Map<string, NodeProto>();
  readonly #consumers = new Map<string, NodeProto[]>();
  readonly #byTitle = new Map<string, NodeProto>();

  constructor({ graph }: ModelProto) {
    for (const { name, dims } of graph?.initializer ?? []) this.#shapes.set(name, dims.map(Number));
    for (const node of graph?.node ?? []) {
      this.#byTitle.set(node.name || node.output[0] || node.opType, node);
      for (const output of node.output) this.#producers.set(output, node);
      for (const input of node.input) this.#consumers.set(input, [...(this.#consumers.get(input) ?? []), node]);
    }
  }

  node(title: string): NodeProto | undefined {
    return this.#byTitle.get(title);
  }

  /** The initializer whose elements `value` holds, in the same order. */
  initializer(value: string | undefined): { name: string; shape: readonly number[] } | undefined {
    for (let at = value; at !== undefined; ) {
      const shape = this.#shapes.get(at);
      if (shape) return { name: at, shape };
      const producer = this.#producers.get(at);
      at = producer && ORDER_KEEPING.has(producer.opType) ? producer.input[0] : undefined;
    }
    return undefined;
  }

  /** What is added to the node's output where it has no bias of its own. */
  addend(node: NodeProto): string | undefined {
    const output = node.output[0] ?? "";
    const [next, ...more] = this.#consumers.get(output) ?? [];
    if (next?.opType !== "Add" || more.length > 0) return undefined;
    return next.input.find((name) => name !== output);
  }

  /** Whether the image before the node's flattened input had its channels moved last in the source already. */
  isChannelsLast(node: NodeProto): boolean {
    for (let at = node.input[0]; at !== undefined; ) {
      const producer: NodeProto | undefined = this.#producers.get(at);
      if (producer?.opType === "Transpose") return true;
      at = producer && ELEMENT_WISE.has(producer.opType) ? producer.input[0] : undefined;
    }
    return false;
  }
}

/** [H, W, C] of the image that a dense layer's input is, flattened; undefined where it is no image. */
function flattenedImage(graph: Graph, layer: Layer): readonly [number, number, number] | undefined {
  const producers = new Map(graph.nodes.map((node) => [node.outputs[0], node]));
  for (let at = producers.get(layer.inputs[0]); at; at = producers.get(at.inputs[0])) {
    if (at.op === "reshape") {
      const [, height, width, channels, ...more] = graph.values.get(at.inputs[0] ?? "")?.shape ?? [];
      if (more.length > 0 || typeof height !== "number" || typeof width !== "number" || typeof channels !== "number")
        return undefined;
      return [height, width, channels];
    }
    if (!["quantize", "dequantize", "sign", "threshold", "affine", "clip", "cast"].includes(at.op)) return undefined;
  }
  return undefined;
}

function weightSteps(graph: Graph, layer: Layer, node: NodeProto, source: Source): Rearrangement[] {
  const shape = graph.constants.get(layer.inputs[1] ?? "")?.shape ?? [];
  if (layer.op === "conv2d") return [{ shape, permutation: [0, 3, 1, 2] }];
  const [rows = 0, columns = 0] = shape;
  const steps: Rearrangement[] = [];
  const image = source.isChannelsLast(node) ? undefined : flattenedImage(graph, layer);
  if (image && size(image) === columns) steps.push({ shape: [rows, ...image], permutation: [0, 3, 1, 2] });
  const transposed = node.attribute.some((attribute) => attribute.name === "transB" && attribute.i === 1n);
  if (!transposed) steps.push({ shape: [rows, columns], permutation: [1, 0] });
  return steps;
}

/** @param model the source of `graph`; layers are found by the names of their nodes */
export function sourceTensors(model: ModelProto, graph: Graph): SourceTensor[] {
  const source = new Source(model);
  const tensors: SourceTensor[] = [];
  for (const layer of graph.nodes) {
    if (layer.op !== "conv2d" && layer.op !== "dense") continue;
    const node = source.node(layer.name);
    if (node === undefined) continue;
    const add = (input: number, value: string | undefined, steps: readonly Rearrangement[]) => {
      const found = source.initializer(value);
      const constant = graph.constants.get(layer.inputs[input] ?? "");
      if (found && constant && size(found.shape) === size(constant.shape))
        tensors.push({ layer: layer.name, input, source: found.name, shape: found.shape, steps });
    };
    add(1, node.input[1], weightSteps(graph, layer, node, source));
    add(2, node.input[2] ?? source.addend(node), []);
  }
  return tensors;
}

/** Elements of a tensor with its axes permuted. */
export function permuted(data: Float32Array, { shape, permutation }: Rearrangement): Float32Array {
  const strides = shape.map((_, axis) => size(shape.slice(axis + 1)));
  const sizes = permutation.map((axis) => shape[axis] ?? 1);
  const steps = permutation.map((axis) => strides[axis] ?? 0);
  const out = new Float32Array(data.length);
  const position = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from] ?? 0;
    // Count up in the result's axes, the last one first.
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis] ?? 0;
      position[axis] = (position[axis] ?? 0) + 1;
      if ((position[axis] ?? 0) < (sizes[axis] ?? 0)) break;
      from -= (steps[axis] ?? 0) * (sizes[axis] ?? 0);
      position[axis] = 0;
    }
  }
  return out;
}
