/** Every built-in quantizer, a line each; `parseScheme`, help texts, law tests and tables follow from it. */
import { binaryFamily } from "./binary.ts";
import { floatFamily } from "./float.ts";
import { kmeansFamily } from "./kmeans.ts";
import { pow2Family } from "./pow2.ts";
import { pqFamily } from "./pq.ts";
import type { SchemeFamily } from "./scheme-family.ts";
import { ternaryFamily } from "./ternary.ts";
import { uniformFamily } from "./uniform.ts";

export const registry: readonly SchemeFamily[] = [
  floatFamily,
  binaryFamily,
  ternaryFamily,
  uniformFamily,
  pow2Family,
  kmeansFamily,
  pqFamily,
];
