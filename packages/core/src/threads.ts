/**
 * Threads of a kernel instance: workers with instances of the same module over its memory. This file is loaded only where threads are asked for; it
 * stays at the top of `src/` (and of `dist/`) beside `thread-worker.js`, whose path is a literal, which bundlers recognise.
 *
 * A run is cut into chunks by `parallel_begin` (crates/wasm/src/parallel.rs). The calling thread offers them in a block of int32, takes some itself,
 * and goes on once all are finished. Nobody is waited for that has not taken a chunk, so a sleepy worker costs nothing but its help:
 *
 * | word | |
 * |---|---|
 * | LEFT | chunks that nobody has taken; taking one is a compare-exchange to one less, which is also its index. Workers sleep on 0 and end on -1 |
 * | UNFINISHED | chunks that were not finished; the caller waits for 0 |
 * | TRAPPED | 1 where a worker trapped; its text lies behind it, a character a word |
 */
import type { Exports, Threads } from "./kernels/instance.ts";

// Words that different threads wait for lie on cache lines of their own.
const [LEFT, UNFINISHED, TRAPPED, TEXT, WORDS] = [0, 16, 32, 33, 256] as const;

/** Bytes of a worker's stack. A kernel takes less than a tenth of it. */
const stackBytes = 256 * 1024;

/** Pages of a new memory: what the module wants at least, with room. */
const initialPages = 32;

/** Pages of the largest memory: 4 GiB of addresses, or what the engine reserves. */
const mostPages = 65_536;

/** Looks for the last chunk's end before sleeping, some 0.1 ms of them. They are counted: a clock's answer would be an object of each look. */
const spins = 20_000;

/** Milliseconds until a sleeping caller looks again whether a worker is gone. */
const sleepMs = 1000;

/** Nanoseconds of a row from which on a product is cut into slices of its columns. */
const worthSlicing = 50_000;

/**
 * Throws a ThreadsError. It is given to this file, which imports nothing that others do: a bundler makes one small file of it, and leaves those as they are.
 */
export type Refuse = (what: string, expected: unknown, got: unknown, cause?: unknown) => never;

/** Refuses where this page or process can have no threads, and says what is missing. */
export function checkThreads(refuse: Refuse): void {
  if (typeof SharedArrayBuffer !== "function" || globalThis.crossOriginIsolated === false)
    refuse(
      "shared memory",
      "a cross-origin isolated page (served with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp or credentialless)",
      typeof SharedArrayBuffer === "function" ? "crossOriginIsolated = false" : "no SharedArrayBuffer",
    );
  if (typeof Worker !== "function" && !isNode())
    refuse("workers", "an engine with Worker or node:worker_threads", "neither");
}

const isNode = (): boolean => typeof process === "object" && typeof process.versions?.node === "string";

/** What this file needs of a worker, of the web's kind and of Node's. */
interface Thread {
  postMessage(message: unknown): void;
  terminate(): unknown;
  unref?(): void;
}

/** The first instance, and threads that are not started yet. */
export async function startThreads(
  module: WebAssembly.Module,
  count: number,
  signal: AbortSignal | undefined,
  refuse: Refuse,
): Promise<{ readonly instance: WebAssembly.Instance; readonly threads: Pool }> {
  const memory = sharedMemory(refuse);
  const instance = await WebAssembly.instantiate(module, importsWith(module, memory, refuse));
  const exports = instance.exports as unknown as Exports & { readonly memory_init: () => void };
  exports.memory_init();
  const pool = new Pool(count);
  const started = await Promise.allSettled(
    Array.from({ length: count - 1 }, async (_, i) => {
      const stack = exports.memory_alloc(stackBytes) >>> 0;
      if (stack === 0) refuse("bytes for stacks", stackBytes * (count - 1), "no more memory");
      // Stacks grow downwards.
      await pool.start({ module, memory, stack: stack + stackBytes, thread: i + 1 }, refuse);
    }),
  );
  const failed = started.find((result) => result.status === "rejected");
  if (failed || signal?.aborted) pool.dispose();
  signal?.throwIfAborted();
  if (failed) throw failed.reason;
  return { instance, threads: pool };
}

/** Some engines reserve all that a shared memory may become, and refuse what they cannot. */
function sharedMemory(refuse: Refuse): WebAssembly.Memory {
  for (let maximum = mostPages; ; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: initialPages, maximum, shared: true });
    } catch (cause) {
      if (maximum <= 2 * initialPages) refuse("shared memory", "an engine that gives some", cause, cause);
    }
  }
}

