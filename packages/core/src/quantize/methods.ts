/** Every method of the table in `docs/methods.md`, a line each. No entry imports this file: it costs a user nothing. */
import { mxfp4Method } from "./blocks/mxfp4.ts";
import { nf4Method } from "./blocks/nf4.ts";
import { nvfp4Method } from "./blocks/nvfp4.ts";
import { q4_0Method } from "./blocks/q4-0.ts";
import { q4_kMethod } from "./blocks/q4-k.ts";
import { q8_0Method } from "./blocks/q8-0.ts";
import { tqMethods } from "./blocks/tq.ts";
import { dorefaGradientMethod } from "./gradients/dorefa.ts";
import { doubleSamplingMethod } from "./gradients/double-sampling.ts";
import { dynamicTreeMethod } from "./gradients/dynamic-tree.ts";
import { oneBitMethod } from "./gradients/one-bit.ts";
import { qsgdMethod } from "./gradients/qsgd.ts";
import { signMethods } from "./gradients/sign.ts";
import { ternGradMethods } from "./gradients/terngrad.ts";
import { thresholdMethod } from "./gradients/threshold.ts";
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
];
