/**
 * Indexes behind a worker, so that neither a build nor a search holds up the page. The worker is a module of the caller's own:
 *
 * @example
 * // index-worker.js
 * import { serveIndexes } from "@lowbit/search/worker";
 * serveIndexes();
 *
 * // page
 * import { IndexWorker } from "@lowbit/search/worker";
 * const worker = new Worker(new URL("./index-worker.js", import.meta.url), { type: "module" });
 * const index = await IndexWorker.build(worker, vectors, "PQ48x8,RSQ8", { onProgress });
 * const hits = await index.search(query, 10);
 *
 * @module
 */
export { IndexWorker, type RemoteBuildOptions } from "./worker/client.ts";
export { serveIndexes } from "./worker/server.ts";
