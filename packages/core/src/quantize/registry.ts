/** Every built-in quantizer, a line each; `parseScheme`, help texts, law tests and tables follow from it. */

import { floatFamily } from "./float.ts";
import { abcNetFamily } from "./optimization/abc-net.ts";
import { admmFamily } from "./optimization/admm.ts";
import { binaryFamily } from "./optimization/binary.ts";
import { labFamily } from "./optimization/lab.ts";
import { laqFamily } from "./optimization/laq.ts";
import { lcFamily } from "./optimization/lc.ts";
import { lloydMaxFamily } from "./optimization/lloyd-max.ts";
import { lqNetsFamily } from "./optimization/lq-nets.ts";
import { multibitFamily } from "./optimization/multibit.ts";
import { sketchFamily } from "./optimization/sketch.ts";
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
  sketchFamily,
  multibitFamily,
  abcNetFamily,
  lqNetsFamily,
  lloydMaxFamily,
  labFamily,
  laqFamily,
  admmFamily,
  lcFamily,
  uniformFamily,
  pow2Family,
  kmeansFamily,
  pqFamily,
];
