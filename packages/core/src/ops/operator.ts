/** What an operator of `lowbit/ops` is: one object per file, a line in `operators.ts`. docs/how-to/add-an-operator.md has the steps. */
import { GraphError } from "../errors.ts";
import type { AttributeRules } from "../graph/attributes.ts";
import type { Elements, InputRule, OutputRules } from "../graph/operators.ts";
import type { Shape } from "../graph/shapes.ts";
import type { DType, Node, NodeOf, OpsAttributes, OpsOp, ValueInfo } from "../graph/types.ts";
import type { LoweringContext } from "../runtime/lower/context.ts";
import type { Operation } from "../runtime/lower/operation.ts";
import { type TensorDType, toHalf } from "../tensor.ts";

/**
 * The elements of a node's output from those of its inputs, where they are known: numbers, symbols, or OPEN. For the few operators
 * that compute with sizes, on at most 4,096 elements; everything else runs on kernels.
 */
export type Evaluate<N extends Node = Node> = (
  node: N,
  inputs: readonly (ValueInfo | undefined)[],
  elements: readonly (Elements | undefined)[],
) => Elements | undefined;

export interface Operator<K extends OpsOp = OpsOp> {
  /** As in `node.op`. */
  readonly name: K;
  /** What each attribute must hold. */
  readonly attributes: AttributeRules<OpsAttributes[K]>;
  /** In order; an input whose numbers decide sizes says so by `reads: "sizes"`. */
  readonly inputs: readonly InputRule[];
  /** How many inputs there may be where the last one repeats; absent: as many as are listed. */
  readonly most?: number;
  /** Types and shapes of the outputs. */
  readonly outputs: OutputRules<NodeOf<K>>;
  /** Present in operators that compute with sizes. */
  readonly evaluate?: Evaluate<NodeOf<K>>;
  /** The kernel of a node, or undefined after `context.refuse(node, why)`. */
  lower(node: NodeOf<K>, context: LoweringContext): Operation | undefined;
}

/** @throws GraphError naming the node */
export function refuse(node: Node, what: string, expected: unknown, got: unknown): never {
  throw new GraphError(`${node.op} "${node.name}"`, what, expected, got);
}

/** Types of which a value may be that is moved and not looked into. */
export const movable: readonly DType[] = [
  ...(["f32", "f16", "f64", "bool"] as const),
  ...(["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"] as const),
];

/** An input whose numbers decide sizes. */
export const sizes: InputRule = { dtypes: ["int64", "int32"], reads: "sizes" };

/** Shape of input `index`, which the operator needs. */
export function shapeOf(node: Node, inputs: readonly (ValueInfo | undefined)[], index = 0): Shape {
  return inputs[index]?.shape ?? refuse(node, `input ${index}`, "a value", "none");
}

/** How many elements a value of one axis has: a number for whatever decides the rank of an output. */
export function lengthOf(node: Node, inputs: readonly (ValueInfo | undefined)[], index: number): number {
  const shape = shapeOf(node, inputs, index);
  const [length] = shape;
  return shape.length === 1 && typeof length === "number"
    ? length
    : refuse(node, `shape of input ${index}`, "one axis of known size", shape);
}

/** What differs between operations whose kernel is made when shapes are bound, and is owned by the binding. */
type Bound = Pick<Operation, "bind" | "storage" | "macs" | "scratchBytes">;

/** The operation that reads all inputs of a node and writes all of its outputs. */
export function operationOf(node: Node, context: LoweringContext, kernel: string, bound: Bound): Operation {
  const [output = "", ...others] = node.outputs;
  return {
    node: node.name,
    op: node.op,
    kernel,
    ...context.inputsOf(node),
    output,
    others,
    ...bound,
    [Symbol.dispose]() {},
  };
}

/** A number as 8 bytes that begin with an element of its value; towards zero where that is an integer. */
export function bytesOfNumber(dtype: TensorDType, value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8));
  if (dtype === "f32") bytes.setFloat32(0, value, true);
  else if (dtype === "f64") bytes.setFloat64(0, value, true);
  else bytes.setBigInt64(0, BigInt(dtype === "f16" ? toHalf(value) : Math.trunc(value)), true);
  return new Uint8Array(bytes.buffer);
}
