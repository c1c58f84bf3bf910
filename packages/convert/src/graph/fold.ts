import type { AttributesOf, CastType, Node, Op, OpsOp, PlainConstant } from "lowbit";
import { broadcastIndex, broadcastShape, combine, elementCount, sameKind, transposed } from "./constants.ts";
import type { GraphEditor } from "./editor.ts";

/** Operators that {@link foldNode} evaluates; what reshapes, transposes, casts or combines weights. */
type Folds = {
  [K in Op | OpsOp]?: (inputs: readonly PlainConstant[], attributes: AttributesOf<K>) => PlainConstant | undefined;
};

const FOLDS: Folds = {
  reshape: ([x], { shape }) => {
    const sizes = resolveShape(x!.shape, shape);
    return sizes && { ...x!, shape: sizes };
  },
  transpose: ([x], { permutation }) => transposed(x!, permutation),
  cast: ([x], { to }) => cast(x!, to),
  add: ([a, b]) => combine(a!, b!, (x, y) => x + y),
  sub: ([a, b]) => combine(a!, b!, (x, y) => x - y),
  mul: ([a, b]) => combine(a!, b!, (x, y) => x * y),
  div: ([a, b]) => combine(a!, b!, (x, y) => x / y),
  mod: ([a, b], { truncated }) => (isWhole(a!) ? combine(a!, b!, (x, y) => rest(x, y, truncated)) : undefined),
  less: ([a, b]) => compared(a!, b!, (x, y) => x < y),
  lessOrEqual: ([a, b]) => compared(a!, b!, (x, y) => x <= y),
  where: ([condition, a, b]) => chosen(condition!, a!, b!),
  abs: ([x]) => mapped(x!, Math.abs),
  reduce: ([x, axes], attributes) => rowMeans(x!, axes, attributes),
  sign: ([x]) => mapped(x!, (value) => (value > 0 ? 1 : value < 0 ? -1 : 0)),
  clip: ([x], { min, max }) => mapped(x!, (value) => Math.min(Math.max(value, min), max)),
  concat: (inputs, { axis }) => concatenated(inputs, axis),
};

/** Inputs of those that have more than one, and not as many as one likes. */
const INPUTS: Readonly<Record<string, number>> = {
  add: 2,
  sub: 2,
  mul: 2,
  div: 2,
  mod: 2,
  less: 2,
  lessOrEqual: 2,
  where: 3,
};

/**
 * The result of a node whose inputs are all constants; undefined for operators and cases that are left to the runtime.
 */
export function foldNode<K extends Node["op"]>(
  op: K,
  inputs: readonly PlainConstant[],
  attributes: AttributesOf<K>,
): PlainConstant | undefined {
  // Of another number of inputs than the operator has: the rules refuse it, where the node is added.
  if (inputs.length === 0 || inputs.length !== (INPUTS[op] ?? inputs.length)) return undefined;
  return FOLDS[op as Op | OpsOp]?.(inputs, attributes as never);
}

/** What {@link foldNode} makes of the values named `inputs`; undefined also where one of them is no constant. */
export function foldValues<K extends Node["op"]>(
  editor: GraphEditor,
  op: K,
  inputs: readonly string[],
  attributes: AttributesOf<K>,
): PlainConstant | undefined {
  const constants = inputs.map((input) => editor.plain(input));
  return constants.every((constant) => constant !== undefined) ? foldNode(op, constants, attributes) : undefined;
}

/** A reshape's target with 0 and -1 replaced by sizes; undefined where it does not fit. */
export function resolveShape(source: readonly number[], target: readonly (number | string)[]): number[] | undefined {
  const sizes = target.map((size, axis) => (size === 0 ? source[axis] : size));
  const total = elementCount(source);
  const hole = sizes.indexOf(-1);
  if (hole >= 0) {
    const rest = sizes.reduce<number>((product, size, axis) => (axis === hole ? product : product * Number(size)), 1);
    if (rest === 0 || total % rest !== 0) return undefined;
    sizes[hole] = total / rest;
  }
  if (!sizes.every((size) => typeof size === "number" && size >= 0)) return undefined;
  return elementCount(sizes as number[]) === total ? (sizes as number[]) : undefined;
}

/** Floats, and single integers, which decide how often a loop turns. */
function compared(a: PlainConstant, b: PlainConstant, holds: (x: number, y: number) => boolean) {
  if (a.dtype === "int64" && b.dtype === "int64" && a.data.length === 1 && b.data.length === 1) {
    const shape = a.shape.length > b.shape.length ? a.shape : b.shape;
    const data = Uint8Array.of(Number(holds(Number(a.data[0]), Number(b.data[0]))));
    return { kind: "plain", dtype: "bool", shape, data } as const;
  }
  const result = a.dtype === "f32" ? combine(a, b, (x, y) => Number(holds(x, y))) : undefined;
  return result && { ...result, dtype: "bool" as const, data: new Uint8Array(result.data as Float32Array) };
}

