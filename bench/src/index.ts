/**
 * Benchmarks of lowbit against other runtimes: cases and engines are data, a wrong answer voids its timing, and every
 * record names its machine, its versions and its commands. This entry drives platforms, so it is for Node.
 *
 * @module
 */
export { type Case, checksum, type Family, type Kernels, type Tensors, type Unit } from "./case.ts";
export { allCases, families, familyOf } from "./cases/index.ts";
export { type BenchOptions, bench, type Progress } from "./driver.ts";
export type { Absent, Answer, Engine, EngineSource, Host, Prepared } from "./engine.ts";
export { sources } from "./engines/index.ts";
export { type Bound, boundOf, type Limits } from "./limits.ts";
export { thisMachine } from "./machine.ts";
export { platforms } from "./platforms/index.ts";
export { type BenchRecord, formatRecord, parseRecord, type Result } from "./record.ts";
export { type ServeOptions, serveSuite } from "./serve.ts";
export * from "./task.ts";
export { draw, type TypedArray, type Values } from "./values.ts";
