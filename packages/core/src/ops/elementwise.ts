/**
 * What operators share of which each element of the output is a function of one element of each input, with numpy broadcasting, on the kernel
 * `arithmetic`: floats computed in f64, integers in int64 (modulo the type's bits), rounded or cut once.
 */
import type { AttributeRules } from "../graph/attributes.ts";
import type { Elements, InputRule } from "../graph/operators.ts";
import { broadcast, OPEN, type Shape } from "../graph/shapes.ts";
import type { Dim, DType, Node, NodeOf, OpsAttributes, OpsOp, ValueInfo } from "../graph/types.ts";
import { Arithmetic, type ArithmeticFunction, type ElementType } from "../kernels/arithmetic.ts";
import type { LoweringContext } from "../runtime/lower/context.ts";
import type { Operation } from "../runtime/lower/operation.ts";
import { bytesOf, fromHalf, type TensorDType, toHalf } from "../tensor.ts";
import { type Evaluate, type Operator, operationOf, refuse, shapeOf } from "./operator.ts";
import { at, build, type Value } from "./reference.ts";

export const floatTypes: readonly DType[] = ["f32", "f64", "f16"];
export const signedTypes: readonly DType[] = ["int8", "int16", "int32", "int64"];
export const unsignedTypes: readonly DType[] = ["uint8", "uint16", "uint32", "uint64"];
export const integerTypes: readonly DType[] = [...signedTypes, ...unsignedTypes];
export const numberTypes: readonly DType[] = [...floatTypes, ...integerTypes];

/** An input of any of these types. */
export const of = (dtypes: readonly DType[]): InputRule => ({ dtypes });
/** An optional input of any of these types. */
export const maybe = (dtypes: readonly DType[]): InputRule => ({ dtypes, optional: true });

/** What the kernel is told of a node. */
interface Call {
  readonly function: ArithmeticFunction;
  /** Of the inputs that the node has: which the kernel's operands are; absent: all of them in order. */
  readonly operands?: readonly number[];
  readonly constants?: readonly number[];
  readonly saturate?: boolean;
  /** In place of the types of the operands and the output: where only the bits matter. */
  readonly as?: { readonly operands: readonly ElementType[]; readonly to: ElementType };
}

export interface Elementwise<K extends OpsOp> {
  readonly attributes?: AttributeRules<OpsAttributes[K]>;
  readonly inputs: readonly InputRule[];
  /** Type of the output; absent: that of input 0. */
  readonly to?: DType | ((node: NodeOf<K>) => DType);
  /** Inputs of any type of theirs; of the others the type is that of the first of them. */
  readonly free?: readonly number[];
  readonly evaluate?: Evaluate;
  call(node: NodeOf<K>, dtypes: readonly (DType | undefined)[]): Call;
}

/** An operator by what is its own. */
export function elementwise<K extends OpsOp>(name: K, own: Elementwise<K>): Operator<K> {
  const { inputs, free = [], evaluate, attributes = {} as AttributeRules<OpsAttributes[K]> } = own;
  const typeOf = (node: NodeOf<K>, dtypes: readonly (DType | undefined)[]): DType =>
    (typeof own.to === "function" ? own.to(node) : own.to) ?? dtypes.find((_, i) => !free.includes(i)) ?? dtypes[0]!;
  return {
    name,
    attributes,
    inputs,
    outputs(node, given) {
      const dtypes = given.map((info) => info?.dtype);
      const [common] = dtypes.filter((dtype, i) => dtype && !free.includes(i));
      for (const [i, dtype] of dtypes.entries())
        if (dtype && common && dtype !== common && !free.includes(i))
          refuse(node, `dtype of input ${i}`, common, dtype);
      return [{ dtypes: [typeOf(node, dtypes)], shape: shapeOfAll(node, given) }];
    },
    ...(evaluate && { evaluate: evaluate as Evaluate<NodeOf<K>> }),
    lower: (node, context) => lower(node, context, own, (dtypes) => typeOf(node, dtypes)),
  };
}

function shapeOfAll(node: NodeOf<OpsOp>, inputs: readonly (ValueInfo | undefined)[]): Shape {
  const shapes = inputs.flatMap((info) => (info ? [info.shape] : []));
  return shapes.reduce((a, b) => broadcast(node, [a, b]), shapes[0] ?? shapeOf(node, inputs));
}

