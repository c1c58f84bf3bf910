/**
 * Where the modules of this package lie. This file stays at the top of `src/` (and of `dist/`), for each path is a
 * literal relative to it: that is what vite, webpack 5 and Deno recognise, and copy or serve.
 */
import type { Part, Tier } from "./kernels/tiers.ts";

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
  }
}
