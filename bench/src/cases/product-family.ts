/** A family of products or convolutions is its name and its cases. */
import type { Case, Family } from "../case.ts";
import { productOutputs, productResult, productSums, productTensors } from "./product.ts";
import { productKernel } from "./product-kernels.ts";

export const productFamily = (title: string, cases: readonly Case[]): Family => ({
  name: cases[0]!.family,
  title,
  cases,
  tensors: productTensors,
  outputs: productOutputs,
  sums: productSums,
  result: productResult,
  kernel: productKernel,
});
