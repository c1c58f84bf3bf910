/** From bytes or a graph to a running model. */
import { decodePacked } from "../file/packed.ts";
import { readSafetensors } from "../file/safetensors.ts";
import type { Graph } from "../graph/types.ts";
import type { BinaryCounting, KernelInstance } from "../kernels/instance.ts";
import { loadKernels, type WasmProvider, type WasmSource } from "../kernels/load.ts";
import type { Tier } from "../kernels/tiers.ts";
import { type ByteSource, readSource, type SourceOptions } from "../source.ts";
import { GraphModel, type GraphModelOptions } from "./model.ts";
import { checkPart, partFor } from "./part.ts";
import type { Model, ModelTypes } from "./types.ts";

export interface RuntimeOptions {
  /** Absent: the highest that this engine runs. */
  readonly tier?: Tier | undefined;
  /** How binary layers count; absent: probed for a few milliseconds when the first large one is made. Outputs are the same. */
  readonly binary?: BinaryCounting | undefined;
  /** The WASM module of that tier (bytes, URL, Response, a compiled module), or a function that finds it. */
  readonly wasm?: WasmSource | WasmProvider | undefined;
  /**
   * Threads that share out large products and convolutions, 1 to 64, the calling one among them; absent: 1. More than one needs shared memory (in a
   * page: cross-origin isolation) and workers, else ThreadsError. Results are the same.
   */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LoadOptions extends RuntimeOptions, SourceOptions {}

export interface CreateOptions extends RuntimeOptions, GraphModelOptions {}

/** As {@link LoadOptions} and {@link CreateOptions}, where the module must be given. */
export type Slim<O extends RuntimeOptions> = O & { readonly wasm: WasmSource | WasmProvider };

/**
 * Loads a packed file.
 * @param source URL, path (Node, Deno, Bun), Response, Blob or bytes
 * @throws LoadError, IntegrityError, FormatError, DigestError, GraphError, UnsupportedError, TierError, ThreadsError, OutOfMemoryError, or the signal's reason
 */
export async function loadModel<T extends ModelTypes = ModelTypes>(
  source: ByteSource,
  options: Slim<LoadOptions>,
): Promise<Model<T>> {
  // The module that most networks need and the file travel side by side.
  const [kernels, bytes] = await Promise.allSettled([
    loadKernels({ ...options, part: "core" }),
    readSource(source, options),
  ]);
  if (kernels.status === "rejected") throw kernels.reason;
  let instance: KernelInstance = kernels.value;
  try {
    if (bytes.status === "rejected") throw bytes.reason;
    const { graph } = decodePacked(readSafetensors(bytes.value));
    const part = partFor(graph);
    if (part === "all" && typeof options.wasm === "function" && !instance.threads) {
      instance.dispose();
      instance = await loadKernels({ ...options, part: "all" });
    }
    checkPart(part, instance);
    return new GraphModel<T>(graph, instance);
  } catch (error) {
    instance.dispose();
    throw error;
  }
}

/**
 * Runs a graph that is already in memory: what a converter measures with.
 * @throws GraphError, UnsupportedError, TierError, ThreadsError, OutOfMemoryError
 */
export async function createModel<T extends ModelTypes = ModelTypes>(
  graph: Graph,
  options: Slim<CreateOptions>,
): Promise<Model<T>> {
  const part = partFor(graph);
  const instance = await loadKernels({ ...options, part });
  checkPart(part, instance);
  return new GraphModel<T>(graph, instance, options);
}
