/**
 * Sums of sign planes with powers of two as coefficients, so that every order of additions gives the same: odd integers, which to another runtime are int8 or f32.
 * On our side each plane is bits.
 */
import { codeCoefficients, type KernelInstance, MultibitGemm } from "lowbit/kernels";
import type { Family } from "../case.ts";
import type { Gemm } from "../task.ts";
import { signPlanes, type TypedArray, type Values } from "../values.ts";
import { gemmCases } from "./product.ts";
import { productFamily } from "./product-family.ts";
import { packCodes, packSignWords, running } from "./product-kernels.ts";

const planesOf = (values: Values): number => signPlanes[values] ?? 1;

/** Plane i of odd integers: +1 where bit i of (value + 2^planes - 1) / 2 is set. */
const plane = (values: TypedArray, planes: number, i: number) =>
  Int8Array.from(values as Int8Array, (value) => ((((value + 2 ** planes - 1) / 2) >> i) & 1 ? 1 : -1));

/** [rows, planes, words of k] */
function packRows(values: TypedArray, planes: number, k: number): Uint32Array {
  const words = Math.ceil(k / 32);
  const packed = new Uint32Array((values.length / k) * words * planes);
  for (let j = 0; j < planes; j++) {
    const one = packSignWords(plane(values, planes, j), k);
    for (let at = 0; at < one.length; at += words) packed.set(one.subarray(at, at + words), at * planes + j * words);
  }
  return packed;
}

function product(instance: KernelInstance, { n, k, x, w }: Gemm, weights: TypedArray) {
  const [weightPlanes, planes] = [planesOf(w), planesOf(x)];
  const bytes = n * Math.ceil(k / 8);
  const codes = new Uint8Array(weightPlanes * bytes);
  for (let i = 0; i < weightPlanes; i++)
    codes.set(
      packCodes(plane(weights, weightPlanes, i), k, 1, (value) => (value < 0 ? 1 : 0)),
      i * bytes,
    );
  const alpha = Float32Array.from({ length: weightPlanes }, (_, i) => 2 ** i);
  const gemm = new MultibitGemm(instance, { n, k, weightPlanes, planes, codes, alpha });
  // An odd integer is 2 * code - (2^planes - 1).
  const coefficients = codeCoefficients(planes, 2, (2 ** planes - 1) / 2);
  const beta = instance.upload(coefficients);
  return {
    run: (x: number, rows: number, y: number) => gemm.run(x, rows, y, beta),
    dispose() {
      gemm.dispose();
      instance.free(beta, coefficients.byteLength);
    },
  };
}

const onPlanes = (family: Family): Family => ({
  ...family,
  kernel({ instance }, of, { x, w }) {
    const task = of.task as Gemm;
    const input = packRows(x as TypedArray, planesOf(task.x), task.k);
    return running(instance, [product(instance, task, w as TypedArray)], task, input);
  },
});

export const multibitGemm = onPlanes(
  productFamily(
    "Multi-bit product, 2 sign planes by 2",
    gemmCases("multibit_gemm", { x: "odd2", w: "odd2", y: "f32" }, ["16x256x1024", "64x1024x1024!"]),
  ),
);

export const multibitGemv = onPlanes(
  productFamily(
    "Multi-bit matrix of 3 sign planes by a vector of signs",
    gemmCases("multibit_gemv", { x: "sign", w: "odd3", y: "f32" }, ["1x4096x4096!"]),
  ),
);
