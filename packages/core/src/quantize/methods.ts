/** Every method of the table in `docs/methods.md`, a line each. No entry imports this file: it costs a user nothing. */
import type { Method } from "./method.ts";
import { binaryMethod } from "./optimization/binary.ts";
import { ternaryMethods } from "./optimization/ternary.ts";
import { pow2Method } from "./rounding/pow2.ts";
import { uniformMethods } from "./rounding/uniform.ts";
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
  ...uniformMethods,
  pow2Method,
  kmeansMethod,
  hkmeansMethod,
  ...ecsqMethods,
  ecsqUniformMethod,
  pqMethod,
  ...productCodebookMethods,
  rqMethod,
  aqMethod,
  hashedMethod,
];
