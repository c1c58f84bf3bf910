/** What a Graph is made of: its layers with weights, how these are stored, and how many multiply-accumulates each takes. */

import { bytesOf, type Constant, type Dim, type DType, type Graph, type Node } from "lowbit";

/**
 * Arithmetic of a layer's inner loop, by what meets in it: `binary` a sign or trit activation and a sign weight (XNOR and
 * popcount), `int8` integer activations and weights of any width, `float` the rest.
 */
export type Arithmetic = "binary" | "int8" | "float";

export interface Layer {
  readonly name: string;
  readonly op: "conv2d" | "dense" | "matmul";
  /** How its weight is stored: `float`, or the scheme; `activation` where both factors are computed (matmul). */
  readonly scheme: string;
  /** Number of weights, 0 where there are none. */
  readonly weights: number;
  /** Bits of one code, 32 for f32. */
  readonly bits: number;
  readonly arithmetic: Arithmetic;
  /** Multiply-accumulates for one sample; undefined where a size is known only at run time. */
  readonly macs: number | undefined;
}

const bitsOfType = (dtype: DType): number => (dtype === "bit" ? 1 : dtype === "trit" ? 2 : bytesOf[dtype] * 8);

/** Bits of one element as it is stored. */
export const bitsOf = (constant: Constant): number =>
  constant.kind === "quantized" ? constant.bits : bitsOfType(constant.dtype);

/** Product of sizes; undefined where one is symbolic. The batch (axis 0) counts as one sample. */
function perSample(shape: readonly Dim[]): number | undefined {
  let product = 1;
  for (const size of shape.slice(1)) {
    if (typeof size === "string") return undefined;
    product *= size;
  }
  return product;
}

function arithmeticOf(node: Node, x: DType | undefined, weight: Constant | undefined): Arithmetic {
  if (x === "bit" || x === "trit") return "binary";
  // Floats too, where the layer quantizes its rows as they come.
  const integers = x === "int8" || x === "uint8" || (node.op === "dense" && node.attributes.activations === "int8");
  return integers && weight?.kind === "quantized" ? "int8" : "float";
}

/** The layers, in the order of the graph. */
export function layersOf(graph: Graph): Layer[] {
  return graph.nodes.flatMap((node) => layerOf(graph, node) ?? []);
}

function layerOf(graph: Graph, node: Node): Layer | undefined {
  if (node.op !== "conv2d" && node.op !== "dense" && node.op !== "matmul") return undefined;
  const [x = "", w = ""] = node.inputs;
  const weight = graph.constants.get(w);
  const output = graph.values.get(node.outputs[0] ?? "");
  const size = weight?.shape.reduce((product, n) => product * n, 1) ?? 0;
  // One output element is a dot product as long as a row of the weight: [O, kh*kw*C/groups], [N, K]; [.., K, N] for a matmul.
  const row = node.op === "matmul" ? innerSize(graph, x) : size / (weight?.shape[0] ?? 1);
  const outputs = output === undefined ? undefined : perSample(output.shape);
  const macs = outputs === undefined || row === undefined ? undefined : outputs * row;
  return {
    name: node.name,
    op: node.op,
    scheme: weight === undefined ? "activation" : weight.kind === "quantized" ? weight.scheme : "float",
    weights: size,
    bits: weight === undefined ? bitsOfType(graph.values.get(w)?.dtype ?? "f32") : bitsOf(weight),
    arithmetic: arithmeticOf(node, graph.values.get(x)?.dtype, weight),
    macs,
  };
}

/** K of a [..., M, K] value. */
function innerSize(graph: Graph, name: string): number | undefined {
  const last = (graph.values.get(name) ?? graph.constants.get(name))?.shape.at(-1);
  return typeof last === "number" ? last : undefined;
}

/** Multiply-accumulates of one sample by arithmetic; layers of unknown size are left out. */
export function totalMacs(layers: readonly Layer[]): Record<Arithmetic, number> {
  const total = { binary: 0, int8: 0, float: 0 };
  for (const layer of layers) total[layer.arithmetic] += layer.macs ?? 0;
  return total;
}