/** How binary weights may be written: W >= 0 ? 1 : -1. */
function chosen(condition: PlainConstant, a: PlainConstant, b: PlainConstant): PlainConstant | undefined {
  const { shape, dtype } = condition;
  const spreads = [a, b].every((x) => broadcastShape(shape, x.shape)?.join() === shape.join());
  if (dtype !== "bool" || a.dtype !== "f32" || b.dtype !== "f32" || !spreads) return undefined;
  const [indexA, indexB] = [broadcastIndex(a.shape, shape), broadcastIndex(b.shape, shape)];
  const data = Float32Array.from(condition.data as Uint8Array, (holds, i) =>
    Number(holds ? a.data[indexA(i)] : b.data[indexB(i)]),
  );
  return { ...a, shape, data };
}

/** Sizes and positions; of floats a rest is what a run makes of them. */
const isWhole = ({ dtype }: PlainConstant): boolean => dtype === "int64" || dtype === "int32";

/** Of whole numbers, as the operator `mod` has it. */
function rest(a: number, b: number, truncated: boolean): number {
  const rest = b === 0 ? 0 : a % b;
  return truncated || rest === 0 || rest < 0 === b < 0 ? rest : rest + b;
}

function mapped(x: PlainConstant, operation: (value: number) => number): PlainConstant | undefined {
  if (x.dtype !== "f32") return undefined;
  return { ...x, data: (x.data as Float32Array).map(operation) };
}

/** Means over all axes but the first ones: the scales of binary weights, mean |w|. Summed in f64, rounded once. */
function rowMeans(
  x: PlainConstant,
  given: PlainConstant | undefined,
  { reduction, keepAxes, keepWithoutAxes }: AttributesOf<"reduce">,
): PlainConstant | undefined {
  if (x.dtype !== "f32" || reduction !== "mean" || (!given && keepWithoutAxes)) return undefined;
  const rank = x.shape.length;
  const axes = given
    ? Array.from(given.data as ArrayLike<number | bigint>, (axis) => (Number(axis) + rank) % rank)
    : [];
  const first = axes.length === 0 ? 0 : Math.min(...axes);
  if (axes.length > 0 && new Set(axes).size !== rank - first) return undefined;
  const shape = x.shape.slice(0, first);
  const rows = elementCount(shape);
  const columns = x.data.length / rows;
  const data = Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += Number(x.data[row * columns + i]);
    return sum / columns;
  });
  return { ...x, shape: keepAxes ? x.shape.map((size, axis) => (axis < first ? size : 1)) : shape, data };
}

/** ONNX Cast: floats to integers truncate toward zero, anything but 0 is true. */
function cast(x: PlainConstant, to: CastType): PlainConstant | undefined {
  if (x.dtype === to) return x;
  if (to === "f16" || x.dtype === "f16") return undefined;
  const source = x.data;
  const count = source.length;
  switch (to) {
    case "f32":
      // Typed arrays convert each other far faster than a function per element; only int64 needs one.
      return {
        ...x,
        dtype: to,
        data:
          source instanceof BigInt64Array || source instanceof BigUint64Array
            ? Float32Array.from(source, Number)
            : new Float32Array(source),
      };
    case "bool":
      return { ...x, dtype: to, data: Uint8Array.from({ length: count }, (_, i) => (Number(source[i]) !== 0 ? 1 : 0)) };
    case "int64":
      return { ...x, dtype: to, data: BigInt64Array.from({ length: count }, (_, i) => BigInt(toInteger(source[i]!))) };
    default: {
      const data =
        to === "int8" ? new Int8Array(count) : to === "uint8" ? new Uint8Array(count) : new Int32Array(count);
      for (let i = 0; i < count; i++) data[i] = toInteger(source[i]!);
      return { ...x, dtype: to, data };
    }
  }
}

/** Toward zero; what is no number of the target has no defined result in ONNX, and becomes 0. */
function toInteger(value: number | bigint): number {
  const integer = Math.trunc(Number(value));
  return Number.isSafeInteger(integer) ? integer : 0;
}

function concatenated(inputs: readonly PlainConstant[], axis: number): PlainConstant | undefined {
  const first = inputs[0]!;
  if (inputs.some((input) => input.dtype !== first.dtype || input.shape.length !== first.shape.length))
    return undefined;
  const shape = first.shape.map((size, i) =>
    i === axis ? inputs.reduce((sum, input) => sum + input.shape[i]!, 0) : size,
  );
  const outer = elementCount(first.shape.slice(0, axis));
  const data = sameKind(first.data, elementCount(shape));
  let at = 0;
  for (let block = 0; block < outer; block++) {
    for (const input of inputs) {
      const run = elementCount(input.shape.slice(axis));
      for (let i = 0; i < run; i++) data[at++] = input.data[block * run + i]!;
    }
  }
  return { ...first, shape, data };
}