function lower<K extends OpsOp>(
  node: NodeOf<K>,
  context: LoweringContext,
  own: Elementwise<K>,
  typeOf: (dtypes: readonly (DType | undefined)[]) => DType,
): Operation {
  const plain = node as unknown as Node;
  const { inputs } = plain;
  const given = inputs.map((name) => (name === "" ? undefined : context.info(name).dtype));
  const call = own.call(node, given);
  const operands = call.operands ?? inputs.flatMap((name, i) => (name === "" ? [] : [i]));
  const names = operands.map((i) => inputs[i]!);
  const dtypes = call.as?.operands ?? operands.map((i) => given[i] as TensorDType);
  const to = call.as?.to ?? (typeOf(given) as TensorDType);
  const [first = ""] = names;
  const [output = ""] = plain.outputs;
  const isOver = inputs[0] === first && !context.isConstant(first) && !names.includes(first, 1);
  const widths = [given[operands[0]!], typeOf(given)].map((dtype) => bytesOf[dtype as TensorDType]);
  return operationOf(plain, context, "arithmetic", {
    ...(isOver && widths[0] === widths[1] && { storage: "inPlace" as const }),
    bind(binding) {
      const tensors = names.map((name, i) => ({ dtype: dtypes[i]!, shape: binding.shape(name) }));
      const { function: name, constants = [], saturate = true } = call;
      const object = binding.own(
        new Arithmetic(binding.instance, { function: name, tensors, constants, to, saturate }),
      );
      const [a = 0, b, c] = names.map(binding.pointer);
      const y = binding.pointer(output);
      return () => object.run(y, a, b, c);
    },
  });
}

/** A number as a type stores it: floats to nearest, integers modulo its bits, bools as whether it is 0. */
export function stored(dtype: DType, value: number): number {
  if (dtype === "f32") return Math.fround(value);
  if (dtype === "f16") return fromHalf(toHalf(Math.fround(value)));
  if (dtype === "f64") return value;
  if (dtype === "bool") return value ? 1 : 0;
  const bits = 8 * bytesOf[dtype as TensorDType];
  const whole = BigInt(Math.trunc(value));
  return Number(dtype.startsWith("u") ? BigInt.asUintN(bits, whole) : BigInt.asIntN(bits, whole));
}

/** The oracle: a function of one number of each input, index by index. */
export function eachOf(
  to: DType,
  inputs: readonly (Value | undefined)[],
  compute: (...numbers: number[]) => number,
): Value[] {
  const given = inputs.filter((value) => value !== undefined);
  const rank = Math.max(...given.map(({ shape }) => shape.length));
  const padded = given.map((value) => ({
    ...value,
    shape: [...Array(rank - value.shape.length).fill(1), ...value.shape],
  }));
  const shape = Array.from(
    { length: rank },
    (_, axis) => padded.map((value) => value.shape[axis]!).find((d) => d !== 1) ?? 1,
  );
  const numberAt = (value: Value, index: readonly number[]) =>
    at(
      value,
      index.map((i, axis) => (value.shape[axis] === 1 ? 0 : i)),
    );
  return [build(to, shape, (index) => stored(to, compute(...padded.map((value) => numberAt(value, index)))))];
}

/** Lists of sizes, element by element; one of one element stands for as many as the others have. Undefined where one is not known or no list. */
export const evaluatedBy =
  (compute: (...sizes: Dim[]) => Dim): Evaluate =>
  (_node, inputs, lists) => {
    const known = lists.filter((list) => list !== undefined && list.length > 0) as Elements[];
    if (known.length < lists.length || inputs.some((info) => (info?.shape.length ?? 0) > 1)) return undefined;
    const length = Math.max(...known.map((list) => list.length));
    if (known.some((list) => list.length !== length && list.length !== 1)) return undefined;
    return Array.from({ length }, (_, i) => compute(...known.map((list) => list[list.length === 1 ? 0 : i]!)));
  };

/** Sizes are computed with where both are known; a symbol stays one where nothing changes it. */
export const evaluated = (compute: (a: number, b: number) => number, neutral: number): Evaluate =>
  evaluatedBy((a, b) => (typeof a === "number" && typeof b === "number" ? compute(a, b) : b === neutral ? a! : OPEN));
