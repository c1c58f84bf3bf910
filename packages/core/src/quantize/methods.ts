/** Every method of the table in `docs/methods.md`, a line each. No entry imports this file: it costs a user nothing. */
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
import { pow2Method } from "./rounding/pow2.ts";
import { uniformMethods } from "./rounding/uniform.ts";
import { kmeansMethod } from "./vector/kmeans.ts";
import { pqMethod } from "./vector/pq.ts";

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
  ...uniformMethods,
  pow2Method,
  kmeansMethod,
  pqMethod,
];
