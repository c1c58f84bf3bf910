/** Tasks over threads: each thread has one at a time, and takes the next when it is done. */

import { Worker } from "node:worker_threads";

/** From a thread: how far it is with its task (0..1), or how the task ended. */
export type FromThread =
  | { readonly progress: number }
  | { readonly result: unknown }
  | { readonly error: { readonly name: string; readonly message: string } };

/** An error of a task, as the thread had it. */
export class TaskError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

interface Waiting {
  readonly task: unknown;
  readonly onProgress: (share: number) => void;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class Pool<Task, Result> {
  readonly #url: URL;
  readonly #workerData: unknown;
  readonly #size: number;
  readonly #queue: Waiting[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Waiting>();
  #ended: Error | undefined;

  /** @param size threads at most; one is started when there is a task for it */
  constructor(url: URL, workerData: unknown, size: number) {
    this.#url = url;
    this.#workerData = workerData;
    this.#size = size;
  }

  /** @throws what the task threw, by name and message; what ended the pool */
  run(task: Task, onProgress: (share: number) => void = () => {}): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, onProgress, resolve: resolve as (result: unknown) => void, reject });
      this.#next();
    });
  }

  /** Ends every thread, also in the middle of a kernel; tasks that are not done are rejected. */
  async end(reason: Error = new TaskError("AbortError", "interrupted")): Promise<void> {
    this.#ended ??= reason;
    const threads = [...this.#idle.splice(0), ...this.#busy.keys()];
    const unfinished = [...this.#busy.values(), ...this.#queue.splice(0)];
    this.#busy.clear();
    await Promise.all(threads.map((thread) => thread.terminate()));
    for (const { reject } of unfinished) reject(this.#ended);
  }

  #next(): void {
    if (this.#ended !== undefined) {
      for (const { reject } of this.#queue.splice(0)) reject(this.#ended);
      return;
    }
    while (this.#queue.length > 0) {
      const thread = this.#idle.pop() ?? (this.#busy.size < this.#size ? this.#start() : undefined);
      if (thread === undefined) return;
      const waiting = this.#queue.shift()!;
      this.#busy.set(thread, waiting);
      thread.postMessage(waiting.task);
    }
  }

  #start(): Worker {
    const thread = new Worker(this.#url, { workerData: this.#workerData });
    thread.on("message", (message: FromThread) => {
      const waiting = this.#busy.get(thread);
      if (waiting === undefined) return;
      if ("progress" in message) return waiting.onProgress(message.progress);
      this.#busy.delete(thread);
      this.#idle.push(thread);
      if ("error" in message) waiting.reject(new TaskError(message.error.name, message.error.message));
      else waiting.resolve(message.result);
      this.#next();
    });
    // A thread that dies takes its task with it, and nothing else.
    const gone = (error: unknown) => {
      this.#busy.get(thread)?.reject(error);
      this.#busy.delete(thread);
      const at = this.#idle.indexOf(thread);
      if (at >= 0) this.#idle.splice(at, 1);
      this.#next();
    };
    thread.on("error", gone);
    thread.on("exit", (code) => gone(new Error(`a thread ended with ${code}`)));
    return thread;
  }
}
