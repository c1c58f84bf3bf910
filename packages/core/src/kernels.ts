/**
 * The kernels themselves, without a graph: for benches, for indexes, and for authors of kernels and operators.
 *
 * An instance owns a WASM memory; wrappers take it and pointers into it. Nothing is copied but by `upload` and the views.
 *
 * @example
 * import { loadKernels, XnorGemm } from "lowbit/kernels";
 *
 * using kernels = await loadKernels();                       // the best tier that this engine runs
 * using gemm = new XnorGemm(kernels, { n: 64, channels: 256, codes, output: { kind: "int32" } }); // packs the weights, once
 * const x = kernels.upload(rowsOfBits);                      // u32 [rows, 8]
 * const y = kernels.alloc(rows * 64 * 4);
 * gemm.run(x, rows, y);
 * console.log(kernels.i32(y, rows * 64));                    // a view: use it before the next call that may allocate
 *
 * @module
 */
export { bundledWasm, type LoadKernelsOptions, loadKernels } from "./bundled.ts";
export * from "./errors.ts";
export * from "./kernels/index.ts";
