/** The references of the operators of `lowbit/ops`, a line each. */
export { reference as slice } from "../ops/slice.ts";
