/**
 * Models behind a worker, so that a run does not hold up the page. The worker is a module of the caller's own (no blob
 * worker, so it works under a strict content security policy):
 *
 * @example
 * // model-worker.js
 * import { serveModels } from "lowbit/worker";
 * serveModels();
 *
 * // page
 * import { loadModelIn } from "lowbit/worker";
 * const worker = new Worker(new URL("./model-worker.js", import.meta.url), { type: "module" });
 * const model = await loadModelIn(worker, "digits.safetensors");
 * const { logits } = await model.run({ image });
 *
 * @module
 */
export { loadModelIn, type RemoteLoadOptions, type RemoteModel } from "./worker/client.ts";
// What another package needs to serve its own objects alike: errors keep their classes and numbers, sources travel.
export { type RemoteSource, type Reply, replying, sendable, unwrap } from "./worker/protocol.ts";
export { serveModels } from "./worker/server.ts";
