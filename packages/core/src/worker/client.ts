import { type Endpoint, proxy, type Remote, transfer, wrap } from "comlink";
import { asyncDisposeSymbol } from "../dispose.ts";
import { DisposedError } from "../errors.ts";
import type { Feed, ModelTypes, Profile } from "../runtime/types.ts";
import type { ByteSource, SourceOptions } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import {
  absolute,
  buffersOf,
  fromPlain,
  type ModelDescription,
  type ModelServer,
  type PlainEntry,
  type RemoteOptions,
  sendable,
  toPlain,
  unwrap,
} from "./protocol.ts";

export interface RemoteLoadOptions extends RemoteOptions, Pick<SourceOptions, "onProgress" | "signal"> {}

/** A model in a worker: as `Model`, with every call a promise. */
export interface RemoteModel<T extends ModelTypes = ModelTypes> extends ModelDescription, AsyncDisposable {
  /**
   * @param options.transfer `true` moves the feed's buffers to the worker instead of copying them: they are empty afterwards
   * @throws as `Model.run`
   */
  run(feed: Feed<T>, options?: { readonly transfer?: boolean }): Promise<T["outputs"]>;
  profile(feed?: Feed<T>, options?: { readonly runs?: number }): Promise<Profile>;
  /** Frees the model; the worker stays. */
  dispose(): Promise<void>;
}

/** One proxy per worker, so that many models share it. */
const servers = new WeakMap<object, Remote<ModelServer>>();
let lastId = 0;

/**
 * Loads a model inside a worker that has called `serveModels`.
 * @param worker a Worker, or another comlink endpoint (in Node through comlink's node adapter)
 * @param source as for `loadModel`; relative URLs are the page's
 * @throws as `loadModel`
 */
export async function loadModelIn<T extends ModelTypes = ModelTypes>(
  worker: Endpoint,
  source: ByteSource,
  { onProgress, signal, ...options }: RemoteLoadOptions = {},
): Promise<RemoteModel<T>> {
  signal?.throwIfAborted();
  const server = servers.get(worker) ?? wrap<ModelServer>(worker);
  servers.set(worker, server);
  const id = ++lastId;
  const abort = () => void server.abort(id);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const wasm = typeof options.wasm === "string" ? absolute(options.wasm) : options.wasm;
    const reply = server.load(
      id,
      await sendable(source),
      { ...options, wasm },
      ...(onProgress ? [proxy(onProgress)] : []),
    );
    const description = unwrap(await reply);
    if (signal?.aborted) void server.dispose(id);
    signal?.throwIfAborted();
    return new Client<T>(server, id, description);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

class Client<T extends ModelTypes> implements RemoteModel<T> {
  readonly tier: ModelDescription["tier"];
  readonly inputs: ModelDescription["inputs"];
  readonly outputs: ModelDescription["outputs"];
  readonly labels: ModelDescription["labels"];
  readonly #server: Remote<ModelServer>;
  readonly #id: number;
  #disposed = false;

  constructor(server: Remote<ModelServer>, id: number, { tier, inputs, outputs, labels }: ModelDescription) {
    this.#server = server;
    this.#id = id;
    this.tier = tier;
    this.inputs = inputs;
    this.outputs = outputs;
    this.labels = labels;
  }

  async run(feed: Feed<T>, { transfer: moves = false }: { readonly transfer?: boolean } = {}): Promise<T["outputs"]> {
    this.#alive("run");
    const plain = plainFeed(feed);
    const sent = moves ? transfer(plain, buffersOf(Object.values(plain))) : plain;
    const outputs = unwrap(await this.#server.run(this.#id, sent));
    const tensors = Object.entries(outputs).map(([name, entry]) => [name, fromPlain(entry) as Tensor]);
    return Object.fromEntries(tensors) as T["outputs"];
  }

  async profile(feed?: Feed<T>, { runs }: { readonly runs?: number } = {}): Promise<Profile> {
    this.#alive("profile");
    return unwrap(await this.#server.profile(this.#id, feed && plainFeed(feed), runs));
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#server.dispose(this.#id);
  }

  [asyncDisposeSymbol](): Promise<void> {
    return this.dispose();
  }

  #alive(op: string): void {
    if (this.#disposed) throw new DisposedError(op, "the model");
  }
}

function plainFeed<T extends ModelTypes>(feed: Feed<T>): Record<string, PlainEntry> {
  const entries = Object.entries(feed).map(([name, entry]) => [name, toPlain(entry)]);
  return Object.fromEntries(entries);
}
