/** Which graphs the smaller module serves. `scripts/wasm-parts.mjs` lists the exports that it lacks. */
import type { Graph, Node } from "../graph/types.ts";
import type { KernelInstance } from "../kernels/instance.ts";
import type { Part } from "../kernels/tiers.ts";

/** Operators of which every kernel is in the core, beside conv2d and dense. */
const coreOps: ReadonlySet<Node["op"]> = new Set<Node["op"]>([
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

/** `core` where it holds every kernel that the graph can be lowered to; not for operators from outside. The graph need not be valid yet. */
export function partFor(graph: Graph): Part {
  return graph.nodes.every((node) => isCore(node, graph)) ? "core" : "all";
}

/**
 * Refuses a module of the caller's that is a core where the graph needs `all`, before anything runs.
 * @throws KernelError
 */
export function checkPart(part: Part, instance: KernelInstance): void {
  // One of the exports beyond the core; reading it throws where it is missing.
  if (part === "all") void instance.exports.pad_new;
}

function isCore(node: Node, graph: Graph): boolean {
  if (node.op !== "conv2d" && node.op !== "dense") return coreOps.has(node.op);
  // A depthwise convolution has kernels of its own.
  if (node.op === "conv2d" && node.attributes.groups > 1) return false;
  const [x = "", weight = ""] = node.inputs;
  // Floats by codes: codebook_gemm.
  return graph.values.get(x)?.dtype !== "f32" || graph.constants.get(weight)?.kind !== "quantized";
}
