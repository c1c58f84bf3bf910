/** From a WASM source to a {@link KernelInstance}. */
import { LoadError } from "../errors.ts";
import { type ByteSource, readSource } from "../source.ts";
import { KernelInstance } from "./instance.ts";
import { chooseTier, type Tier } from "./tiers.ts";

/** A module of the wanted tier: compiled, its bytes, or where they are. */
export type WasmSource = WebAssembly.Module | ByteSource;

/** Gives each tier's module; the package's own lies beside its code. */
export type WasmProvider = (tier: Tier) => WasmSource | PromiseLike<WasmSource>;

export interface KernelOptions {
  /** Absent: the highest that this engine runs. */
  readonly tier?: Tier | undefined;
  /** The module of that tier, or a function that finds it. */
  readonly wasm: WasmSource | WasmProvider;
  readonly signal?: AbortSignal | undefined;
}

/** Compiled modules by provider and tier: many models of one page share one compilation. Instances are never shared. */
const compiled = new WeakMap<WasmProvider, Map<Tier, Promise<WebAssembly.Module>>>();

/**
 * A new WASM instance with its own memory.
 * @throws TierError, LoadError, or the signal's reason
 */
export async function loadKernels({ tier: wanted, wasm, signal }: KernelOptions): Promise<KernelInstance> {
  signal?.throwIfAborted();
  const tier = chooseTier(wanted);
  const module = typeof wasm === "function" ? await provided(wasm as WasmProvider, tier) : await compile(wasm);
  signal?.throwIfAborted();
  return KernelInstance.create(module, tier);
}

function provided(provider: WasmProvider, tier: Tier): Promise<WebAssembly.Module> {
  const modules = compiled.get(provider) ?? new Map<Tier, Promise<WebAssembly.Module>>();
  compiled.set(provider, modules);
  let module = modules.get(tier);
  if (!module) {
    module = Promise.resolve(provider(tier)).then(compile);
    modules.set(tier, module);
    // What failed once (a lost connection) may be tried again.
    module.catch(() => modules.delete(tier));
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
