/** Every built-in quantizer, a line each; `parseScheme`, help texts, law tests and tables follow from it. */

import { floatFamily } from "./float.ts";
import { binaryFamily } from "./optimization/binary.ts";
import { ternaryFamily } from "./optimization/ternary.ts";
import { pow2Family } from "./rounding/pow2.ts";
import { uniformFamily } from "./rounding/uniform.ts";
import type { SchemeFamily } from "./scheme-family.ts";
import { aqFamily } from "./vector/aq.ts";
import { ecsqFamily } from "./vector/ecsq.ts";
import { ecsqUniformFamily } from "./vector/ecsq-uniform.ts";
import { hashedFamily } from "./vector/hashed.ts";
import { hkmeansFamily } from "./vector/hkmeans.ts";
import { kmeansFamily } from "./vector/kmeans.ts";
import { pqFamily } from "./vector/pq.ts";
import { rqFamily } from "./vector/rq.ts";

export const registry: readonly SchemeFamily[] = [
  floatFamily,
  binaryFamily,
  ternaryFamily,
  uniformFamily,
  pow2Family,
  kmeansFamily,
  hkmeansFamily,
  ecsqFamily,
  ecsqUniformFamily,
  pqFamily,
  rqFamily,
  aqFamily,
  hashedFamily,
];
