/** Every method of the table in `docs/methods.md`, a line each. No entry imports this file: it costs a user nothing. */

import { dynamicActivationMethods } from "./activations/dynamic.ts";
import { hwgqMethods } from "./activations/hwgq.ts";
import { lsqMethod } from "./activations/lsq.ts";
import { pactMethod } from "./activations/pact.ts";
import { signActivationMethods } from "./activations/sign.ts";
import { staticActivationMethods } from "./activations/static.ts";
import { unitActivationMethods } from "./activations/unit.ts";
import { mxfp4Method } from "./blocks/mxfp4.ts";
import { nf4Method } from "./blocks/nf4.ts";
import { nvfp4Method } from "./blocks/nvfp4.ts";
import { q4_0Method } from "./blocks/q4-0.ts";
import { q4_kMethod } from "./blocks/q4-k.ts";
import { q8_0Method } from "./blocks/q8-0.ts";
import { tqMethods } from "./blocks/tq.ts";
import { adaroundMethod } from "./calibrated/adaround.ts";
import { aqlmMethod } from "./calibrated/aqlm.ts";
import { awqMethod } from "./calibrated/awq.ts";
import { biasCorrectionMethod } from "./calibrated/bias-correction.ts";
import { equalizationMethods } from "./calibrated/equalization.ts";
import { gptqMethods } from "./calibrated/gptq.ts";
import { hadamardMethod } from "./calibrated/hadamard.ts";
import { hqqMethod } from "./calibrated/hqq.ts";
import { twoStepMethod } from "./calibrated/two-step.ts";
import { dorefaGradientMethod } from "./gradients/dorefa.ts";
import { doubleSamplingMethod } from "./gradients/double-sampling.ts";
import { dynamicTreeMethod } from "./gradients/dynamic-tree.ts";
import { oneBitMethod } from "./gradients/one-bit.ts";
import { qsgdMethod } from "./gradients/qsgd.ts";
import { signMethods } from "./gradients/sign.ts";
import { ternGradMethods } from "./gradients/terngrad.ts";
import { thresholdMethod } from "./gradients/threshold.ts";
import type { Method } from "./method.ts";
import { abcNetMethod } from "./optimization/abc-net.ts";
import { admmMethods } from "./optimization/admm.ts";
import { binaryMethod } from "./optimization/binary.ts";
import { labMethod } from "./optimization/lab.ts";
import { laqMethods } from "./optimization/laq.ts";
import { lcMethod } from "./optimization/lc.ts";
import { lloydMaxMethod } from "./optimization/lloyd-max.ts";
import { lqNetsMethod } from "./optimization/lq-nets.ts";
import { multibitMethod } from "./optimization/multibit.ts";
import { sketchMethods } from "./optimization/sketch.ts";
import { ternaryMethods } from "./optimization/ternary.ts";
import { ttqMethod } from "./optimization/ttq.ts";
import { pruneMethod } from "./pruning/prune.ts";
import { absmeanMethod } from "./rounding/absmean.ts";
import { apotMethod } from "./rounding/apot.ts";
import { balancedMethods } from "./rounding/balanced.ts";
import { binaryRelaxMethod } from "./rounding/binary-relax.ts";
import { bucketMethod } from "./rounding/bucket.ts";
import { dorefaMethods } from "./rounding/dorefa.ts";
import { fixedMethod } from "./rounding/fixed.ts";
import { logMethods } from "./rounding/log.ts";
import { pow2Method } from "./rounding/pow2.ts";
import { sqnrMethod } from "./rounding/sqnr.ts";
import { uniformMethods } from "./rounding/uniform.ts";
import { wageMethod } from "./rounding/wage.ts";
import { weightedEntropyMethod } from "./rounding/weighted-entropy.ts";
import { wrpnMethod } from "./rounding/wrpn.ts";
import { stochasticBinaryMethod } from "./stochastic/binary.ts";
import { stochasticFixedMethod } from "./stochastic/fixed.ts";
import { partialMethod } from "./stochastic/partial.ts";
import { posteriorGridMethod } from "./stochastic/posterior-bits.ts";
import { softWeightSharingMethods } from "./stochastic/soft-weight-sharing.ts";
import { sparseDropoutMethod } from "./stochastic/sparse-dropout.ts";
import { stochasticTernaryMethod } from "./stochastic/ternary.ts";
import { stochasticUniformMethods } from "./stochastic/uniform.ts";
import { variationalMethod } from "./stochastic/variational.ts";
import { aqMethod } from "./vector/aq.ts";
import { ecsqMethods } from "./vector/ecsq.ts";
import { ecsqUniformMethod } from "./vector/ecsq-uniform.ts";
import { hashedMethod } from "./vector/hashed.ts";
import { hkmeansMethod } from "./vector/hkmeans.ts";
import { kmeansMethod } from "./vector/kmeans.ts";
import { pqMethod } from "./vector/pq.ts";
import { productCodebookMethods } from "./vector/product-codebooks.ts";
import { rqMethod } from "./vector/rq.ts";

export const methods: readonly Method[] = [
  binaryMethod,
  ...ternaryMethods,
  ttqMethod,
  ...sketchMethods,
  multibitMethod,
  abcNetMethod,
  lqNetsMethod,
  lloydMaxMethod,
  labMethod,
  ...laqMethods,
  ...admmMethods,
  lcMethod,
  twoStepMethod,
  ...uniformMethods,
  pow2Method,
  ...logMethods,
  apotMethod,
  ...dorefaMethods,
  ...balancedMethods,
  weightedEntropyMethod,
  binaryRelaxMethod,
  fixedMethod,
  wageMethod,
  wrpnMethod,
  sqnrMethod,
  bucketMethod,
  absmeanMethod,
  kmeansMethod,
  hkmeansMethod,
  ...ecsqMethods,
  ecsqUniformMethod,
  pqMethod,
  ...productCodebookMethods,
  rqMethod,
  aqMethod,
  hashedMethod,
  pruneMethod,
  stochasticBinaryMethod,
  stochasticTernaryMethod,
  stochasticFixedMethod,
  ...stochasticUniformMethods,
  partialMethod,
  ...softWeightSharingMethods,
  sparseDropoutMethod,
  variationalMethod,
  posteriorGridMethod,
  ...gptqMethods,
  awqMethod,
  aqlmMethod,
  adaroundMethod,
  hqqMethod,
  hadamardMethod,
  ...equalizationMethods,
  biasCorrectionMethod,
  oneBitMethod,
  thresholdMethod,
  dynamicTreeMethod,
  ...ternGradMethods,
  qsgdMethod,
  dorefaGradientMethod,
  ...signMethods,
  doubleSamplingMethod,
  q4_0Method,
  q8_0Method,
  q4_kMethod,
  ...tqMethods,
  nf4Method,
  mxfp4Method,
  nvfp4Method,
  ...staticActivationMethods,
  ...dynamicActivationMethods,
  pactMethod,
  lsqMethod,
  ...hwgqMethods,
  ...unitActivationMethods,
  ...signActivationMethods,
];
