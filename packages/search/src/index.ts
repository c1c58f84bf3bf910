/**
 * Vector search in few bytes a vector, on WASM kernels: flat, binary, product-quantized and RaBitQ codes, inverted files, rescoring.
 *
 * @example
 * import { Index, loadIndex, saveIndex } from "@lowbit/search";
 *
 * const index = await Index.build({ shape: [n, 384], data: embeddings }, "PQ48x4fs,RSQ8", { metric: "cosine" });
 * for (const { id, score } of index.search(query, 10)) console.log(id, score);
 * const again = await loadIndex(saveIndex(index));
 *
 * @module
 */
export { fromFaiss } from "./faiss/read.ts";
export { toFaiss } from "./faiss/write.ts";
export { type LoadIndexOptions, loadIndex, saveIndex } from "./file.ts";
export type { IndexId } from "./ids.ts";
export { METRICS, type Metric } from "./metric.ts";
export type { Payload } from "./payloads.ts";
export type { Vectors } from "./prepare.ts";
export { recall, type Truth } from "./recall.ts";
export {
  type BuildOptions,
  type Hit,
  type Hits,
  Index,
  type IndexOptions,
  type SearchOptions,
} from "./search-index.ts";
export { type Codes, defaultRescored, formatSpec, type IndexSpec, parseSpec } from "./spec.ts";
export { loadStored, removeStored, storedNames, storeIndex } from "./stored.ts";
export { type Tuned, type TuneOptions, tune } from "./tune.ts";
