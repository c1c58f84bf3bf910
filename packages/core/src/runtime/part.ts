/** Which module a graph runs on. `scripts/wasm-parts.mjs` says what each is built of. */
import { isOpsOp } from "../graph/operators.ts";
import type { Graph, Node, NodeOf } from "../graph/types.ts";
import type { Exports, KernelInstance } from "../kernels/instance.ts";
import type { Part } from "../kernels/tiers.ts";
import { sizeOf } from "../tensor.ts";
import { MANY_ROWS_K } from "./lower/product.ts";

/** What a graph may need beside products and convolutions of floats, pooling, scales per channel and conversions, and an export that is there where a module has it. */
const needs = {
  /** Bits and trits. */
  bits: "xnor_gemm_new",
  /** int8 by affine weights, and by binary or ternary ones where rows are short: what the first layer of a binary network is. */
  affine: "affine_gemm_new",
  /** Depthwise convolutions of int8. */
  depthwise: "depthwise_affine_new",
  /** Any other product of int8. */
  bytes: "ternary_gemm_new",
  /** Floats by coded weights, depthwise ones, and products of two activations. */
  floats: "codebook_gemm_new",
  /** All other operators of ours. */
  operators: "pad_new",
  /** Attention and what stands around it, and products of rows that are quantized as they come. */
  transformer: "attention_new",
  /** Those of `lowbit/ops`. */
  ops: "strided_new",
} as const satisfies Record<string, keyof Exports>;

type Need = keyof typeof needs;

/** What the modules hold, the smallest first; `all` holds everything. */
const modules: readonly (readonly [Part, ...Need[]])[] = [
  ["floats", "floats", "operators"],
  ["int8", "affine", "depthwise", "operators"],
  ["bits", "bits", "affine"],
  ["bytes", "affine", "depthwise", "bytes", "operators"],
  ["transformer", "transformer", "affine", "floats", "operators"],
  ["all", "bits", "affine", "depthwise", "bytes", "floats", "operators"],
];

/** Operators of which every kernel is in every module, beside conv2d and dense. */
const everywhere: ReadonlySet<Node["op"]> = new Set<Node["op"]>([
  "threshold",
  "affine",
  "sign",
  "quantize",
  "dequantize",
  "maxPool",
  "avgPool",
  "globalAvgPool",
  "clip",
  "reshape",
]);

/** Operators of `lowbit/ops` that the module `transformer` has. */
const ofTransformers: ReadonlySet<Node["op"]> = new Set<Node["op"]>([
  "addPositions",
  "attention",
  "embedding",
  "gelu",
  "layerNorm",
  "maskedMean",
  "rmsNorm",
  "rotary",
  "silu",
]);

/** The smallest module that holds every kernel which the graph can be lowered to; `all` for operators from outside. The graph need not be valid yet. */
export function partFor(graph: Graph): Part {
  if (graph.nodes.some(({ op }) => op.includes("."))) return graph.nodes.some(({ op }) => isOpsOp(op)) ? "ops" : "all";
  const wanted = needsOf(graph);
  return modules.find(([, ...held]) => wanted.every((need) => held.includes(need)))?.[0] ?? "ops";
}

/**
 * Refuses a module of the caller's that lacks what the graph needs, before anything runs.
 * @throws KernelError
 */
export function checkModule(graph: Graph, instance: KernelInstance): void {
  // Reading an export throws where it is missing.
  for (const need of needsOf(graph)) void instance.exports[needs[need]];
}

const needsOf = (graph: Graph): Need[] => graph.nodes.flatMap((node) => needOf(node, graph) ?? []);

function needOf(node: Node, graph: Graph): Need | undefined {
  if (ofTransformers.has(node.op)) return "transformer";
  if (isOpsOp(node.op)) return "ops";
  if (node.op === "matmul") return "floats";
  const packed = (name: string): boolean => /^(bit|trit)$/.test(graph.values.get(name)?.dtype ?? "");
  const isProduct = node.op === "conv2d" || node.op === "dense";
  if (isProduct || node.op === "cast" || everywhere.has(node.op)) {
    if (node.inputs.some(packed) || (!isProduct && node.outputs.some(packed))) return "bits";
    if (isProduct) return productNeed(node as NodeOf<"conv2d" | "dense">, graph);
  }
  return everywhere.has(node.op) ? undefined : "operators";
}

function productNeed(node: NodeOf<"conv2d" | "dense">, { values, constants }: Graph): Need | undefined {
  const [x = "", weight = ""] = node.inputs;
  const constant = constants.get(weight);
  const isGrouped = node.op === "conv2d" && node.attributes.groups > 1;
  const isCoded = constant?.kind === "quantized";
  if (node.op === "dense" && node.attributes.activations) return "transformer";
  if (values.get(x)?.dtype === "f32") return isCoded || isGrouped ? "floats" : undefined;
  if (!isCoded) return "bytes";
  // One input channel per group, as `lowerConv2d` decides.
  if (isGrouped && constant.shape[3] === 1) return "depthwise";
  const { bits, decoding, shape } = constant;
  const k = sizeOf(shape.slice(1));
  if ((constant.groupSize ?? k) < k) return "bytes";
  // As `integerProduct` of lower/product.ts decides, without a look at the codes.
  const isShort = node.op === "conv2d" && k <= MANY_ROWS_K;
  return isShort || (decoding.kind === "affine" && bits > 2) ? "affine" : "bytes";
}
