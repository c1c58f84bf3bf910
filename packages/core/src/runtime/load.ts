/** From bytes or a graph to a running model. */
import { engineSha256Hex } from "../file/engine-digest.ts";
import { decodePacked, type OpenedFile, opening } from "../file/packed.ts";
import { isOpsOp, rulesOf } from "../graph/operators.ts";
import type { Graph } from "../graph/types.ts";
import type { BinaryCounting } from "../kernels/instance.ts";
import { loadKernels, type WasmProvider, type WasmSource } from "../kernels/load.ts";
import type { Tier } from "../kernels/tiers.ts";
import { type ByteSource, readSource, type SourceOptions } from "../source.ts";
import { GraphModel, type GraphModelOptions } from "./model.ts";
import { checkModule, partFor } from "./part.ts";
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
  const bytes = await readSource(source, options);
  const file = await open(bytes);
  // What no file of version 1 needs is not downloaded for it.
  const { graph } = decodePacked(file, file.version > 1 ? (await import("../file/expand.ts")).expand : undefined);
  // Not beside the file: which module is the smallest that serves is known by the graph. A round trip more, and up to two thirds of the bytes less.
  return createModel<T>(graph, options);
}

async function open(bytes: Uint8Array<ArrayBuffer>): Promise<OpenedFile> {
  const steps = opening(bytes);
  let step = steps.next();
  while (!step.done) step = steps.next(await engineSha256Hex(step.value));
  return step.value;
}

/**
 * Runs a graph that is already in memory: what a converter measures with.
 * @throws GraphError, UnsupportedError, TierError, ThreadsError, OutOfMemoryError
 */
export async function createModel<T extends ModelTypes = ModelTypes>(
  graph: Graph,
  options: Slim<CreateOptions>,
): Promise<Model<T>> {
  if (graph.nodes.some(({ op }) => isOpsOp(op) && !rulesOf(op))) (await import("../ops/all.ts")).registerAllOps();
  const instance = await loadKernels({ ...options, part: partFor(graph) });
  try {
    checkModule(graph, instance);
    return new GraphModel<T>(graph, instance, options);
  } catch (error) {
    instance.dispose();
    throw error;
  }
}
