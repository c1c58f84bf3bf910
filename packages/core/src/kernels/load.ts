/** From a WASM source to a {@link KernelInstance}. */
import { LoadError, OutOfRangeError, ThreadsError } from "../errors.ts";
import { type ByteSource, readSource } from "../source.ts";
import { type BinaryCounting, KernelInstance } from "./instance.ts";
import { chooseTier, type Part, type Tier } from "./tiers.ts";

/** A module of the wanted tier: compiled, its bytes, or where they are. */
export type WasmSource = WebAssembly.Module | ByteSource;

/** Gives each tier's module; the package's own lies beside its code. Asked for `bits`, `bytes` or `floats`, it may give `all`. */
export type WasmProvider = (tier: Tier, part: Part) => WasmSource | PromiseLike<WasmSource>;

export interface KernelOptions {
  /** Absent: the highest that this engine runs. */
  readonly tier?: Tier | undefined;
  /** How binary products count; absent: probed for a few milliseconds when the first large one is made. */
  readonly binary?: BinaryCounting | undefined;
  /** What a provider is asked for; `all` where it is absent. */
  readonly part?: Part | undefined;
  /** The module of that tier, or a function that finds it. */
  readonly wasm: WasmSource | WasmProvider;
  /**
   * Threads that share out large products and convolutions, 1 to 64, the calling one among them; absent: 1. More than one needs shared memory (in a
   * page: cross-origin isolation) and workers, and takes the module `lowbit-threads.<tier>.wasm`. Results are the same.
   */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Compiled modules by provider, part and tier: many models of one page share one compilation. Instances are never shared. */
const compiled = new WeakMap<WasmProvider, Map<string, Promise<WebAssembly.Module>>>();

/** What `threads` may be. */
const mostThreads = 64;

/**
 * A new WASM instance with its own memory.
 * @throws TierError, ThreadsError, LoadError, OutOfRangeError, or the signal's reason
 */
export async function loadKernels({
  tier: wanted,
  part = "all",
  binary,
  wasm,
  threads = 1,
  signal,
}: KernelOptions): Promise<KernelInstance> {
  signal?.throwIfAborted();
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= mostThreads))
    throw new OutOfRangeError("loadKernels", "threads", `1 to ${mostThreads}`, threads);
  const tier = chooseTier(wanted);
  // Not even loaded where nobody asks for threads.
  const { checkThreads, startThreads } = threads > 1 ? await import("../threads.ts") : {};
  checkThreads?.(refuseThreads);
  const module =
    typeof wasm === "function"
      ? await provided(wasm as WasmProvider, tier, threads > 1 ? "threads" : part)
      : await compile(wasm);
  signal?.throwIfAborted();
  const instance = startThreads
    ? KernelInstance.shared(await startThreads(module, threads, signal, refuseThreads), tier)
    : await KernelInstance.create(module, tier);
  instance.binary = binary;
  return instance;
}

const refuseThreads = (what: string, expected: unknown, got: unknown, cause?: unknown): never => {
  throw new ThreadsError("loadKernels", what, expected, got, cause);
};

function provided(provider: WasmProvider, tier: Tier, part: Part): Promise<WebAssembly.Module> {
  const modules = compiled.get(provider) ?? new Map<string, Promise<WebAssembly.Module>>();
  compiled.set(provider, modules);
  const key = `${part} ${tier}`;
  let module = modules.get(key);
  if (!module) {
    module = Promise.resolve(provider(tier, part)).then(compile);
    modules.set(key, module);
    // What failed once (a lost connection) may be tried again.
    module.catch(() => modules.delete(key));
  }
  return module;
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  const bytes = await readSource(source);
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw new LoadError("loadKernels", "WASM module", "a module that this engine compiles", cause, cause);
  }
}
