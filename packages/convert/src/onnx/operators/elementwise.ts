import type { AttributesOf, DataOf, DType, OpsOp, PlainConstant } from "lowbit";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { TensorProto_DataType as T } from "../generated/onnx_pb.ts";
import { dtypeOf, typeName } from "../tensor.ts";

/** The operators of `lowbit/ops` that have no attributes. */
type Plain = { [K in OpsOp]: Record<never, never> extends AttributesOf<K> ? K : never }[OpsOp];

/** All inputs of the node, as one operator of the Graph. */
const plain =
  (op: Plain): OperatorImporter =>
  (node) =>
    node.bind(node.main(op, inputsOf(node), {}));

/** The same with the operands exchanged. */
const exchanged =
  (op: Plain): OperatorImporter =>
  (node) =>
    node.bind(node.main(op, [node.input(1), node.input(0)], {}));

const inputsOf = (node: NodeContext): string[] => Array.from({ length: node.inputCount }, (_, i) => node.input(i));

const isF32 = (node: NodeContext, ...inputs: readonly string[]): boolean =>
  inputs.every((input) => node.info(input).dtype === "f32");

/** The operator that every model may have where all is f32, else that of any type. */
function arithmetic(op: "add" | "sub" | "mul" | "div", any: Plain): OperatorImporter {
  return (node) => {
    const inputs = inputsOf(node);
    const isFolded = inputs.every((input) => node.constantOf(input) !== undefined);
    node.bind(isFolded || isF32(node, ...inputs) ? node.main(op, inputs, {}) : node.main(any, inputs, {}));
  };
}

/** One input or more, two by two from the left. */
function fold(op: "add" | "min" | "max"): OperatorImporter {
  return (node) => node.bind(folded(node, op));
}

function folded(node: NodeContext, op: "add" | "min" | "max"): string {
  const [first, ...others] = inputsOf(node);
  const kind = op === "add" && !isF32(node, first!) ? "anyAdd" : op;
  return others.reduce((a, b, i) => {
    const isLast = i === others.length - 1;
    return isLast ? node.main(kind, [a, b], {}) : node.step(`${i}`, kind, [a, b], {});
  }, first!);
}

function mean(node: NodeContext): void {
  const count = node.store("count", scalar("f32", node.inputCount));
  node.bind(node.step("mean", "div", [folded(node, "add"), count], {}));
}

const bigTypes: readonly DType[] = ["int64", "uint64"];

function scalar(dtype: keyof DataOf, value: number): PlainConstant {
  const data = bigTypes.includes(dtype) ? BigInt64Array.of(BigInt(value)) : Float32Array.of(value);
  if (dtype === "f32" || dtype === "int64") return { kind: "plain", dtype, shape: [], data } as PlainConstant;
  const arrays = { int8: Int8Array, int16: Int16Array, int32: Int32Array, f64: Float64Array } as const;
  return { kind: "plain", dtype, shape: [], data: arrays[dtype as keyof typeof arrays].of(value) } as PlainConstant;
}

/** A square is a product, in fewer steps and with one rounding. */
function pow(node: NodeContext): void {
  const [x, exponent] = [node.input(0), node.input(1)];
  const constant = node.constantOf(exponent);
  const isSquare = constant && constant.data.length === 1 && Number(constant.data[0]) === 2;
  if (isSquare && isF32(node, x) && constant.shape.length <= node.shape(x).length)
    node.bind(node.main("mul", [x, x], {}));
  else node.bind(node.main("pow", [x, exponent], {}));
}

/** Limits are attributes before operator set 11, optional scalar inputs from then on. */
function clip(node: NodeContext): void {
  const x = node.input(0);
  const inputs = node.opset < 11 ? [] : [node.optional(1), node.optional(2)];
  const constants = inputs.map((input) => node.constantOf(input));
  if (isF32(node, x) && inputs.every((input, i) => input === undefined || constants[i])) {
    const limit = (name: string, i: number, fallback: number) =>
      node.opset < 11 ? node.attributes.float(name, fallback) : Number(constants[i]?.data[0] ?? fallback);
    const [min, max] = [limit("min", 0, Number.NEGATIVE_INFINITY), limit("max", 1, Number.POSITIVE_INFINITY)];
    node.bind(node.main("clip", [x], { min, max }));
    return;
  }
  if (node.opset < 11) node.unsupported(`input 0 of type ${node.info(x).dtype}`, "f32");
  const given = [x, ...inputs.map((input) => input ?? "")];
  while (given.at(-1) === "") given.pop();
  node.bind(node.main("anyClip", given, {}));
}

