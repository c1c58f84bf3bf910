/**
 * What `rnn`, `gru` and `lstm` share: a chain of steps over a sequence, each a few kernel calls. What the input adds to every gate is computed for all steps at once, by `dense` in front of
 * them, which may have any weights.
 *
 * Inputs: for each gate x f32 [T, B, H], biases included; the recurrent weights of all gates, f32 [gates * H, H], constant; h? f32 [B, H], the state before the first step (absent: 0);
 * lengths? int32 or int64 [B], the steps of each sequence, 0 to T; then what a cell has of its own.
 * Outputs: y f32 [T, B, H], the state behind each step, 0 behind a sequence's end; h f32 [B, H], the last states.
 *
 * `reverse` begins with a sequence's last step; y keeps the order of x. `clip` bounds what goes into activations.
 */
import { OutOfRangeError } from "../errors.ts";
import type { AttributeRule } from "../graph/attributes.ts";
import * as attribute from "../graph/attributes.ts";
import type { InputRule, OutputRule } from "../graph/operators.ts";
import type { Dim, Node, ValueInfo } from "../graph/types.ts";
import { Arithmetic, type ArithmeticFunction } from "../kernels/arithmetic.ts";
import { Binary, type BinaryOp, clip, sigmoid, tanh } from "../kernels/elementwise.ts";
import { GemmF32 } from "../kernels/gemm-f32.ts";
import type { KernelInstance } from "../kernels/instance.ts";
import type { LoweringContext } from "../runtime/lower/context.ts";
import type { Binding, Operation } from "../runtime/lower/operation.ts";
import { operationOf, refuse, shapeOf } from "./operator.ts";

/** Functions of activations, and which of alpha and beta they have. */
export const recurrentFunctions = {
  sigmoid: [],
  tanh: [],
  relu: [],
  leakyRelu: ["alpha"],
  thresholdedRelu: ["alpha"],
  elu: ["alpha"],
  hardSigmoid: ["alpha", "beta"],
  softsign: [],
  softplus: [],
} as const satisfies Record<string, readonly ("alpha" | "beta")[]>;

export interface RecurrentActivation {
  readonly function: keyof typeof recurrentFunctions;
  readonly alpha?: number;
  readonly beta?: number;
}

export interface RecurrentAttributes {
  /** In the order of the cell's formula. */
  readonly activations: readonly RecurrentActivation[];
  readonly reverse: boolean;
  /** Above 0. */
  readonly clip?: number;
}

const isActivation = (value: unknown): boolean => {
  const { function: name = "", ...constants } = (value ?? {}) as Record<string, unknown>;
  if (!Object.hasOwn(recurrentFunctions, name as string)) return false;
  const wanted: readonly string[] = recurrentFunctions[name as keyof typeof recurrentFunctions];
  return (
    Object.keys(constants).every((key) => wanted.includes(key)) &&
    wanted.every((key) => Number.isFinite(constants[key]))
  );
};

/** Rules of the attributes that all cells have, of which one has `count` activations. */
export const recurrentRules = (count: number) => ({
  activations: {
    test: (value: unknown) => Array.isArray(value) && value.length === count && value.every(isActivation),
    wants: `${count} activations with the constants of theirs`,
  } satisfies AttributeRule,
  reverse: attribute.flag,
  clip: {
    test: (value: unknown) => Number.isFinite(value) && (value as number) > 0,
    wants: "a number > 0",
    optional: true,
  },
});

const f32 = { dtypes: ["f32"] } satisfies InputRule;
const maybe = (what: string): InputRule => ({ what, dtypes: ["f32"], optional: true });

export const recurrentInputs = (gates: number, ...own: readonly string[]): readonly InputRule[] => [
  ...new Array<InputRule>(gates).fill(f32),
  { what: "recurrent weights", dtypes: ["f32"], constant: true },
  maybe("h"),
  { what: "lengths", dtypes: ["int32", "int64"], optional: true },
  ...own.map(maybe),
];

