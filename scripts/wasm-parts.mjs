// Cuts modules out of a tier's build: the same code without some exports; wasm-opt drops what only those reached.
// - core: without what convolutional and dense networks on floats, int8 and bits do not call. It is what most users download, and is held to the size budget;
//   a model that needs more loads the whole.
// - search: what an index of vectors calls and no network does (docs/decisions/2026-11-25-a-module-for-search.md).
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

/** Exports that only the whole module has; packages/core/src/runtime/part.ts knows which operators call them. */
const beyondCore =
  /^(nearest_\w+|quantize_(?!activations)\w+|depthwise_\w+|codebook_gemm_\w+|multibit_gemm_\w+|bitpack_planes|matmul_f32_\w+|transpose_\w+|pad_\w+|copy_rows|cast|batch_norm_\w+|softmax_f32|elementwise_(binary_\w+|leaky_relu|sigmoid|tanh))$/;

/** Scans of quantized vectors. */
const ofSearch = /^(top_k|pq|hamming)_\w+$/;

/** What an index needs beside its scans: memory, signs of vectors, and the inner loops of codebooks. */
const besideSearch = /^(memory|memory_\w+|object_drop|error_block|bitpack_signs|quantize_\w+|__\w+)$/;

/** Writes to `core` the module `whole` without those exports. */
export function cutCore(whole, core) {
  cut(whole, core, (name) => !beyondCore.test(name));
}

/** Writes to `search` what an index calls of the module `build`, and to `networks` what networks call. Names stay in both. */
export function cutSearch(build, networks, search) {
  cut(build, networks, (name) => !ofSearch.test(name));
  cut(build, search, (name) => ofSearch.test(name) || besideSearch.test(name));
}

/** Writes to `part` the module `build` with the exports that `keeps` says. */
function cut(build, part, keeps) {
  const module = binaryen.readBinary(readFileSync(build));
  module.setFeatures(binaryen.Features.All);
  const names = Array.from(
    { length: module.getNumExports() },
    (_, i) => binaryen.getExportInfo(module.getExportByIndex(i)).name,
  );
  const left = names.filter((name) => !keeps(name));
  if (left.length === 0) throw new Error(`${part} would hold every export: were they renamed?`);
  for (const name of left) module.removeExport(name);
  binaryen.setDebugInfo(true);
  writeFileSync(part, module.emitBinary());
  binaryen.setDebugInfo(false);
  module.dispose();
}