function relu(node: NodeContext): void {
  const x = node.input(0);
  const { dtype } = node.info(x);
  if (dtype === "f32") node.bind(node.main("clip", [x], { min: 0, max: Number.POSITIVE_INFINITY }));
  else node.bind(node.main("anyClip", [x, node.store("zero", scalar(dtype as keyof DataOf, 0))], {}));
}

/** The operator of f32 that every model may have, or that of any type. */
const either =
  (op: "sigmoid" | "tanh" | "sign", any: Plain): OperatorImporter =>
  (node) => {
    const x = node.input(0);
    node.bind(isF32(node, x) ? node.main(op, [x], {}) : node.main(any, [x], {}));
  };

function leakyRelu(node: NodeContext): void {
  const x = node.input(0);
  const alpha = node.attributes.float("alpha", Math.fround(0.01));
  if (isF32(node, x)) node.bind(node.main("leakyRelu", [x], { alpha }));
  else node.bind(node.main("prelu", [x, node.store("alpha", scalar(node.info(x).dtype as keyof DataOf, alpha))], {}));
}

/** Integers may be sizes, which are computed with. */
function neg(node: NodeContext): void {
  const x = node.input(0);
  const { dtype } = node.info(x);
  if (dtype === "int64" || dtype === "int32")
    node.bind(node.main("anySub", [node.store("zero", scalar(dtype, 0)), x], {}));
  else node.bind(node.main("neg", [x], {}));
}

const float = (node: NodeContext, name: string, fallback: number) => node.attributes.float(name, Math.fround(fallback));

function elu(alpha: number, gamma: number): OperatorImporter {
  return (node) =>
    node.bind(
      node.main("elu", [node.input(0)], { alpha: float(node, "alpha", alpha), gamma: float(node, "gamma", gamma) }),
    );
}

function hardSigmoid(node: NodeContext): void {
  const [alpha, beta] = [float(node, "alpha", 0.2), float(node, "beta", 0.5)];
  node.bind(node.main("hardSigmoid", [node.input(0)], { alpha, beta }));
}

function gelu(node: NodeContext): void {
  const form = node.attributes.string("approximate", "none");
  if (form !== "none" && form !== "tanh") node.unsupported(`approximate ${form}`, "none or tanh");
  const x = node.input(0);
  node.bind(
    isF32(node, x)
      ? node.main("gelu", [x], { approximate: form })
      : node.main("anyGelu", [x], { tanh: form === "tanh" }),
  );
}

function bitShift(node: NodeContext): void {
  const direction = node.attributes.string("direction", "");
  if (direction !== "LEFT" && direction !== "RIGHT") node.unsupported(`direction "${direction}"`, "LEFT or RIGHT");
  node.bind(node.main("bitShift", [node.input(0), node.input(1)], { right: direction === "RIGHT" }));
}

function isInf(node: NodeContext): void {
  const detect = (side: string) => node.attributes.int(`detect_${side}`, 1) !== 0;
  node.bind(node.main("isInf", [node.input(0)], { negative: detect("negative"), positive: detect("positive") }));
}

/** Types whose rounding or wrapping a cast to our wider type would leave out. */
const narrow: ReadonlySet<number> = new Set<number>([
  ...[T.FLOAT4E2M1, T.FLOAT8E4M3FN, T.FLOAT8E4M3FNUZ, T.FLOAT8E5M2, T.FLOAT8E5M2FNUZ],
]);

/** Types that `cast`, which every model may have, goes between. */
const common: readonly DType[] = ["f32", "int8", "uint8", "int32", "int64", "bool"];

function converted(node: NodeContext, to: keyof DataOf): void {
  const x = node.input(0);
  const { dtype } = node.info(x);
  if (dtype === to) node.bind(x);
  else if (common.includes(dtype) && common.includes(to)) node.bind(node.main("cast", [x], { to: to as "f32" }));
  else node.bind(node.main("anyCast", [x], { to }));
}

/** To 4 bits, which lie in bytes: floats are rounded to even and cut off at the ends, as onnx's own helper does it. */
function fourBits(node: NodeContext, to: keyof DataOf, [min, max]: readonly [number, number]): void {
  const x = node.float(0);
  const whole = node.step("round", "round", [node.step("range", "clip", [x], { min, max })], {});
  node.bind(node.main("cast", [whole], { to: to as "int8" }));
}

/** Floats of 8 bits, by ONNX's numbers: values of theirs are kept as f32. */
const EIGHT_BITS: ReadonlyMap<number, AttributesOf<"narrowFloat">["to"]> = new Map([
  [T.FLOAT8E4M3FN, "f8e4m3fn"],
  [T.FLOAT8E4M3FNUZ, "f8e4m3fnuz"],
  [T.FLOAT8E5M2, "f8e5m2"],
  [T.FLOAT8E5M2FNUZ, "f8e5m2fnuz"],
]);

export const isEightBits = (type: number): boolean => EIGHT_BITS.has(type);

