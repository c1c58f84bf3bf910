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
import { pow2Method } from "./rounding/pow2.ts";
import { uniformMethods } from "./rounding/uniform.ts";
import { kmeansMethod } from "./vector/kmeans.ts";
import { pqMethod } from "./vector/pq.ts";

export const methods: readonly Method[] = [
  binaryMethod,
  ...ternaryMethods,
  ...uniformMethods,
  pow2Method,
  kmeansMethod,
  pqMethod,
  ...gptqMethods,
  awqMethod,
  adaroundMethod,
  hqqMethod,
  hadamardMethod,
  ...equalizationMethods,
  biasCorrectionMethod,
];
