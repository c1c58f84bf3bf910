/**
 * Where the modules of this package lie. This file stays at the top of `src/` (and of `dist/`), for each path is a
 * literal relative to it: that is what vite, webpack 5 and Deno recognise, and copy or serve.
 */
import type { Tier } from "./kernels/tiers.ts";

export function bundledWasm(tier: Tier): URL {
  switch (tier) {
    case "scalar":
      return new URL("../wasm/lowbit.scalar.wasm", import.meta.url);
    case "simd128":
      return new URL("../wasm/lowbit.simd128.wasm", import.meta.url);
    case "relaxed":
      return new URL("../wasm/lowbit.relaxed.wasm", import.meta.url);
  }
}
