/**
 * RNN-7, -14 and -22, GRU and LSTM: sequences [T, B, I] (or [B, T, I] where `layout` is 1). What the input adds to each gate becomes a `dense` over all steps, which is quantized like any other; a
 * direction is one node, and both are joined behind it.
 */
import type { Dim } from "lowbit";
import { type RecurrentActivation, recurrentFunctions } from "lowbit/ops";
import { ModelFileError } from "../../errors.ts";
import { floats } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";

/** A cell's gates as ONNX orders them, and the functions that it has where the node names none. */
interface CellKind {
  readonly gates: readonly string[];
  readonly activations: readonly string[];
}

const KINDS = {
  RNN: { gates: ["i"], activations: ["Tanh"] },
  GRU: { gates: ["z", "r", "h"], activations: ["Sigmoid", "Tanh"] },
  LSTM: { gates: ["i", "o", "f", "c"], activations: ["Sigmoid", "Tanh", "Tanh"] },
} as const satisfies Record<string, CellKind>;

const DIRECTIONS = { forward: [false], reverse: [true], bidirectional: [false, true] } as const;

/** ONNX names by ours, in lower case: the standard leaves the case open. Defaults are those of the operators of the same names. */
const FUNCTIONS: Readonly<
  Record<string, { readonly name: RecurrentActivation["function"]; readonly alpha?: number; readonly beta?: number }>
> = {
  sigmoid: { name: "sigmoid" },
  tanh: { name: "tanh" },
  relu: { name: "relu" },
  leakyrelu: { name: "leakyRelu", alpha: 0.01 },
  thresholdedrelu: { name: "thresholdedRelu", alpha: 1 },
  elu: { name: "elu", alpha: 1 },
  hardsigmoid: { name: "hardSigmoid", alpha: Math.fround(0.2), beta: 0.5 },
  softsign: { name: "softsign" },
  softplus: { name: "softplus" },
};

const importer =
  (kind: keyof typeof KINDS): OperatorImporter =>
  (node) => {
    const { attributes } = node;
    const name = attributes.string("direction", "forward");
    const directions = Object.hasOwn(DIRECTIONS, name) ? DIRECTIONS[name as keyof typeof DIRECTIONS] : undefined;
    if (!directions)
      throw new ModelFileError(`onnx: ${node.title}`, "direction", Object.keys(DIRECTIONS).join(", "), name);
    const isBatchFirst = attributes.int("layout", 0) === 1;
    const swapped = (value: string, part: string, rank: number): string =>
      isBatchFirst ? node.step(part, "transpose", [value], { permutation: [1, 0, 2, 3].slice(0, rank) }) : value;
    const weights = new CellWeights(node, KINDS[kind].gates, directions.length);
    const functions = activationsOf(node, KINDS[kind], directions.length);
    const x = swapped(node.float(0, 3), "x", 3);
    const states = [5, 6].map((i) =>
      (i === 5 || kind === "LSTM") && node.optional(i) !== undefined
        ? swapped(node.float(i, 3), `input${i}`, 3)
        : undefined,
    );
    const clip = attributes.float("clip", 0);
    const ends = directions.map((reverse, d) => {
      const shared = { activations: functions[d]!, reverse, ...(clip > 0 && { clip }) };
      const inputs = [
        ...weights.gates(x, d, kind === "GRU" && attributes.int("linear_before_reset", 0) !== 0),
        ...[states[0] && one(node, states[0], d), node.optional(4), states[1] && one(node, states[1], d)],
      ].map((value) => value ?? "");
      const part = directions.length === 1 ? kind.toLowerCase() : reverse ? "backward" : "forward";
      if (kind === "RNN") return node.steps(part, "rnn", trimmed(inputs.slice(0, 4)), shared, 2);
      if (kind === "GRU") {
        const resetAfter = attributes.int("linear_before_reset", 0) !== 0;
        const bias = resetAfter ? weights.resetBias(d) : undefined;
        return node.steps(part, "gru", trimmed([...inputs.slice(0, 6), bias ?? ""]), { ...shared, resetAfter }, 2);
      }
      const coupled = attributes.int("input_forget", 0) !== 0;
      return node.steps(part, "lstm", trimmed([...inputs, weights.peepholes(d) ?? ""]), { ...shared, coupled }, 3);
    });
    if (ends[0]!.length < node.outputCount)
      throw new ModelFileError(`onnx: ${node.title}`, "outputs (at most)", ends[0]!.length, node.outputCount);
    for (const index of ends[0]!.keys()) {
      if (!node.hasOutput(index)) continue;
      const values = ends.map((outputs) => outputs[index]!);
      node.bind(joined(node, index, values, isBatchFirst), index);
    }
  };

/** Without the absent ones at the end. */
const trimmed = (inputs: readonly string[]): readonly string[] =>
  inputs.slice(0, inputs.findLastIndex((name) => name !== "") + 1);

/** The state [B, H] of direction d, of those of all [D, B, H]. */
function one(node: NodeContext, states: string, d: number): string {
  const [directions, batch = 0, hidden = 0] = node.shape(states);
  const part = `state_${states}_${d}`;
  if (directions === 1) return node.step(part, "reshape", [states], { shape: [batch, hidden] });
  const index = node.store(part, { kind: "plain", dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(d)) });
  return node.step(part, "gather", [states, index], { axis: 0 });
}

