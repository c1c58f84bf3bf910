// Takes engine-dependent instructions out of a relaxed build. With relaxed SIMD switched on, LLVM writes f32x4.relaxed_min and relaxed_max for `a < b ? a : b`,
// also where a loop in plain Rust was vectorised; of a NaN or of zeros of both signs they give what the processor likes. f32x4.pmin and pmax are that
// comparison exactly, with the same operands, and are one of the answers that the relaxed form allows.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

const strict = {
  "f32x4.relaxed_min": "f32x4.pmin",
  "f32x4.relaxed_max": "f32x4.pmax",
  "f64x2.relaxed_min": "f64x2.pmin",
  "f64x2.relaxed_max": "f64x2.pmax",
};

/** What the kernels ask for themselves, on operands for which it is fixed. */
const asked = new Set([
  "i8x16.relaxed_swizzle",
  "i16x8.relaxed_dot_i8x16_i7x16_s",
  "i32x4.relaxed_dot_i8x16_i7x16_add_s",
]);

const relaxed = /\b\w+\.(?:relaxed_\w+|laneselect|dot_i8x16_i7x16_\w+)/g;

/** Rewrites `file`; throws where it has a relaxed instruction that nobody asked for. */
export function strictFloats(file) {
  const before = binaryen.readBinary(readFileSync(file));
  const text = before.emitText().replace(relaxed, (name) => strict[name] ?? name);
  before.dispose();
  const left = [...new Set(text.match(relaxed))].filter((name) => !asked.has(name));
  if (left.length > 0)
    throw new Error(`${file} has instructions whose result is the engine's choice: ${left.join(", ")}`);
  const after = binaryen.parseText(text);
  after.setFeatures(binaryen.Features.All);
  // The names stay: what comes next knows functions by them.
  binaryen.setDebugInfo(true);
  writeFileSync(file, after.emitBinary());
  binaryen.setDebugInfo(false);
  after.dispose();
}