function importsWith(module: WebAssembly.Module, memory: WebAssembly.Memory, refuse: Refuse): WebAssembly.Imports {
  const wanted = WebAssembly.Module.imports(module);
  if (!wanted.some(({ kind }) => kind === "memory"))
    refuse("WASM module", "lowbit-threads.<tier>.wasm", "a module with a memory of its own");
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module: from, name, kind } of wanted)
    imports[from] = { ...imports[from], [name]: kind === "memory" ? memory : () => undefined };
  return imports;
}

/** What a worker is told first. */
interface Start {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** The upper end of its stack. */
  readonly stack: number;
  /** Its number, from 1 on. */
  readonly thread: number;
}

/** The workers of one instance. */
class Pool implements Threads {
  readonly count: number;
  readonly #words = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  readonly #workers: Thread[] = [];
  readonly #sleeps = maySleep();

  constructor(count: number) {
    this.count = count;
  }

  /** Resolves once the worker waits for work. */
  async start(message: Start, refuse: Refuse): Promise<void> {
    const { worker, ready } = await spawn();
    this.#workers.push(worker);
    worker.postMessage({ ...message, words: this.#words });
    const answer = await ready;
    if (answer !== "ready") refuse("worker", "thread-worker.js beside the package's code", answer, answer);
    // From here on it ends with the process.
    worker.unref?.();
  }

  run(exports: Exports, handle: number, x: number, y: number, count: number): number {
    const chunks = exports.parallel_begin(handle, x, y, count, this.count);
    if (chunks < 0) return chunks;
    const words = this.#words;
    if (chunks === 1) exports.parallel_run(0, 0);
    else {
      Atomics.store(words, UNFINISHED, chunks);
      Atomics.store(words, LEFT, chunks);
      Atomics.notify(words, LEFT, this.count - 1);
      this.#help(exports);
      this.#wait();
    }
    exports.parallel_end();
    return 0;
  }

  slices(n: number, cost: number): readonly number[] {
    const words = Math.ceil(n / 32);
    // Twice as many slices as threads: one that was held up leaves half of its share to the others.
    const slices = cost >= worthSlicing ? Math.min(2 * this.count, words) : 1;
    const start = (slice: number) => Math.min(n, Math.floor((words * slice) / slices) * 32);
    return Array.from({ length: slices }, (_, i) => start(i + 1) - start(i));
  }

  dispose(): void {
    Atomics.store(this.#words, LEFT, -1);
    Atomics.notify(this.#words, LEFT);
    for (const worker of this.#workers.splice(0)) void worker.terminate();
  }

  /** Takes chunks as long as there are any. */
  #help(exports: Exports): void {
    const words = this.#words;
    for (let left = Atomics.load(words, LEFT); left > 0; left = Atomics.load(words, LEFT)) {
      if (Atomics.compareExchange(words, LEFT, left, left - 1) !== left) continue;
      exports.parallel_run(0, left - 1);
      Atomics.sub(words, UNFINISHED, 1);
    }
  }

  /** @throws what a worker threw */
  #wait(): void {
    const words = this.#words;
    let looks = 0;
    for (let left = Atomics.load(words, UNFINISHED); left > 0; left = Atomics.load(words, UNFINISHED)) {
      if (this.#sleeps && ++looks > spins) Atomics.wait(words, UNFINISHED, left, sleepMs);
    }
    if (Atomics.load(words, TRAPPED) !== 0) {
      const text = words.subarray(TEXT, words.indexOf(0, TEXT));
      throw new Error(String.fromCharCode(...text));
    }
  }
}

/** A page's main thread must not sleep. */
function maySleep(): boolean {
  try {
    return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0) === "not-equal";
  } catch {
    return false;
  }
}

/** A new worker, and a promise of its first message, or of why there is none. */
async function spawn(): Promise<{ readonly worker: Thread; readonly ready: Promise<unknown> }> {
  // Node and Deno get a worker of Node's kind, the only one that lets the process end before it; what else is called Worker in Node, some library put there.
  const isNodes = isNode() && !("Bun" in globalThis);
  if (typeof Worker === "function" && !isNodes && !("Deno" in globalThis)) {
    const worker = new Worker(new URL("./thread-worker.js", import.meta.url), { type: "module", name: "lowbit" });
    const ready = new Promise<unknown>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault?.();
        resolve(event.message ?? event.type);
      };
    });
    return { worker, ready };
  }
  const name = "node:worker_threads";
  const threads = (await import(
    /* @vite-ignore */ /* webpackIgnore: true */ name
  )) as typeof import("node:worker_threads");
  const url = new URL(/* webpackIgnore: true */ /* @vite-ignore */ "./thread-worker.js", import.meta.url);
  const worker = new threads.Worker(url, { name: "lowbit", execArgv: [] });
  const ready = new Promise<unknown>((resolve) => {
    for (const event of ["message", "error", "exit"]) worker.once(event, resolve);
  });
  return { worker, ready };
}
