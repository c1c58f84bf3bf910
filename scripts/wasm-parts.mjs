// The modules of a tier: each is a link of crates/wasm of its own, with the features that its users need (docs/decisions/2026-11-26-parts-by-features.md).
// packages/core/src/runtime/part.ts knows which graphs run on which.

/** Features of crates/wasm by part. */
export const parts = {
  bits: ["bits", "bytes"],
  int8: ["depthwise-affine", "winograd", "operators"],
  bytes: ["groups", "ternary", "depthwise-affine", "operators"],
  floats: ["codes", "depthwise-f32", "matmul", "operators"],
  transformer: ["transformer", "codes", "depthwise-f32", "matmul"],
  all: ["all", "quantize"],
  ops: ["all", "ops", "quantize", "transformer"],
  threads: ["threads", "ops", "quantize", "transformer"],
  search: ["search", "quantize"],
  quantize: ["quantize", "solve"],
};

/** The parts that a network may be loaded with, without threads. */
export const networkParts = ["int8", "bits", "bytes", "floats", "transformer", "all", "ops"];

/** A part's name, as that of its file begins. */
export const moduleName = (part) => (part === "all" ? "lowbit" : `lowbit-${part}`);
