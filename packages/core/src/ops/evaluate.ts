/**
 * Arithmetic with sizes, on lists of at most 4,096 numbers and symbols: what an exporter writes to compute the shape of a reshape or the ends of a slice. It
 * is done when a plan is made, and by importers. The operators that can: those with `evaluate`, and these of every graph.
 */
import type { Elements } from "../graph/operators.ts";
import { OPEN } from "../graph/shapes.ts";
import type { Node, NodeOf, ValueInfo } from "../graph/types.ts";
import type { Evaluate } from "./operator.ts";
import { knownOps, operatorOf } from "./register.ts";

const common: { readonly [K in "reshape" | "concat" | "cast"]: Evaluate<NodeOf<K>> } = {
  reshape: (_node, _inputs, [x]) => x,
  // Of lists; matrices of sizes there are none.
  concat: (_node, inputs, lists) =>
    inputs.every((input, i) => input?.shape.length === 1 && lists[i]) ? lists.flatMap((list) => list!) : undefined,
  cast({ attributes: { to } }, _inputs, [x]) {
    const convert: ((value: number) => number) | undefined =
      to === "int64" || to === "int32"
        ? Math.trunc
        : to === "f32"
          ? Math.fround
          : to === "bool"
            ? (v) => (v ? 1 : 0)
            : undefined;
    return convert && x?.map((value) => (typeof value === "number" ? convert(value) : to === "bool" ? OPEN : value));
  },
};

/** The evaluation of a node's operator; undefined where it has none. */
export const evaluateOf = ({ op }: Node): Evaluate | undefined =>
  (Object.hasOwn(common, op) ? common[op as keyof typeof common] : operatorOf(op)?.evaluate) as Evaluate | undefined;

/** Every operator that computes with sizes, as far as they are registered. */
export const evaluatedOps = (): string[] =>
  [...Object.keys(common), ...knownOps().flatMap(({ name, evaluate }) => (evaluate ? [name] : []))].sort();

/** Whether a node's operator computes with sizes. */
export const isEvaluated = (node: Node): boolean => evaluateOf(node) !== undefined;

/** The elements of the output of `node` as far as those of its inputs are known: numbers, symbols or "?"; undefined where nothing is. */
export const evaluate = (
  node: Node,
  inputs: readonly (ValueInfo | undefined)[],
  elements: readonly (Elements | undefined)[],
): Elements | undefined => evaluateOf(node)?.(node, inputs, elements);