/** x rounded to a float of 8 bits, where `type` is one; undefined where it is another. */
export function eightBits(node: NodeContext, x: string, type: number | undefined): string | undefined {
  const to = type === undefined ? undefined : EIGHT_BITS.get(type);
  const saturate = node.attributes.int("saturate", 1) !== 0;
  return to && node.main("narrowFloat", [x], { to, saturate });
}

/**
 * To float16 and bfloat16 nothing happens: a network in half precision runs in f32 here, which is closer to the numbers
 * it was trained with. To floats of 8 bits x is rounded, which is what those are for.
 */
function cast(node: NodeContext): void {
  const type = node.attributes.int("to", 0);
  const to = dtypeOf(type);
  if (to !== undefined && (type === T.INT4 || type === T.UINT4)) {
    fourBits(node, to, type === T.INT4 ? [-8, 7] : [0, 15]);
    return;
  }
  if (to === undefined || (narrow.has(type) && !EIGHT_BITS.has(type)))
    node.unsupported(`to ${typeName(type)}`, "a type of 8 bits or more, INT4 or UINT4");
  castTo(node, to, type);
}

/** CastLike: to the type of its second input. */
const castLike: OperatorImporter = (node) =>
  castTo(node, node.info(node.input(1)).dtype as keyof DataOf, node.codeType(1));

function castTo(node: NodeContext, to: keyof DataOf, type: number | undefined): void {
  if (type !== undefined && EIGHT_BITS.has(type)) node.bind(eightBits(node, node.float(0), type)!);
  else converted(node, to);
}

/** Functions of one element of each input. */
export const elementwise: Readonly<Record<string, OperatorImporter>> = {
  Add: arithmetic("add", "anyAdd"),
  Sub: arithmetic("sub", "anySub"),
  Mul: arithmetic("mul", "anyMul"),
  Div: arithmetic("div", "anyDiv"),
  Sum: fold("add"),
  Mean: mean,
  Max: fold("max"),
  Min: fold("min"),
  Mod: (node) =>
    node.bind(node.main("mod", [node.input(0), node.input(1)], { truncated: node.attributes.int("fmod", 0) !== 0 })),
  Pow: pow,
  Equal: plain("equal"),
  Less: plain("less"),
  LessOrEqual: plain("lessOrEqual"),
  Greater: exchanged("less"),
  GreaterOrEqual: exchanged("lessOrEqual"),
  And: plain("bitwiseAnd"),
  Or: plain("bitwiseOr"),
  Xor: plain("bitwiseXor"),
  Not: plain("not"),
  BitwiseAnd: plain("bitwiseAnd"),
  BitwiseOr: plain("bitwiseOr"),
  BitwiseXor: plain("bitwiseXor"),
  BitwiseNot: plain("bitwiseNot"),
  BitShift: bitShift,
  Where: plain("where"),
  Clip: clip,
  Relu: relu,
  LeakyRelu: leakyRelu,
  PRelu: plain("prelu"),
  ThresholdedRelu: (node) =>
    node.bind(node.main("thresholdedRelu", [node.input(0)], { alpha: float(node, "alpha", 1) })),
  Elu: elu(1, 1),
  Selu: elu(1.6732632, 1.050701),
  Celu: (node) => node.bind(node.main("celu", [node.input(0)], { alpha: float(node, "alpha", 1) })),
  Sigmoid: either("sigmoid", "anySigmoid"),
  Tanh: either("tanh", "anyTanh"),
  Sign: either("sign", "anySign"),
  HardSigmoid: hardSigmoid,
  HardSwish: plain("hardSwish"),
  Softplus: plain("softplus"),
  Softsign: plain("softsign"),
  Mish: plain("mish"),
  Gelu: gelu,
  Shrink: (node) =>
    node.bind(
      node.main("shrink", [node.input(0)], { lambda: float(node, "lambd", 0.5), bias: float(node, "bias", 0) }),
    ),
  Neg: neg,
  Abs: plain("abs"),
  Sqrt: plain("sqrt"),
  Reciprocal: plain("reciprocal"),
  Exp: plain("exp"),
  Log: plain("log"),
  Erf: plain("erf"),
  Floor: plain("floor"),
  Ceil: plain("ceil"),
  Round: plain("round"),
  Sin: plain("sin"),
  Cos: plain("cos"),
  Tan: plain("tan"),
  Asin: plain("asin"),
  Acos: plain("acos"),
  Atan: plain("atan"),
  Sinh: plain("sinh"),
  Cosh: plain("cosh"),
  Asinh: plain("asinh"),
  Acosh: plain("acosh"),
  Atanh: plain("atanh"),
  IsNaN: plain("isNan"),
  IsInf: isInf,
  Cast: cast,
  CastLike: castLike,
};
