/** Every operator of `lowbit/ops`, a line each; the compiler asks for what `OpsAttributes` names and this list does not. */
export { slice } from "./slice.ts";