/** @param own shapes of the cell's own inputs, from batch and hidden size */
export function recurrentOutputs(
  node: Node,
  inputs: readonly (ValueInfo | undefined)[],
  gates: number,
  own: readonly ((batch: Dim, hidden: number) => readonly Dim[])[] = [],
): readonly [OutputRule, OutputRule] {
  const x = shapeOf(node, inputs);
  const [, batch = "", hidden = ""] = x;
  if (x.length !== 3 || typeof hidden !== "number")
    refuse(node, "shape of input 0", "steps, batch and a known size", x);
  const wanted: (readonly Dim[])[] = [
    ...new Array<readonly Dim[]>(gates).fill(x),
    [gates * hidden, hidden],
    [batch, hidden],
    [batch],
    ...own.map((shape) => shape(batch, hidden)),
  ];
  for (const [i, shape] of wanted.entries())
    if (inputs[i] && inputs[i].shape.join() !== shape.join())
      refuse(node, `shape of input ${i}`, shape, inputs[i].shape);
  return [
    { dtypes: ["f32"], shape: x },
    { dtypes: ["f32"], shape: [batch, hidden] },
  ];
}

/** A cell that is bound to shapes: a step of some sequences side by side, `row` being the first. */
export interface Cell {
  /** @param at bytes from the beginning of a gate's input to this step's rows @param from their states before @param to and behind */
  step(at: number, from: number, to: number, row: number): void;
}

/** What a cell is made of. Vectors are blocks of `rows` states. */
export class CellParts {
  readonly #binding: Binding;
  readonly #node: Node;
  readonly #attributes: RecurrentAttributes;
  readonly #products: readonly GemmF32[];
  readonly size: number;

  constructor(
    binding: Binding,
    node: Node,
    products: readonly GemmF32[],
    readonly rows: number,
    readonly hidden: number,
  ) {
    this.#binding = binding;
    this.#node = node;
    this.#attributes = node.attributes as unknown as RecurrentAttributes;
    this.#products = products;
    this.size = rows * hidden;
  }

  /** Address of the i-th vector of the operation's memory. The first is where sums begin, for anyone between two steps of a formula. */
  vector(i: number): number {
    return this.#binding.scratch + 4 * this.size * i;
  }

  /** Address of the i-th input; 0 where the node does not have it. */
  input(i: number): number {
    const name = this.#node.inputs[i];
    return name ? this.#binding.pointer(name) : 0;
  }

  /** to = states · weights of gate g + what its input adds `at` these rows */
  gate(g: number): (states: number, at: number, to: number) => void {
    const product = this.#products[g]!;
    const [x, add, rows, sum] = [this.input(g), this.binary("add"), this.rows, this.vector(0)];
    return (states, at, to) => {
      product.run(states, rows, sum);
      add(sum, x + at, to);
    };
  }

  /** to = states · weights of gate g */
  product(g: number): (states: number, to: number) => void {
    const product = this.#products[g]!;
    const { rows } = this;
    return (states, to) => product.run(states, rows, to);
  }

  /** Of vectors, to a third one; `left` or `right` may be another shape that broadcasts. */
  binary(
    op: BinaryOp,
    left?: readonly number[],
    right?: readonly number[],
  ): (a: number, b: number, to: number) => void {
    const whole = [this.rows, this.hidden];
    const { instance } = this.#binding;
    const object = this.#binding.own(new Binary(instance, { op, a: left ?? whole, b: right ?? whole }));
    return (a, b, to) => object.run(a, b, to);
  }

  copy(from: number, to: number): void {
    copy(this.#binding.instance, from, this.size, to);
  }

  /** The i-th activation, of a vector in place, behind the clip unless that is not wanted. */
  activation(i: number, clipped = true): (x: number) => void {
    const { clip: limit, activations } = this.#attributes;
    const { instance } = this.#binding;
    const { size } = this;
    const run = this.#functionOf(activations[i]!);
    if (limit === undefined || !clipped) return run;
    return (x) => {
      clip(instance, x, size, x, -limit, limit);
      run(x);
    };
  }

  #functionOf({ function: name, alpha = 0, beta = 0 }: RecurrentActivation): (x: number) => void {
    const { instance, own } = this.#binding;
    const { size } = this;
    if (name === "sigmoid") return (x) => sigmoid(instance, x, size, x);
    if (name === "tanh") return (x) => tanh(instance, x, size, x);
    if (name === "relu") return (x) => clip(instance, x, size, x, 0, Number.POSITIVE_INFINITY);
    const constants = name === "elu" ? [alpha, 1] : [alpha, beta];
    const tensors = [{ dtype: "f32", shape: [size] }] as const;
    const object = own(
      new Arithmetic(instance, { function: name as ArithmeticFunction, tensors, constants, to: "f32" }),
    );
    return (x) => object.run(x, x);
  }
}

