/**
 * Benchmarks of lowbit against other runtimes: cases and engines are data, a wrong answer voids its timing, and every
 * record names its machine, its versions and its commands.
 *
 * @module
 */
export { type Case, checksum, type Family, type Tensors, type Unit } from "./case.ts";
export { allCases, families, familyOf } from "./cases/index.ts";
export type { Absent, Answer, Engine, EngineSource, Host, Prepared } from "./engine.ts";
export { sources } from "./engines/index.ts";
export * from "./task.ts";
export { draw, type TypedArray, type Values } from "./values.ts";
