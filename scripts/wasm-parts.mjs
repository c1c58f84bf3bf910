// Cuts the core module out of a tier's build: the same code without the exports that convolutional and dense networks on floats,
// int8 and bits do not call. It is what most users download, and is held to the size budget; a model that needs more loads the whole.
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

/** Exports that only the whole module has; packages/core/src/runtime/part.ts knows which operators call them. */
const beyondCore =
  /^(quantize_(?!activations)\w+|depthwise_\w+|codebook_gemm_\w+|matmul_f32_\w+|transpose_\w+|pad_\w+|copy_rows|cast|batch_norm_\w+|softmax_f32|elementwise_(binary_\w+|leaky_relu|sigmoid|tanh))$/;

/** Writes to `core` the module `whole` without those exports; wasm-opt then drops what only they reached. */
export function cutCore(whole, core) {
  const module = binaryen.readBinary(readFileSync(whole));
  module.setFeatures(binaryen.Features.All);
  const names = Array.from(
    { length: module.getNumExports() },
    (_, i) => binaryen.getExportInfo(module.getExportByIndex(i)).name,
  );
  const cut = names.filter((name) => beyondCore.test(name));
  if (cut.length === 0) throw new Error("none of the exports beyond the core is in the module: were they renamed?");
  for (const name of cut) module.removeExport(name);
  writeFileSync(core, module.emitBinary());
  module.dispose();
}