/** Output `index` of all directions: y [T, D, B, H], or states [D, B, H]; batch first where the layout is so. */
function joined(node: NodeContext, index: number, values: readonly string[], isBatchFirst: boolean): string {
  const part = ["Y", "Y_h", "Y_c"][index]!;
  const axis = index === 0 ? 1 : 0;
  const apart = values.map((value, d) => {
    const shape: Dim[] = [...node.shape(value)];
    shape.splice(axis, 0, 1);
    return node.step(`${part}${d}`, "reshape", [value], { shape });
  });
  const whole = apart.length === 1 ? apart[0]! : node.step(part, "concat", apart, { axis });
  if (!isBatchFirst) return whole;
  return node.step(`${part}/layout`, "transpose", [whole], { permutation: index === 0 ? [2, 0, 1, 3] : [1, 0, 2] });
}

/** The functions of each direction, with their constants: those of the attributes are taken in order by the functions that have some. */
function activationsOf(node: NodeContext, { activations }: CellKind, directions: number): RecurrentActivation[][] {
  const names = node.attributes.strings("activations") ?? new Array(directions).fill(activations).flat();
  if (names.length !== activations.length * directions)
    throw new ModelFileError(`onnx: ${node.title}`, "activations", activations.length * directions, names.length);
  const [alphas, betas] = ["activation_alpha", "activation_beta"].map((name) => [
    ...(node.attributes.floats(name) ?? []),
  ]);
  const all = names.map((given): RecurrentActivation => {
    const known = FUNCTIONS[given.toLowerCase()];
    if (!known)
      node.unsupported(
        `activation ${given}`,
        Object.values(FUNCTIONS)
          .map(({ name }) => name)
          .join(", "),
      );
    const wanted: readonly string[] = recurrentFunctions[known.name];
    return {
      function: known.name,
      ...(wanted.includes("alpha") && { alpha: alphas!.shift() ?? known.alpha! }),
      ...(wanted.includes("beta") && { beta: betas!.shift() ?? known.beta! }),
    };
  });
  return Array.from({ length: directions }, (_, d) => all.slice(d * activations.length, (d + 1) * activations.length));
}

/** W [D, gates * H, I], R [D, gates * H, H], B [D, 2 * gates * H] and P [D, 3 * H], cut up. */
class CellWeights {
  readonly #node: NodeContext;
  readonly #names: readonly string[];
  readonly #w: Float32Array;
  readonly #r: Float32Array;
  readonly #b: Float32Array | undefined;
  readonly #p: Float32Array | undefined;
  readonly #input: number;
  readonly #hidden: number;

  constructor(node: NodeContext, names: readonly string[], directions: number) {
    this.#node = node;
    this.#names = names;
    const rows = this.#constant(2, "R")?.shape[2] ?? 0;
    const input = this.#constant(1, "W")?.shape[2] ?? 0;
    [this.#hidden, this.#input] = [rows, input];
    const all = names.length * rows;
    const stated = node.attributes.int("hidden_size", rows);
    if (stated !== rows) throw new ModelFileError(`onnx: ${node.title}`, "hidden_size", rows, stated);
    const checked = (index: number, what: string, shape: readonly number[]): Float32Array | undefined => {
      const constant = this.#constant(index, what);
      if (constant && constant.shape.join() !== shape.join())
        throw new ModelFileError(`onnx: ${node.title}`, `shape of ${what}`, shape, constant.shape);
      return constant?.data as Float32Array | undefined;
    };
    this.#w = checked(1, "W", [directions, all, input])!;
    this.#r = checked(2, "R", [directions, all, rows])!;
    this.#b = checked(3, "B", [directions, 2 * all]);
    this.#p = checked(7, "P", [directions, 3 * rows]);
  }

  #constant(index: number, what: string) {
    const node = this.#node;
    if (node.optional(index) === undefined) return undefined;
    return node.constantOf(node.float(index)) ?? node.unsupported(`${what} computed at run time`, `a constant ${what}`);
  }

  /** What x adds to every gate of direction d, and the recurrent weights. `apart`: the last gate's second bias is elsewhere. */
  gates(x: string, d: number, apart: boolean): string[] {
    const node = this.#node;
    const [hidden, input] = [this.#hidden, this.#input];
    const count = this.#names.length;
    const gates = this.#names.map((name, g) => {
      const size = hidden * input;
      const at = (d * count + g) * size;
      const weight = node.store(`W.${d}.${name}`, floats([hidden, input], this.#w.slice(at, at + size)));
      const inputs = [x, weight];
      if (this.#b) {
        const second = apart && g === count - 1 ? undefined : this.#bias(d, count + g);
        const bias = this.#bias(d, g).map((value, j) => value + (second?.[j] ?? 0));
        inputs.push(node.store(`B.${d}.${name}`, floats([hidden], bias)));
      }
      return node.step(`W.${d}.${name}`, "dense", inputs, {});
    });
    const size = count * hidden * hidden;
    const recurrent = floats([count * hidden, hidden], this.#r.slice(d * size, (d + 1) * size));
    return [...gates, node.store(`R.${d}`, recurrent)];
  }

  /** Block i of direction d's 2 * gates biases. */
  #bias(d: number, i: number): Float32Array {
    const at = (d * 2 * this.#names.length + i) * this.#hidden;
    return this.#b!.slice(at, at + this.#hidden);
  }

  /** Of a GRU's last gate: added before the reset gate is multiplied in. */
  resetBias(d: number): string | undefined {
    if (!this.#b) return undefined;
    return this.#node.store(`B.${d}.reset`, floats([this.#hidden], this.#bias(d, 5)));
  }

  peepholes(d: number): string | undefined {
    if (!this.#p) return undefined;
    const size = 3 * this.#hidden;
    return this.#node.store(`P.${d}`, floats([3, this.#hidden], this.#p.slice(d * size, (d + 1) * size)));
  }
}

export const recurrent: Readonly<Record<string, OperatorImporter>> = {
  RNN: importer("RNN"),
  GRU: importer("GRU"),
  LSTM: importer("LSTM"),
};
