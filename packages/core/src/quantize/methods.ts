/** Every method of the table in `docs/methods.md`, a line each. No entry imports this file: it costs a user nothing. */
import type { Method } from "./method.ts";
import { binaryMethod } from "./optimization/binary.ts";
import { ternaryMethods } from "./optimization/ternary.ts";
import { pruneMethod } from "./pruning/prune.ts";
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
  pruneMethod,
];
