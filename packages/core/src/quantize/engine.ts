/** Chooses what runs the inner loops. */
import type { InnerLoops } from "./inner.ts";
import { naiveLoops } from "./inner-naive.ts";

export const innerLoops = async (): Promise<InnerLoops> => naiveLoops;
