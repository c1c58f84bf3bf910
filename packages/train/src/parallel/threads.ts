import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { DataError } from "../errors.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import type { WorkerPlace } from "./worker.ts";

/** The worker threads of one training. The first that fails ends every wait for them, and so does the caller's signal. */
export class GradientThreads {
  readonly #threads: Worker[] = [];
  /** Aborted with what the training fails of. */
  readonly #failure = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.#failure.abort(this.#signal!.reason);

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
    if (signal?.aborted) this.#abort();
  }

  /** Starts one more. It is listened to from here on: it may fail before it is asked anything, or between two steps. */
  start(module: URL, place: WorkerPlace): void {
    const thread = new Worker(module, { workerData: place });
    this.#threads.push(thread);
    const fail = (reason: unknown) => this.#failure.abort(reason);
    const name = `worker ${place.index}`;
    thread.on("error", (error) => fail(ofOwnClass(error)));
    thread.on("messageerror", (cause) => fail(new Error(`${name}: its answer cannot be read`, { cause })));
    // After an error this comes too, and is too late to count.
    thread.on("exit", (code) =>
      fail(
        new Error(`${name} ended with exit code ${code} before the training; its module must call runGradientWorker`),
      ),
    );
  }

  /**
   * Sends all threads the same message, and gives their answers in the order in which they were started.
   * @throws what the first worker to fail threw; the signal's reason; both at once, whatever the others are doing
   */
  ask(message: ToWorker): Promise<FromWorker[]> {
    return unlessAborted(this.#failure.signal, Promise.all(this.#threads.map((thread) => answerOf(thread, message))));
  }

  /** Ends all threads, busy or not. */
  async end(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#abort);
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}

async function answerOf(thread: Worker, message: ToWorker): Promise<FromWorker> {
  const answered = once(thread, "message");
  thread.postMessage(message);
  const [answer] = await answered;
  return answer;
}

/**
 * What `work` comes to, or the signal's reason as soon as there is one.
 *
 * Not `Promise.race` with one promise of failure: that promise would keep the answers of every step until the end.
 */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Between threads an error keeps its fields and loses its class, which callers tell errors by. */
function ofOwnClass(error: unknown): unknown {
  return error instanceof Error && error.name === "DataError" ? new DataError(error.message, { cause: error }) : error;
}
