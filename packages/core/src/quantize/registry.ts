/** Every built-in quantizer, a line each; `parseScheme`, help texts, law tests and tables follow from it. */

import { adaroundFamily } from "./calibrated/adaround.ts";
import { awqFamily } from "./calibrated/awq.ts";
import { gptqFamily } from "./calibrated/gptq.ts";
import { hqqFamily } from "./calibrated/hqq.ts";
import { floatFamily } from "./float.ts";
import { binaryFamily } from "./optimization/binary.ts";
import { ternaryFamily } from "./optimization/ternary.ts";
import { absmeanFamily } from "./rounding/absmean.ts";
import { apotFamily } from "./rounding/apot.ts";
import { balancedFamily } from "./rounding/balanced.ts";
import { bucketFamily } from "./rounding/bucket.ts";
import { dorefaFamily } from "./rounding/dorefa.ts";
import { fixedFamily } from "./rounding/fixed.ts";
import { logFamily } from "./rounding/log.ts";
import { pow2Family } from "./rounding/pow2.ts";
import { sqnrFamily } from "./rounding/sqnr.ts";
import { uniformFamily } from "./rounding/uniform.ts";
import { wageFamily } from "./rounding/wage.ts";
import { weightedEntropyFamily } from "./rounding/weighted-entropy.ts";
import { wrpnFamily } from "./rounding/wrpn.ts";
import type { SchemeFamily } from "./scheme-family.ts";
import { stochasticFamily } from "./stochastic/family.ts";
import { posteriorGridFamily } from "./stochastic/posterior-bits.ts";
import { softWeightSharingFamily } from "./stochastic/soft-weight-sharing.ts";
import { sparseDropoutFamily } from "./stochastic/sparse-dropout.ts";
import { variationalFamily } from "./stochastic/variational.ts";
import { kmeansFamily } from "./vector/kmeans.ts";
import { pqFamily } from "./vector/pq.ts";

export const registry: readonly SchemeFamily[] = [
  floatFamily,
  binaryFamily,
  ternaryFamily,
  uniformFamily,
  pow2Family,
  logFamily,
  apotFamily,
  dorefaFamily,
  balancedFamily,
  weightedEntropyFamily,
  fixedFamily,
  wageFamily,
  wrpnFamily,
  sqnrFamily,
  bucketFamily,
  absmeanFamily,
  kmeansFamily,
  pqFamily,
  stochasticFamily,
  softWeightSharingFamily,
  sparseDropoutFamily,
  variationalFamily,
  posteriorGridFamily,
  gptqFamily,
  awqFamily,
  adaroundFamily,
  hqqFamily,
];
