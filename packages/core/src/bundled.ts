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
    case "bits scalar":
      return new URL("../wasm/lowbit-bits.scalar.wasm", import.meta.url);
    case "bits simd128":
      return new URL("../wasm/lowbit-bits.simd128.wasm", import.meta.url);
    case "bits relaxed":
      return new URL("../wasm/lowbit-bits.relaxed.wasm", import.meta.url);
    case "int8 scalar":
      return new URL("../wasm/lowbit-int8.scalar.wasm", import.meta.url);
    case "int8 simd128":
      return new URL("../wasm/lowbit-int8.simd128.wasm", import.meta.url);
    case "int8 relaxed":
      return new URL("../wasm/lowbit-int8.relaxed.wasm", import.meta.url);
    case "bytes scalar":
      return new URL("../wasm/lowbit-bytes.scalar.wasm", import.meta.url);
    case "bytes simd128":
      return new URL("../wasm/lowbit-bytes.simd128.wasm", import.meta.url);
    case "bytes relaxed":
      return new URL("../wasm/lowbit-bytes.relaxed.wasm", import.meta.url);
    case "floats scalar":
      return new URL("../wasm/lowbit-floats.scalar.wasm", import.meta.url);
    case "floats simd128":
      return new URL("../wasm/lowbit-floats.simd128.wasm", import.meta.url);
    case "floats relaxed":
      return new URL("../wasm/lowbit-floats.relaxed.wasm", import.meta.url);
    case "transformer scalar":
      return new URL("../wasm/lowbit-transformer.scalar.wasm", import.meta.url);
    case "transformer simd128":
      return new URL("../wasm/lowbit-transformer.simd128.wasm", import.meta.url);
    case "transformer relaxed":
      return new URL("../wasm/lowbit-transformer.relaxed.wasm", import.meta.url);
    case "all scalar":
      return new URL("../wasm/lowbit.scalar.wasm", import.meta.url);
    case "all simd128":
      return new URL("../wasm/lowbit.simd128.wasm", import.meta.url);
    case "all relaxed":
      return new URL("../wasm/lowbit.relaxed.wasm", import.meta.url);
    case "ops scalar":
      return new URL("../wasm/lowbit-ops.scalar.wasm", import.meta.url);
    case "ops simd128":
      return new URL("../wasm/lowbit-ops.simd128.wasm", import.meta.url);
    case "ops relaxed":
      return new URL("../wasm/lowbit-ops.relaxed.wasm", import.meta.url);
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
    case "quantize scalar":
      return new URL("../wasm/lowbit-quantize.scalar.wasm", import.meta.url);
    case "quantize simd128":
      return new URL("../wasm/lowbit-quantize.simd128.wasm", import.meta.url);
    case "quantize relaxed":
      return new URL("../wasm/lowbit-quantize.relaxed.wasm", import.meta.url);
  }
}

/** As {@link KernelOptions}; `wasm` absent: the package's own module. */
export type LoadKernelsOptions = Omit<KernelOptions, "wasm"> & Partial<Pick<KernelOptions, "wasm">>;

/**
 * A WASM instance for direct use of kernels, with every export of networks and what most quantizers call (`part` for a smaller module, for that of search, or for that of all quantizers).
 * @throws TierError, ThreadsError, LoadError, or the signal's reason
 */
export function loadKernels(options: LoadKernelsOptions = {}): Promise<KernelInstance> {
  return load({ ...options, wasm: options.wasm ?? bundledWasm });
}
