/**
 * f32 activations by weights of a codebook of 16 centroids (k-means), which stay packed at four bits. To another runtime it is an f32 product of the
 * decoded weights. Tensors beside `x` and `w`: `codes` uint8 [n, k] and `codebook` f32 [16], w = codebook[codes].
 */
import { CodebookGemm } from "lowbit/kernels";
import type { Case, Family } from "../case.ts";
import { coldCopies, type Gemm } from "../task.ts";
import { draw, type TypedArray } from "../values.ts";
import { gemmCases, productTensors } from "./product.ts";
import { productFamily } from "./product-family.ts";
import { packCodes, running } from "./product-kernels.ts";

const BITS = 4;
const CODEBOOK_STREAM = 3;

const withCodebook = (family: Family): Family => ({
  ...family,
  tensors(of) {
    const { n, k } = of.task as Gemm;
    const codebook = draw("f32", 2 ** BITS, of.seed, CODEBOOK_STREAM) as Float32Array;
    const codes = new Uint8Array(draw("int4", n * k, of.seed, 1).buffer);
    const w = new Float32Array(n * k);
    for (let i = 0; i < w.length; i++) {
      codes[i]! += 8;
      w[i] = codebook[codes[i]!]!;
    }
    return { x: productTensors({ ...of, task: { ...(of.task as Gemm), n: 1 } }).x as TypedArray, w, codes, codebook };
  },
  kernel({ instance }, of: Case, { x, codes, codebook }) {
    const task = of.task as Gemm;
    const { n, k } = task;
    const options = { n, k, bits: BITS, codes: packCodes(codes as Uint8Array, k, BITS, (code) => code) };
    const decoding = { kind: "table", codebook: codebook as Float32Array } as const;
    const copies = task.cold ? coldCopies((n * k * BITS) / 8) : 1;
    const kernels = Array.from({ length: copies }, () => new CodebookGemm(instance, { ...options, decoding }));
    return running(instance, kernels, task, x as TypedArray);
  },
});

const types = { x: "f32", w: "f32", y: "f32" } as const;

export const codebookGemm = withCodebook(
  productFamily("f32 by a codebook of 16", gemmCases("codebook_gemm", types, ["16x1024x1024", "64x1024x1024!"])),
);

export const codebookGemvCold = withCodebook(
  productFamily(
    "f32 vector by a codebook of 16, weights from memory",
    gemmCases("codebook_gemv_cold", { ...types, cold: true, wBits: BITS }, ["1x4096x4096"]),
  ),
);
