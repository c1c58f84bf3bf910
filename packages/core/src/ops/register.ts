/** Makes operators known to graphs, in this realm. */
import { addRules } from "../graph/operators.ts";
import { unchanged } from "../graph/shapes.ts";
import type { NodeOf, OpsOp } from "../graph/types.ts";
import { addLowering } from "../runtime/lower/registry.ts";
import { resolver } from "../runtime/resolver.ts";
import type { Operator } from "./operator.ts";
import { resolve } from "./resolve.ts";

const known = new Map<string, Operator>();

/** A registered operator of `lowbit/ops`. */
export const operatorOf = (op: string): Operator | undefined => known.get(op);

/** Every registered one. */
export const knownOps = (): Operator[] => [...known.values()];

/**
 * Makes `operators` known to `validateGraph`, `readPacked`, `loadModel` and `createModel`, in this realm. `loadModel` and `createModel` do it
 * themselves where a graph asks for one: this is for who bundles a few of them, or reads graphs without running them.
 *
 * @example
 * import { registerOps, slice } from "lowbit/ops";
 * registerOps(slice);
 */
export function registerOps(...operators: readonly { readonly [K in OpsOp]: Operator<K> }[OpsOp][]): void {
  resolver.of = resolve;
  for (const operator of operators as readonly Operator[]) {
    const { name, attributes, inputs, most, outputs } = operator;
    known.set(name, operator);
    // `outputs` stands in for the output's type and shape.
    addRules<NodeOf<OpsOp>>(name, {
      attributes,
      inputs,
      ...(most !== undefined && { most }),
      outputs,
      output: "same",
      shape: unchanged,
    });
    addLowering<NodeOf<OpsOp>>(name, operator.lower);
  }
}
