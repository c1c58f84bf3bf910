/** Operators from outside: their rules and their kernel, under a name of their own. docs/how-to/add-an-operator.md has an example. */
import { disposeSymbol } from "../dispose.ts";
import type { AttributeRules } from "../graph/attributes.ts";
import { addRules, checkCustomName, type InputRule } from "../graph/operators.ts";
import { type ShapeRule, unchanged } from "../graph/shapes.ts";
import type { CustomAttributes, CustomNode, CustomOp, DType } from "../graph/types.ts";
import type { LoweringContext } from "./lower/context.ts";
import type { Binding, Operation, Step } from "./lower/operation.ts";
import { addLowering } from "./lower/registry.ts";

/** What the lowering of an operator from outside sees: types, constants, and the instance whose kernels it calls. */
export type CustomLowering = Pick<LoweringContext, "instance" | "info" | "isConstant" | "plain" | "floats" | "refuse">;

/** A node with its kernel. Weights are packed before it is made and freed when it is disposed; `bind` runs once per batch size. */
export interface CustomOperation extends Partial<Pick<Operation, "kernel" | "storage" | "macs" | "scratchBytes">> {
  /** Concrete shapes and addresses → one kernel call, which must not allocate. */
  bind(binding: Binding): Step;
  dispose?(): void;
}

/** An operator from outside; `A` are its attributes, which must be JSON. */
export interface CustomOperator<A extends CustomAttributes = CustomAttributes> {
  /** `<owner>.<operator>`, e.g. `acme.hard_swish`; it is what stands in the file. */
  readonly name: CustomOp;
  /** What each attribute must hold; absent: there are none. */
  readonly attributes?: AttributeRules<A>;
  readonly inputs: readonly InputRule[];
  /** Types that the output may have; absent: that of input 0. */
  readonly output?: readonly DType[] | "same";
  /** Absent: the shape of input 0. Refuse by `throw new GraphError(…)`. */
  readonly shape?: ShapeRule<CustomNode<A>>;
  /**
   * The kernel of a node, or undefined after `context.refuse(node, why)`. Reading an export that the module does not have throws
   * KernelError, so read the kernel here: a model on another module is then refused when it loads.
   */
  lower(node: CustomNode<A>, context: CustomLowering): CustomOperation | undefined;
}

/** A registered operator; disposing it forgets it, and graphs with it are refused again. Models that are loaded run on. */
export interface RegisteredOp<A extends CustomAttributes = CustomAttributes> extends Disposable {
  readonly name: CustomOp;
  /** A node for a graph in memory. `outputs` must be values of the graph. */
  node(fields: Omit<CustomNode<A>, "op">): CustomNode<A>;
  dispose(): void;
}

/**
 * Makes an operator known to `validateGraph`, `readPacked`, `loadModel` and `createModel`, in this realm: a worker that runs models
 * registers it too.
 * @throws OutOfRangeError where the name is not `<owner>.<operator>` or is registered already
 */
export function registerOp<A extends CustomAttributes = Record<never, never>>(
  operator: CustomOperator<A>,
): RegisteredOp<A> {
  const { name, inputs, output = "same", shape = unchanged } = operator;
  const attributes = operator.attributes ?? ({} as AttributeRules<A>);
  checkCustomName(name);
  const removeRules = addRules<CustomNode<A>>(name, { attributes, inputs, output, shape });
  const removeLowering = addLowering<CustomNode<A>>(name, (node, context) => {
    const made = operator.lower(node, context);
    return made && operationOf(node, context, made);
  });
  const dispose = () => {
    removeRules();
    removeLowering();
  };
  return { name, node: (fields) => ({ op: name, ...fields }), dispose, [disposeSymbol]: dispose };
}

function operationOf(node: CustomNode, context: LoweringContext, made: CustomOperation): Operation {
  return {
    node: node.name,
    op: node.op,
    kernel: made.kernel ?? node.op,
    ...context.inputsOf(node),
    output: node.outputs[0]!,
    ...(made.storage && { storage: made.storage }),
    ...(made.macs && { macs: made.macs.bind(made) }),
    ...(made.scratchBytes && { scratchBytes: made.scratchBytes.bind(made) }),
    bind: (binding) => made.bind(binding),
    [Symbol.dispose]: () => made.dispose?.(),
  };
}
