import { type Endpoint, proxy, type Remote, transfer, wrap } from "comlink";
import { type ByteSource, DisposedError, InputError } from "lowbit";
import { type Reply, sendable, unwrap } from "lowbit/worker";
import type { IndexId } from "../ids.ts";
import type { Metric } from "../metric.ts";
import type { Payload } from "../payloads.ts";
import type { Vectors } from "../prepare.ts";
import type { BuildOptions, Hit, Hits, Index, SearchOptions } from "../search-index.ts";
import type { Counted, Description, IndexServer, Method, Progress } from "./protocol.ts";

type AddOptions = Pick<BuildOptions, "ids" | "payloads" | "signal" | "onProgress"> & {
  /** Moves the vectors' buffer to the worker instead of copying it: it is empty afterwards. */
  readonly transfer?: boolean;
};

export type RemoteBuildOptions = Pick<BuildOptions, "metric" | "seed" | "about" | "efConstruction"> & AddOptions;

/** One proxy per worker, so that many indexes share it. */
const servers = new WeakMap<object, Remote<IndexServer>>();
let lastId = 0;

function serverOf(worker: Endpoint): Remote<IndexServer> {
  const server = servers.get(worker) ?? wrap<IndexServer>(worker);
  servers.set(worker, server);
  return server;
}

/** Ends the call on the other side when a signal comes; throws the signal's reason then. */
async function abortable<T>(
  server: Remote<IndexServer>,
  signal: AbortSignal | undefined,
  run: (call: number) => Promise<Reply<T>>,
): Promise<T> {
  signal?.throwIfAborted();
  const call = ++lastId;
  const abort = () => void server.abort(call);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const reply = await run(call);
    if ("error" in reply) signal?.throwIfAborted();
    return unwrap(reply);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

const sent = (vectors: Vectors, moves: boolean | undefined): Vectors => {
  const plain = { shape: vectors.shape, data: vectors.data };
  return moves ? transfer(plain, [plain.data.buffer as ArrayBuffer]) : plain;
};

const told = (onProgress: Progress | undefined): [] | [Progress] => (onProgress ? [proxy(onProgress) as Progress] : []);

function sendableOptions(options: SearchOptions): SearchOptions {
  if (typeof options.filter === "function")
    throw new InputError("IndexWorker.search", "filter", "bits by number, u32 words", "a function");
  return options;
}

/** An index in a worker: as `Index`, with every call a promise. Filters are bits by number: a function cannot travel. */
export class IndexWorker implements AsyncDisposable {
  readonly spec: string;
  readonly metric: Metric;
  readonly dimension: number;
  readonly about: Readonly<Record<string, string>>;
  readonly #server: Remote<IndexServer>;
  readonly #id: number;
  #size: number;
  #disposed = false;

  private constructor(server: Remote<IndexServer>, id: number, description: Description) {
    this.#server = server;
    this.#id = id;
    ({ spec: this.spec, metric: this.metric, dimension: this.dimension } = description);
    ({ about: this.about, size: this.#size } = description);
  }

  /**
   * Builds an index inside a worker that has called `serveIndexes`.
   * @param worker a Worker, or another comlink endpoint (in Node through comlink's node adapter)
   * @throws as `Index.build`, with the same classes
   */
  static async build(
    worker: Endpoint,
    vectors: Vectors,
    spec: string,
    { signal, onProgress, transfer: moves, ...options }: RemoteBuildOptions = {},
  ): Promise<IndexWorker> {
    const [server, id] = [serverOf(worker), ++lastId];
    const description = await abortable(server, signal, (call) =>
      server.build(id, call, sent(vectors, moves), spec, options, ...told(onProgress)),
    );
    return new IndexWorker(server, id, description);
  }

  /** @param source as of `loadIndex`; relative URLs are the page's @throws as `loadIndex` */
  static async load(
    worker: Endpoint,
    source: ByteSource,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<IndexWorker> {
    const [server, id, plain] = [serverOf(worker), ++lastId, await sendable(source)];
    return new IndexWorker(server, id, await abortable(server, signal, (call) => server.load(id, call, plain)));
  }

  /** Vectors that can be found, as of the last call that came back. */
  get size(): number {
    return this.#size;
  }

  async search(query: Float32Array, k: number, options: SearchOptions = {}): Promise<Hit[]> {
    return this.#call("search", [query, k, sendableOptions(options)]);
  }

  async searchAll(queries: Vectors, k: number, options: SearchOptions = {}): Promise<Hits> {
    return this.#call("searchAll", [sent(queries, false), k, sendableOptions(options)]);
  }

  async rangeSearch(query: Float32Array, radius: number, options: SearchOptions = {}): Promise<Hit[]> {
    return this.#call("rangeSearch", [query, radius, sendableOptions(options)]);
  }

  async add(vectors: Vectors, { signal, onProgress, transfer: moves, ...options }: AddOptions = {}): Promise<void> {
    this.#alive("add");
    const { size } = await abortable(this.#server, signal, (call) =>
      this.#server.add(this.#id, call, sent(vectors, moves), options, ...told(onProgress)),
    );
    this.#size = size;
  }

  remove(ids: Iterable<IndexId>): Promise<number> {
    return this.#call("remove", [[...ids]]);
  }

  compact(): Promise<void> {
    return this.#call("compact", []);
  }

  has(id: IndexId): Promise<boolean> {
    return this.#call("has", [id]);
  }

  payload(id: IndexId): Promise<Payload | undefined> {
    return this.#call("payload", [id]);
  }

  reconstruct(id: IndexId): Promise<Float32Array> {
    return this.#call("reconstruct", [id]);
  }

  /** The file of the index, which moves and is not copied. */
  async save(): Promise<Uint8Array<ArrayBuffer>> {
    this.#alive("save");
    return unwrap(await this.#server.save(this.#id));
  }

  /** Frees the index; the worker stays. Idempotent. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#server.dispose(this.#id);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #alive(what: string): void {
    if (this.#disposed) throw new DisposedError(`IndexWorker.${what}`, "index");
  }

  async #call<M extends Method>(method: M, args: Parameters<Index[M]>): Promise<ReturnType<Index[M]>> {
    this.#alive(method);
    const call = this.#server.call as unknown as (
      id: number,
      method: M,
      args: Parameters<Index[M]>,
    ) => Promise<Reply<Counted<ReturnType<Index[M]>>>>;
    const { value, size } = unwrap(await call(this.#id, method, args));
    this.#size = size;
    return value;
  }
}
