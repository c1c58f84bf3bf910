/** The other end of a `Pool`: what a thread of it does with its tasks. */

import { parentPort } from "node:worker_threads";

/**
 * Answers tasks until the thread is ended.
 * @param work its `tell` takes the share of the task that is done, 0..1
 */
export function serveTasks<Task>(work: (task: Task, tell: (share: number) => void) => Promise<unknown>): void {
  const port = parentPort!;
  port.on("message", async (task: Task) => {
    let told = 0;
    const tell = (share: number) => {
      if (share - told < 0.01) return;
      told = share;
      port.postMessage({ progress: share });
    };
    try {
      port.postMessage({ result: await work(task, tell) });
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      port.postMessage({ error: { name, message } });
    }
  });
}
