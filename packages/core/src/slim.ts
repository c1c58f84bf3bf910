/**
 * The entry for those who bring the WASM module themselves: as `lowbit`, without any reference to the package's own
 * files, so `wasm` must be given.
 *
 * @example
 * import { loadModel } from "lowbit/slim";
 * const model = await loadModel(bytes, { wasm: await (await fetch("/lowbit.simd128.wasm")).arrayBuffer(), tier: "simd128" });
 *
 * @module
 */
export * from "./common.ts";
export { type KernelOptions, loadKernels } from "./kernels/load.ts";
export { createModel, loadModel, type Slim } from "./runtime/load.ts";
