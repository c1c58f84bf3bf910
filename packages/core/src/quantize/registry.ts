/** Every built-in quantizer, a line each; `parseScheme`, help texts, law tests and tables follow from it. */

import { mxfp4Family } from "./blocks/mxfp4.ts";
import { nf4Family } from "./blocks/nf4.ts";
import { nvfp4Family } from "./blocks/nvfp4.ts";
import { q4_0Family } from "./blocks/q4-0.ts";
import { q4_kFamily } from "./blocks/q4-k.ts";
import { q8_0Family } from "./blocks/q8-0.ts";
import { tq1_0Family, tq2_0Family } from "./blocks/tq.ts";
import { floatFamily } from "./float.ts";
import { binaryFamily } from "./optimization/binary.ts";
import { ternaryFamily } from "./optimization/ternary.ts";
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
  q4_0Family,
  q8_0Family,
  q4_kFamily,
  tq1_0Family,
  tq2_0Family,
  nf4Family,
  mxfp4Family,
  nvfp4Family,
];
