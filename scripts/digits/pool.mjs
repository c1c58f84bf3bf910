/** Tasks over as many threads as there are cores, each thread taking the next one when it is done. */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

/**
 * @param {URL} script a module that answers each `{ id, task }` with `{ id, result }` or `{ id, error }`
 * @param {unknown} workerData given to every thread; arrays over shared memory are not copied
 * @param {readonly unknown[]} tasks
 * @returns {Promise<unknown[]>} results, in the order of the tasks
 */
export async function runTasks(script, workerData, tasks) {
  const results = new Array(tasks.length);
  let next = 0;
  /** One thread until there is nothing left to take. */
  const thread = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(script, { workerData });
      const take = () => {
        if (next === tasks.length) return resolve(worker.terminate());
        const id = next++;
        worker.postMessage({ id, task: tasks[id] });
      };
      worker.on("message", ({ id, result, error }) => {
        if (error !== undefined) return reject(new Error(error));
        results[id] = result;
        take();
      });
      worker.on("error", reject);
      worker.on("exit", (code) => reject(new Error(`a thread ended with ${code}`)));
      take();
    });
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), tasks.length) }, thread));
  return results;
}
