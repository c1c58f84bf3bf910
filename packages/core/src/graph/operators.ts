/**
 * The rules of every operator, one entry each: attributes, inputs, output type and shape. What `registerOp` brings from outside stands
 * beside the built-in ones and is checked by the same code.
 */
import { GraphError, OutOfRangeError } from "../errors.ts";
import * as attribute from "./attributes.ts";
import * as shapes from "./shapes.ts";
import type {
  CastType,
  Constant,
  CustomNode,
  CustomOp,
  Dim,
  DType,
  Node,
  NodeOf,
  Op,
  OpsOp,
  ValueInfo,
} from "./types.ts";

/** One input of an operator. */
export interface InputRule {
  /** Its name in errors, e.g. `bias`; absent: `input i`. */
  readonly what?: string;
  /** `same`: the type of input 0. */
  readonly dtypes: readonly DType[] | "any" | "same";
  /** Whether it must be a constant; where absent it may be. */
  readonly constant?: boolean;
  /** Whether it may be absent, or "" before others. */
  readonly optional?: boolean;
  /** Whether its constant may be codes. */
  readonly codes?: boolean;
  /**
   * What is read of it, where that is not its elements when the model runs: its `shape` only, or the numbers in it that decide
   * the `sizes` of the output, which are read when a plan is made.
   */
  readonly reads?: "shape" | "sizes";
}

/** Elements of a value that are known before a run: numbers, symbols, or {@link shapes.OPEN}. */
export type Elements = readonly Dim[];

/** What a rule says of an output; a size that only a run can tell is {@link shapes.OPEN}. */
export interface OutputRule {
  readonly dtypes: readonly DType[];
  readonly shape: shapes.Shape;
}

/**
 * Types and shapes of all outputs, at least as many as a node of the operator has.
 * @param elements by input, those of inputs that decide sizes, where they are known
 */
export type OutputRules<N extends Node = Node> = (
  node: N,
  inputs: readonly (ValueInfo | undefined)[],
  elements: readonly (Elements | undefined)[],
) => readonly OutputRule[];

/** What the checks of a graph ask of an operator whose nodes are `N`. */
export interface OperatorRules<N extends Node = Node> {
  readonly attributes: attribute.AttributeRules<N["attributes"]>;
  /** In order. */
  readonly inputs: readonly InputRule[];
  /** How many inputs there may be where the last one repeats; absent: as many as are listed. */
  readonly most?: number;
  /** What the output may be; `same`: the type of input 0. */
  readonly output: readonly DType[] | "same" | ((node: N) => readonly DType[]);
  /** What must have a scale and a zero point. */
  readonly quantized?: "input" | "output";
  /** From the shapes of the inputs (undefined where an optional one is absent) to that of the output. */
  readonly shape: shapes.ShapeRule<N>;
  /** In place of `output` and `shape`, for operators of several outputs or with inputs that decide sizes. */
  readonly outputs?: OutputRules<N>;
}

/** Types that `cast` goes between. */
export const casts: readonly CastType[] = ["f32", "f16", "int8", "uint8", "int32", "int64", "bool"];

const floats: readonly DType[] = ["f32"];
const bytes: readonly DType[] = ["int8", "uint8"];
const images: readonly DType[] = ["f32", "int8", "uint8", "bit"];

const f32: InputRule = { dtypes: floats };
const any: InputRule = { dtypes: "any" };
const perChannel: InputRule = { what: "per-channel constants", dtypes: floats, constant: true };

const weighted = {
  inputs: [
    { dtypes: ["f32", "int8", "uint8", "bit", "trit"] },
    { dtypes: "any", constant: true, codes: true },
    { what: "bias", dtypes: floats, constant: true, optional: true },
  ],
  output: ["f32", "int8", "uint8", "int32"],
} satisfies Partial<OperatorRules>;

/** f32 to f32 of the same shape. */
const ofFloats = { inputs: [f32], output: floats, shape: shapes.unchanged } satisfies Partial<OperatorRules>;
const plain = { ...ofFloats, attributes: {} };
const binary = { attributes: {}, inputs: [f32, f32], output: floats, shape: shapes.broadcast };

