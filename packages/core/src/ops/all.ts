/** All operators at once: what `loadModel` fetches where a graph has one that is not known yet. */
import type { OpsOp } from "../graph/types.ts";
import type { Operator } from "./operator.ts";
import * as operators from "./operators.ts";
import { registerOps } from "./register.ts";

const all: { readonly [K in OpsOp]: Operator<K> } = operators;

/** Makes every operator of `lowbit/ops` known; again does nothing. */
export const registerAllOps = (): void => registerOps(...Object.values(all));
