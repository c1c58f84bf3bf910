// Which kernel runs a quantized layer packed: asked of the runtime, which lowers a graph of that one layer, and not of a list.

/** Element types of activations, in the table's words. */
const ACTIVATIONS = [
  ["f32", "f32"],
  ["int8", "int8"],
  ["bit", "bits"],
];

/** One dense layer of `weight` on activations of `dtype`. */
function graphOf(weight, dtype) {
  const [n, k] = weight.shape;
  const quantization = dtype === "int8" ? { quantization: { scale: 1, zeroPoint: 0 } } : {};
  return {
    name: "layer",
    inputs: ["x"],
    outputs: ["y"],
    nodes: [{ op: "dense", name: "dense", inputs: ["x", "weight"], outputs: ["y"], attributes: {} }],
    values: new Map([
      ["x", { dtype, shape: ["N", k], ...quantization }],
      ["y", { dtype: "f32", shape: ["N", n] }],
    ]),
    constants: new Map([["weight", weight]]),
  };
}

/** @returns {string} `codebook_gemm (f32), affine_gemm (int8)`; empty where nothing runs it */
export function kernelsOf({ lowerGraph }, instance, weight) {
  const found = new Map();
  for (const [dtype, word] of ACTIVATIONS) {
    let program;
    try {
      program = lowerGraph(graphOf(weight, dtype), instance);
    } catch (error) {
      if (error.name === "UnsupportedError" || error.name === "KernelError") continue;
      throw error;
    }
    const { kernel } = program.operations[0];
    program[Symbol.dispose]();
    found.set(kernel, [...(found.get(kernel) ?? []), word]);
  }
  return [...found].map(([kernel, words]) => `\`${kernel}\` (${words.join(", ")})`).join(", ");
}
