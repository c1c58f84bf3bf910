/** From a WASM source to a {@link KernelInstance}. */
import { LoadError } from "../errors.ts";
import { type ByteSource, readSource } from "../source.ts";
import { KernelInstance } from "./instance.ts";
import { chooseTier, type Part, type Tier } from "./tiers.ts";

/** A module of the wanted tier: compiled, its bytes, or where they are. */
export type WasmSource = WebAssembly.Module | ByteSource;

/** Gives each tier's module; the package's own lies beside its code. Asked for `core`, it may give `all`. */
export type WasmProvider = (tier: Tier, part: Part) => WasmSource | PromiseLike<WasmSource>;

export interface KernelOptions {
  /** Absent: the highest that this engine runs. */
  readonly tier?: Tier | undefined;
  /** What a provider is asked for; `all` where it is absent. */
  readonly part?: Part | undefined;
  /** The module of that tier, or a function that finds it. */
  readonly wasm: WasmSource | WasmProvider;
  readonly signal?: AbortSignal | undefined;
}

/** Compiled modules by provider, part and tier: many models of one page share one compilation. Instances are never shared. */
const compiled = new WeakMap<WasmProvider, Map<string, Promise<WebAssembly.Module>>>();

/**
 * A new WASM instance with its own memory.
 * @throws TierError, LoadError, or the signal's reason
 */
export async function loadKernels({
  tier: wanted,
  part = "all",
  wasm,
  signal,
}: KernelOptions): Promise<KernelInstance> {
  signal?.throwIfAborted();
  const tier = chooseTier(wanted);
  const module = typeof wasm === "function" ? await provided(wasm as WasmProvider, tier, part) : await compile(wasm);
  signal?.throwIfAborted();
  return KernelInstance.create(module, tier);
}

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
