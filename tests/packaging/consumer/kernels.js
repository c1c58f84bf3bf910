// node kernels.js: two kernels without a graph, by `lowbit/kernels` alone. Prints the signs' dot product, which is known.
import { loadKernels, packSigns, XnorGemm } from "lowbit/kernels";

const channels = 1000;
const kernels = await loadKernels();
// Weights all -1; x has -1 in every fourth place: 250 * (+1) + 750 * (-1).
const codes = new Uint8Array(channels / 8).fill(255);
const gemm = new XnorGemm(kernels, { n: 1, channels, codes, output: { kind: "int32" } });
const x = kernels.upload(Float32Array.from({ length: channels }, (_, i) => (i % 4 === 0 ? -1 : 1)));
const bits = kernels.alloc(4 * Math.ceil(channels / 32));
const y = kernels.alloc(4);
packSigns(kernels, x, 1, channels, bits);
gemm.run(bits, 1, y);
console.log(kernels.i32(y, 1)[0]);
kernels.dispose();