const builtIn: { readonly [K in Op]: OperatorRules<NodeOf<K>> } = {
  conv2d: {
    ...weighted,
    attributes: {
      ...attribute.window,
      groups: attribute.integer(1, attribute.maxSize),
      padding: attribute.oneOf("zero", "one"),
      clamp: attribute.clamp,
    },
    shape: shapes.conv2dShape,
  },
  dense: {
    ...weighted,
    attributes: { clamp: attribute.clamp, activations: { ...attribute.oneOf("int8"), optional: true } },
    shape: shapes.denseShape,
  },
  matmul: { ...binary, shape: shapes.matmulShape },
  threshold: {
    attributes: {},
    inputs: [{ dtypes: ["int32"] }, { what: "thresholds", dtypes: ["int32"], constant: true }],
    output: ["bit"],
    shape: shapes.channelwise,
  },
  affine: {
    attributes: { clamp: attribute.clamp },
    inputs: [{ dtypes: ["f32", "int32"] }, perChannel, perChannel],
    output: floats,
    shape: shapes.channelwise,
  },
  sign: { ...plain, output: ["f32", "trit", "bit"] },
  quantize: { ...plain, output: bytes, quantized: "output" },
  dequantize: { ...plain, inputs: [{ dtypes: bytes }], quantized: "input" },
  maxPool: { attributes: attribute.window, inputs: [{ dtypes: images }], output: "same", shape: shapes.pooled },
  avgPool: {
    ...ofFloats,
    attributes: { ...attribute.window, countIncludePad: attribute.flag },
    shape: shapes.pooled,
  },
  globalAvgPool: { ...plain, shape: shapes.globalAvgPoolShape },
  batchNorm: {
    attributes: { epsilon: attribute.notNegative },
    inputs: [f32, perChannel, perChannel, perChannel, perChannel],
    output: floats,
    shape: shapes.channelwise,
  },
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  clip: {
    attributes: { min: attribute.real, max: attribute.real },
    inputs: [{ dtypes: ["f32", "int8", "uint8"] }],
    output: "same",
    shape: shapes.unchanged,
  },
  leakyRelu: { ...ofFloats, attributes: { alpha: attribute.finite } },
  sigmoid: plain,
  tanh: plain,
  softmax: { ...ofFloats, attributes: { axis: attribute.integer(-16, 15) }, shape: shapes.softmaxShape },
  reshape: { attributes: { shape: attribute.newShape }, inputs: [any], output: "same", shape: shapes.reshapeShape },
  transpose: {
    attributes: { permutation: attribute.someIntegers(0, 15) },
    inputs: [any],
    output: "same",
    shape: shapes.transposeShape,
  },
  concat: {
    attributes: { axis: attribute.integer(-16, 15) },
    inputs: [any, { dtypes: "same", optional: true }],
    most: 1024,
    output: "same",
    shape: shapes.concatShape,
  },
  pad: {
    attributes: { pads: attribute.someIntegers(0, attribute.maxSize, 32), value: attribute.real },
    inputs: [any],
    output: "same",
    shape: shapes.padShape,
  },
  cast: {
    attributes: {
      to: attribute.oneOf(...casts),
    },
    inputs: [any],
    output: (node) => [node.attributes.to],
    shape: shapes.unchanged,
  },
};

const added = new Map<string, OperatorRules>();

/** The rules of an operator, built in or registered; undefined where nobody knows it. */
export function rulesOf(op: string): OperatorRules | undefined {
  return (Object.hasOwn(builtIn, op) ? builtIn[op as Op] : added.get(op)) as OperatorRules | undefined;
}

/** Whether `op` is to be looked for in `lowbit/ops`. */
export const isOpsOp = (op: string): op is OpsOp => !(Object.hasOwn(builtIn, op) || isCustomOp(op));

/** Whether `op` is the name of an operator from outside; those of this library have no dot. */
export const isCustomOp = (op: string): op is CustomOp => op.includes(".");

export const isCustomNode = (node: Node): node is CustomNode => isCustomOp(node.op);

/**
 * Adds the rules of an operator of `lowbit/ops` or from outside.
 * @returns a function that takes them away again
 */
export function addRules<N extends Node>(op: N["op"], rules: OperatorRules<N>): () => void {
  added.set(op, rules as unknown as OperatorRules);
  return () => added.delete(op);
}

/**
 * @throws OutOfRangeError where the name is no `owner.operator` or is taken
 */
export function checkCustomName(op: CustomOp): void {
  if (!/^[a-z]\w*(\.\w+)+$/i.test(op))
    throw new OutOfRangeError("registerOp", "name", "<owner>.<operator> in letters, digits and _", op);
  if (added.has(op)) throw new OutOfRangeError("registerOp", "name", "one that is not registered yet", op);
}

/**
 * Types and shapes of `node`'s outputs.
 * @throws GraphError naming the node
 */
export function inferOutputs(
  node: Node,
  inputs: readonly (ValueInfo | undefined)[],
  elements: readonly (Elements | undefined)[],
): readonly OutputRule[] {
  const rules = rulesOf(node.op);
  if (!rules) throw unknownOperator(node);
  const { output } = rules;
  if (rules.outputs) return rules.outputs(node, inputs, elements);
  const dtypes = typeof output === "function" ? output(node) : output === "same" ? [inputs[0]!.dtype] : output;
  const shape = rules.shape(
    node,
    inputs.map((input) => input?.shape),
  );
  return [{ dtypes, shape }];
}

/**
 * The shape of the output of `node`, whose operator has one and no input that decides sizes.
 * @throws GraphError naming the node
 */
export function inferShape(node: Node, given: readonly (shapes.Shape | undefined)[]): shapes.Shape {
  return inferOutputs(
    node,
    given.map((shape) => shape && { dtype: "f32", shape }),
    [],
  )[0]!.shape;
}

/** The rule of input `i`, where the last one may repeat. */
export const inputRule = ({ inputs }: OperatorRules, i: number): InputRule => inputs[Math.min(i, inputs.length - 1)]!;

/** Elements that a value may have whose numbers decide sizes. */
export const MOST_ELEMENTS = 4096;

/** The numbers of `node`'s constants that decide sizes, by input. */
export const constantElements = (
  { inputs }: Node,
  rules: OperatorRules,
  constants: ReadonlyMap<string, Constant>,
): (Elements | undefined)[] =>
  inputs.map((name, i) => {
    const constant = inputRule(rules, i).reads === "sizes" && constants.get(name);
    return constant && constant.kind === "plain" && constant.data.length <= MOST_ELEMENTS
      ? Array.from(constant.data as ArrayLike<number | bigint>, Number)
      : undefined;
  });

export const unknownOperator = ({ name, op }: Node): GraphError =>
  new GraphError(`node "${name}"`, "operator", isCustomOp(op) ? "one that registerOp made known" : "a known one", op);
