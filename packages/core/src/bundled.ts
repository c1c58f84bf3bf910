/**
 * Where the modules of this package lie, and an instance of one. This file stays at the top of `src/` (and of `dist/`), for each path is a
 * literal relative to it: that is what vite, webpack 5 and Deno recognise, and copy or serve.
 */
import type { KernelInstance } from "./kernels/instance.ts";
import { type KernelOptions, loadKernels as load } from "./kernels/load.ts";
import type { Part, Tier } from "./kernels/tiers.ts";

/** The file of a tier, beside this package's code. */
export function bundledWasm(tier: Tier, part: Part): URL {
  switch (`${part} ${tier}` as const) {
    case "core scalar":
      return new URL("../wasm/lowbit-core.scalar.wasm", import.meta.url);
    case "core simd128":
      return new URL("../wasm/lowbit-core.simd128.wasm", import.meta.url);
    case "core relaxed":
      return new URL("../wasm/lowbit-core.relaxed.wasm", import.meta.url);
    case "all scalar":
      return new URL("../wasm/lowbit.scalar.wasm", import.meta.url);
    case "all simd128":
      return new URL("../wasm/lowbit.simd128.wasm", import.meta.url);
    case "all relaxed":
      return new URL("../wasm/lowbit.relaxed.wasm", import.meta.url);
    case "threads scalar":
      return new URL("../wasm/lowbit-threads.scalar.wasm", import.meta.url);
    case "threads simd128":
      return new URL("../wasm/lowbit-threads.simd128.wasm", import.meta.url);
    case "threads relaxed":
      return new URL("../wasm/lowbit-threads.relaxed.wasm", import.meta.url);
    case "search scalar":
      return new URL("../wasm/lowbit-search.scalar.wasm", import.meta.url);
    case "search simd128":
      return new URL("../wasm/lowbit-search.simd128.wasm", import.meta.url);
    case "search relaxed":
      return new URL("../wasm/lowbit-search.relaxed.wasm", import.meta.url);
  }
}

/** As {@link KernelOptions}; `wasm` absent: the package's own module. */
export type LoadKernelsOptions = Omit<KernelOptions, "wasm"> & Partial<Pick<KernelOptions, "wasm">>;

/**
 * A WASM instance for direct use of kernels, with every export (`part: "core"` for the smaller module).
 * @throws TierError, ThreadsError, LoadError, or the signal's reason
 */
export function loadKernels(options: LoadKernelsOptions = {}): Promise<KernelInstance> {
  return load({ ...options, wasm: options.wasm ?? bundledWasm });
}
