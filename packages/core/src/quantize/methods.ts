/** Every method of the table in `docs/methods.md`, a line each. No entry imports this file: it costs a user nothing. */
import { adaroundMethod } from "./calibrated/adaround.ts";
import { awqMethod } from "./calibrated/awq.ts";
import { biasCorrectionMethod } from "./calibrated/bias-correction.ts";
import { equalizationMethods } from "./calibrated/equalization.ts";
import { gptqMethods } from "./calibrated/gptq.ts";
import { hadamardMethod } from "./calibrated/hadamard.ts";
import { hqqMethod } from "./calibrated/hqq.ts";
import type { Method } from "./method.ts";
import { binaryMethod } from "./optimization/binary.ts";
import { ternaryMethods } from "./optimization/ternary.ts";
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
import { kmeansMethod } from "./vector/kmeans.ts";
import { pqMethod } from "./vector/pq.ts";

export const methods: readonly Method[] = [
  binaryMethod,
  ...ternaryMethods,
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
  pqMethod,
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
  adaroundMethod,
  hqqMethod,
  hadamardMethod,
  ...equalizationMethods,
  biasCorrectionMethod,
];
