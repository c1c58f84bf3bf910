/** Every method of the table in `docs/methods.md`, a line each. No entry imports this file: it costs a user nothing. */
import type { Method } from "./method.ts";
import { binaryMethod } from "./optimization/binary.ts";
import { ternaryMethods } from "./optimization/ternary.ts";
import { absmeanMethod } from "./rounding/absmean.ts";
import { bucketMethod } from "./rounding/bucket.ts";
import { fixedMethod } from "./rounding/fixed.ts";
import { pow2Method } from "./rounding/pow2.ts";
import { sqnrMethod } from "./rounding/sqnr.ts";
import { uniformMethods } from "./rounding/uniform.ts";
import { wageMethod } from "./rounding/wage.ts";
import { wrpnMethod } from "./rounding/wrpn.ts";
import { kmeansMethod } from "./vector/kmeans.ts";
import { pqMethod } from "./vector/pq.ts";

export const methods: readonly Method[] = [
  binaryMethod,
  ...ternaryMethods,
  ...uniformMethods,
  pow2Method,
  fixedMethod,
  wageMethod,
  wrpnMethod,
  sqnrMethod,
  bucketMethod,
  absmeanMethod,
  kmeansMethod,
  pqMethod,
];
