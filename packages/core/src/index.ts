/**
 * Loads and runs networks of 1-8 bit (and float) weights on Rust kernels compiled to WASM.
 *
 * @module
 */
export * from "./errors.ts";
export * from "./graph/index.ts";
export { KernelInstance } from "./kernels/instance.ts";
export { type KernelOptions, loadKernels, type WasmProvider, type WasmSource } from "./kernels/load.ts";
export { availableTiers, type Tier, tiers } from "./kernels/tiers.ts";
export { type ByteSource, readSource, type SourceOptions } from "./source.ts";
export { arrayOf, bytesOf, fromHalf, sizeOf, Tensor, type TensorDType, toHalf } from "./tensor.ts";
