/** Every built-in quantizer, a line each; `parseScheme`, help texts, law tests and tables follow from it. */

import { mxfp4Family } from "./blocks/mxfp4.ts";
import { nf4Family } from "./blocks/nf4.ts";
import { nvfp4Family } from "./blocks/nvfp4.ts";
import { q4_0Family } from "./blocks/q4-0.ts";
import { q4_kFamily } from "./blocks/q4-k.ts";
import { q8_0Family } from "./blocks/q8-0.ts";
import { tq1_0Family, tq2_0Family } from "./blocks/tq.ts";
import { adaroundFamily } from "./calibrated/adaround.ts";
import { aqlmFamily } from "./calibrated/aqlm.ts";
import { awqFamily } from "./calibrated/awq.ts";
import { gptqFamily } from "./calibrated/gptq.ts";
import { hqqFamily } from "./calibrated/hqq.ts";
import { twoStepFamily } from "./calibrated/two-step.ts";
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
import { pruneFamily } from "./pruning/prune.ts";
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
  hkmeansFamily,
  ecsqFamily,
  ecsqUniformFamily,
  pqFamily,
  rqFamily,
  aqFamily,
  hashedFamily,
  pruneFamily,
  stochasticFamily,
  softWeightSharingFamily,
  sparseDropoutFamily,
  variationalFamily,
  posteriorGridFamily,
  gptqFamily,
  awqFamily,
  aqlmFamily,
  twoStepFamily,
  adaroundFamily,
  hqqFamily,
  q4_0Family,
  q8_0Family,
  q4_kFamily,
  tq1_0Family,
  tq2_0Family,
  nf4Family,
  mxfp4Family,
  nvfp4Family,
];
