import { type Endpoint, expose, type ProxyMethods, releaseProxy, transfer } from "comlink";
import { DisposedError, InputError } from "lowbit";
import { type Reply, replying } from "lowbit/worker";
import { loadIndex, saveIndex } from "../file.ts";
import { Index } from "../search-index.ts";
import { type Description, type IndexServer, METHODS, type Progress } from "./protocol.ts";

/**
 * Lets the other side of `endpoint` build, load and search indexes here. Call it once in the worker's module.
 * @param endpoint absent: the worker's own scope; in Node a message port through comlink's node adapter
 */
export function serveIndexes(endpoint: Endpoint = globalThis as unknown as Endpoint): void {
  const indexes = new Map<number, Index>();
  const running = new Map<number, AbortController>();
  const find = (id: number): Index => {
    const index = indexes.get(id);
    if (!index) throw new DisposedError("IndexWorker", "index");
    return index;
  };

  /** A call that a signal of the other side may end. */
  async function abortable<T>(
    call: number,
    onProgress: Progress | undefined,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<Reply<T>> {
    const controller = new AbortController();
    running.set(call, controller);
    const reply = await replying(() => run(controller.signal));
    running.delete(call);
    // A callback of the other side keeps a port open until it is let go.
    (onProgress as Partial<ProxyMethods> | undefined)?.[releaseProxy]?.();
    return reply;
  }

  function keep(id: number, index: Index): Description {
    indexes.set(id, index);
    const { spec, metric, dimension, about, size } = index;
    return { spec, metric, dimension, about, size };
  }

  const server: IndexServer = {
    build: (id, call, vectors, spec, options, onProgress) =>
      abortable(call, onProgress, async (signal) => {
        const told = onProgress && { onProgress };
        return keep(id, await Index.build(vectors, spec, { ...options, ...told, signal }));
      }),
    load: (id, call, source) =>
      abortable(call, undefined, async (signal) => keep(id, await loadIndex(source, { signal }))),
    add: (id, call, vectors, options, onProgress) =>
      abortable(call, onProgress, async (signal) => {
        const index = find(id);
        await index.add(vectors, { ...options, ...(onProgress && { onProgress }), signal });
        return { value: undefined, size: index.size };
      }),
    abort: (call) => running.get(call)?.abort(),
    call: (id, method, args) =>
      replying(() => {
        if (!METHODS.includes(method)) throw new InputError("IndexWorker", "method", METHODS.join(", "), method);
        const index = find(id);
        const run = index[method] as (...args: unknown[]) => ReturnType<Index[typeof method]>;
        return { value: run.apply(index, args), size: index.size };
      }),
    async save(id) {
      const reply = await replying(() => saveIndex(find(id)));
      return "value" in reply ? transfer(reply, [reply.value.buffer]) : reply;
    },
    dispose(id) {
      indexes.get(id)?.dispose();
      indexes.delete(id);
    },
  };
  expose(server, endpoint);
}
