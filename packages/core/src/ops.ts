/**
 * The operators beyond those of usual networks, one by one. `loadModel` and `createModel` fetch all of them where a graph has one; import them from here
 * to bundle only a few, or to check graphs without running them.
 *
 * @module
 */
export { coordinateModes, nearestModes } from "./kernels/resize.ts";
export { registerAllOps } from "./ops/all.ts";
export { evaluate, isEvaluated } from "./ops/evaluate.ts";
export type { Evaluate, Operator } from "./ops/operator.ts";
export * from "./ops/operators.ts";
export { type RecurrentActivation, recurrentFunctions } from "./ops/recurrent.ts";
export { registerOps } from "./ops/register.ts";
