import { type Endpoint, expose, type ProxyMethods, releaseProxy, transfer } from "comlink";
import { bundledWasm } from "../bundled.ts";
import { DisposedError } from "../errors.ts";
import { loadModel } from "../runtime/load.ts";
import type { Model } from "../runtime/types.ts";
import { buffersOf, fromPlain, type ModelServer, type PlainEntry, replying, toPlain } from "./protocol.ts";

/**
 * Lets the other side of `endpoint` load and run models here. Call it once in the worker's module.
 * @param endpoint absent: the worker's own scope; in Node a message port through comlink's node adapter
 */
export function serveModels(endpoint: Endpoint = globalThis as unknown as Endpoint): void {
  const models = new Map<number, Model>();
  const loading = new Map<number, AbortController>();
  const find = (id: number): Model => {
    const model = models.get(id);
    if (!model) throw new DisposedError("run", "the model");
    return model;
  };
  const server: ModelServer = {
    async load(id, source, options, onProgress) {
      const controller = new AbortController();
      loading.set(id, controller);
      const { signal } = controller;
      const wasm = options.wasm ?? bundledWasm;
      const reply = await replying(async () => {
        const model = await loadModel(source, { ...options, wasm, signal, onProgress });
        models.set(id, model);
        const { tier, inputs, outputs, labels } = model;
        return { tier, inputs, outputs, labels };
      });
      loading.delete(id);
      // A callback of the other side keeps a port open until it is let go.
      (onProgress as Partial<ProxyMethods> | undefined)?.[releaseProxy]?.();
      return reply;
    },
    abort: (id) => loading.get(id)?.abort(),
    async run(id, feed) {
      const reply = await replying(async () => plain(await find(id).run(entries(feed))));
      // The outputs were made for this call: they move, and are not copied.
      return "value" in reply ? transfer(reply, buffersOf(Object.values(reply.value))) : reply;
    },
    profile: (id, feed, runs) =>
      replying(() => find(id).profile(feed && entries(feed), runs === undefined ? {} : { runs })),
    dispose(id) {
      models.get(id)?.dispose();
      models.delete(id);
    },
  };
  expose(server, endpoint);
}

const entries = (feed: Readonly<Record<string, PlainEntry>>) =>
  Object.fromEntries(Object.entries(feed).map(([name, entry]) => [name, fromPlain(entry)]));

const plain = (tensors: Awaited<ReturnType<Model["run"]>>): Record<string, PlainEntry> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, toPlain(tensor)]));
