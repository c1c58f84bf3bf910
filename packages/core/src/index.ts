/**
 * Loads and runs networks of 1-8 bit (and float) weights on Rust kernels compiled to WASM.
 *
 * @example
 * const model = await loadModel("digits.safetensors");
 * const { logits } = await model.run({ image });
 *
 * @module
 */
import { bundledWasm } from "./bundled.ts";
import type { Graph } from "./graph/types.ts";
import * as load from "./runtime/load.ts";
import type { Model, ModelTypes } from "./runtime/types.ts";
import type { ByteSource } from "./source.ts";

export { type LoadKernelsOptions, loadKernels } from "./bundled.ts";
export * from "./common.ts";

/** The package's own module where the caller brings none. */
const withWasm = <O extends load.RuntimeOptions>(options: O) => ({ ...options, wasm: options.wasm ?? bundledWasm });

/**
 * Loads a packed file.
 * @param source URL, path (Node, Deno, Bun), Response, Blob or bytes
 * @throws LoadError, IntegrityError, FormatError, DigestError, GraphError, UnsupportedError, TierError, ThreadsError, OutOfMemoryError, or the signal's reason
 */
export function loadModel<T extends ModelTypes = ModelTypes>(
  source: ByteSource,
  options: load.LoadOptions = {},
): Promise<Model<T>> {
  return load.loadModel<T>(source, withWasm(options));
}

/**
 * Runs a graph that is already in memory: what a converter measures with.
 * @throws GraphError, UnsupportedError, TierError, ThreadsError, OutOfMemoryError
 */
export function createModel<T extends ModelTypes = ModelTypes>(
  graph: Graph,
  options: load.CreateOptions = {},
): Promise<Model<T>> {
  return load.createModel<T>(graph, withWasm(options));
}