interface Recurrent {
  readonly gates: number;
  /** Vectors of memory that a step takes. */
  readonly vectors: number;
  /** Of the last gate's product. */
  readonly bias?: Float32Array | undefined;
  /** Index of the input that a further output starts as: the cell's own state. */
  readonly state?: number;
  cell(parts: CellParts, state: number): Cell;
}

/** The operation of a node: products are packed once, cells are made when shapes are bound. */
export function recurrentOperation(node: Node, context: LoweringContext, own: Recurrent): Operation {
  const { gates, vectors, bias } = own;
  const [x = ""] = node.inputs;
  const hidden = context.info(x).shape[2] as number;
  const name = node.inputs[gates]!;
  const lengths = node.inputs[gates + 2];
  const isLong = Boolean(lengths) && context.info(lengths!).dtype === "int64";
  const weights = context.floats(name)!;
  const products = Array.from({ length: gates }, (_, g) => {
    const rows = weights.subarray(g * hidden * hidden, (g + 1) * hidden * hidden);
    return new GemmF32(context.instance, {
      n: hidden,
      k: hidden,
      weights: rows,
      bias: g === gates - 1 ? bias : undefined,
    });
  });
  const operation = operationOf(node, context, "gemm_f32", {
    macs: (of) => of(x).reduce((product, size) => product * size, 1) * gates * hidden,
    scratchBytes: (of) => 4 * vectors * of(x)[1]! * hidden,
    bind: (binding) => bound(binding, node, { hidden, isLong }, products, own),
  });
  return {
    ...operation,
    // Packed, not read like a value.
    constants: (operation.constants ?? []).filter((constant) => constant !== name),
    [Symbol.dispose]() {
      for (const product of products) product.dispose();
    },
  };
}

function bound(
  binding: Binding,
  node: Node,
  { hidden, isLong }: { readonly hidden: number; readonly isLong: boolean },
  products: readonly GemmF32[],
  own: Recurrent,
): () => void {
  const { instance, pointer } = binding;
  const { reverse } = node.attributes as unknown as RecurrentAttributes;
  const [steps, batch] = binding.shape(node.inputs[0]!) as [number, number];
  const [y, last, state = 0] = node.outputs.map(pointer) as [number, number, number?];
  const [initial, lengths] = [node.inputs[own.gates + 1], node.inputs[own.gates + 2]];
  const [h0, c0] = [initial, own.state === undefined ? undefined : node.inputs[own.state]].map((name) =>
    name ? pointer(name) : 0,
  ) as [number, number];
  const count = batch * hidden;
  const start = (from: number, to: number): void => {
    if (from === 0) instance.f32(to, count).fill(0);
    else copy(instance, from, count, to);
  };
  // Sequences of different lengths go one after another: each sum is the same chain either way.
  const rows = lengths ? 1 : batch;
  const cell = own.cell(new CellParts(binding, node, products, rows, hidden), state);
  const sequence = (row: number, length: number): void => {
    const own = last + 4 * row * hidden;
    let from = own;
    for (let i = 0; i < length; i++) {
      const at = 4 * ((reverse ? length - 1 - i : i) * batch + row) * hidden;
      cell.step(at, from, y + at, row);
      from = y + at;
    }
    if (from !== own) copy(instance, from, rows * hidden, own);
  };
  const read = lengths ? lengthsOf(binding, node, lengths, steps, isLong) : undefined;
  return () => {
    start(h0, last);
    if (state !== 0) start(c0, state);
    if (!read) return sequence(0, steps);
    for (let row = 0; row < batch; row++) {
      const length = read(row);
      sequence(row, length);
      for (let t = length; t < steps; t++) instance.f32(y + 4 * (t * batch + row) * hidden, hidden).fill(0);
    }
  };
}

/** Bounds that no number is outside of: a copy. */
const copy = (instance: KernelInstance, from: number, count: number, to: number): void =>
  clip(instance, from, count, to, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);

/** Steps of the sequence of a row. */
function lengthsOf(
  binding: Binding,
  node: Node,
  name: string,
  steps: number,
  isLong: boolean,
): (row: number) => number {
  const { instance } = binding;
  const [at, batch] = [binding.pointer(name), binding.shape(name)[0]!];
  return (row) => {
    // Both words of an int64: a length has no high one.
    const words = instance.i32(at, isLong ? 2 * batch : batch);
    const length = isLong && words[2 * row + 1] !== 0 ? -1 : words[isLong ? 2 * row : row]!;
    if (length >= 0 && length <= steps) return length;
    throw new OutOfRangeError("run", `lengths of "${node.name}"`, `0 to ${steps}`, length);
  };
}
