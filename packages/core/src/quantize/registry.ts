/** Every built-in quantizer, a line each; `parseScheme`, help texts, law tests and tables follow from it. */

import { floatFamily } from "./float.ts";
import { binaryFamily } from "./optimization/binary.ts";
import { ternaryFamily } from "./optimization/ternary.ts";
import { pruneFamily } from "./pruning/prune.ts";
import { pow2Family } from "./rounding/pow2.ts";
import { uniformFamily } from "./rounding/uniform.ts";
import type { SchemeFamily } from "./scheme-family.ts";
import { kmeansFamily } from "./vector/kmeans.ts";
import { pqFamily } from "./vector/pq.ts";

export const registry: readonly SchemeFamily[] = [
  floatFamily,
  binaryFamily,
  ternaryFamily,
  uniformFamily,
  pow2Family,
  kmeansFamily,
  pqFamily,
  pruneFamily,
];
