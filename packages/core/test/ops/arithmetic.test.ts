import { createModel, type DType, GraphError, type OpsAttributes, type OpsOp, Tensor, type TensorDType } from "lowbit";
import { describe, expect, it } from "vitest";
import { operatorOf } from "../../src/ops/register.ts";
import { GraphBuilder } from "../../src/testing/builder.ts";
import { RandomData } from "../../src/testing/random-data.ts";
import { checkNode } from "./check.ts";

type Numbers = (random: RandomData) => number;

/** Whole numbers of -9 to 9, which every signed type holds; 0 to 9 for the others. */
const small: Numbers = (random) => random.between(-9, 9);
/** Floats of -3 to 3. */
const real: Numbers = (random) => Math.fround(random.between(-3000, 3000) / 1000);
/** Where functions are defined. */
const positive: Numbers = (random) => Math.fround(random.between(1, 3000) / 1000);
const unit: Numbers = (random) => Math.fround(random.between(-999, 999) / 1000);
const above1: Numbers = (random) => 1 + positive(random);

function tensor(dtype: TensorDType, shape: readonly number[], of: Numbers, random: RandomData): Tensor {
  const size = shape.reduce((product, d) => product * d, 1);
  const isUnsigned = dtype.startsWith("u");
  const numbers = Array.from({ length: size }, () => {
    const value = of(random);
    return dtype === "bool" ? Number(value > 0) : isUnsigned ? Math.abs(value) : value;
  });
  const result = new Tensor(dtype, shape);
  for (const [i, value] of numbers.entries())
    result.data[i] = dtype.endsWith("int64") ? BigInt(Math.trunc(value)) : value;
  return result;
}

/** A shape that broadcasts with `shape`. */
const side = (shape: readonly number[], random: RandomData) =>
  shape.slice(random.below(2) ? 0 : shape.length).map((size) => (random.below(2) ? size : 1));

/** Attributes and the numbers that an operator is tried with; the others take small numbers, or reals where they are for floats alone. */
const settings: {
  readonly [K in OpsOp]?: { readonly attributes?: readonly OpsAttributes[K][]; readonly of?: Numbers };
} = {
  acosh: { of: above1 },
  asin: { of: unit },
  acos: { of: unit },
  atanh: { of: unit },
  log: { of: positive },
  sqrt: { of: positive },
  bitShift: { attributes: [{ right: false }, { right: true }] },
  mod: { attributes: [{ truncated: false }, { truncated: true }] },
  pow: { of: (random) => random.between(1, 3) },
  elu: {
    attributes: [
      { alpha: 1.5, gamma: 1 },
      { alpha: 1.6732632, gamma: 1.050701 },
    ],
  },
  celu: { attributes: [{ alpha: 2 }] },
  hardSigmoid: { attributes: [{ alpha: 0.25, beta: 0.5 }] },
  thresholdedRelu: { attributes: [{ alpha: 1 }] },
  shrink: { attributes: [{ lambda: 0.5, bias: 0.25 }] },
  anyGelu: { attributes: [{ tanh: false }, { tanh: true }] },
  isInf: {
    attributes: [{ negative: true, positive: false }],
    of: (random) => random.pick([1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]),
  },
  isNan: { of: (random) => random.pick([1, Number.NaN]) },
  anyCast: { attributes: [{ to: "int8" }, { to: "uint16" }, { to: "f64" }, { to: "bool" }, { to: "int64" }] },
};

/** Every operator on the kernel `arithmetic`. */
const elementwise = [
  "abs",
  "acos",
  "acosh",
  "anyAdd",
  "anyCast",
  "anyClip",
  "anyDiv",
  "anyGelu",
  "anyMul",
  "anySigmoid",
  "anySign",
  "anySub",
  "anyTanh",
  "asin",
  "asinh",
  "atan",
  "atanh",
  "bitShift",
  "bitwiseAnd",
  "bitwiseNot",
  "bitwiseOr",
  "bitwiseXor",
  "ceil",
  "celu",
  "cos",
  "cosh",
  "elu",
  "equal",
  "erf",
  "exp",
  "floor",
  "hardSigmoid",
  "hardSwish",
  "isInf",
  "less",
  "lessOrEqual",
  "log",
  "max",
  "min",
  "mish",
  "mod",
  "neg",
  "not",
  "pow",
  "prelu",
  "reciprocal",
  "round",
  "shrink",
  "sin",
  "sinh",
  "softplus",
  "softsign",
  "sqrt",
  "tan",
  "thresholdedRelu",
  "where",
] as const satisfies readonly OpsOp[];

/** Whose uint64 reach numbers that the reference, of f64, does not hold: crates/kernels tests them. */
const nearTop: readonly OpsOp[] = ["anySub", "bitwiseNot"];

describe("arithmetic", () => {
  it.each(elementwise)("%s", async (name) => {
    const inputs = operatorOf(name)!.inputs as readonly { readonly dtypes: readonly DType[] }[];
    const setting = settings[name] as { attributes?: readonly object[]; of?: Numbers } | undefined;
    const types = inputs[0]!.dtypes.filter(
      (dtype) => dtype !== "f16" && !(dtype === "uint64" && nearTop.includes(name)),
    );
    const floatsOnly = types.every((dtype) => dtype.startsWith("f"));
    for (const attributes of setting?.attributes ?? [{}])
      for (const [seed, dtype] of types.entries()) {
        const random = new RandomData(seed + 1);
        const shape = Array.from({ length: random.between(0, 3) }, () => random.pick([1, 2, 5, 150]));
        const typed = (like: readonly DType[], i: number): DType =>
          name === "where" ? (i === 0 ? "bool" : "f32") : like.includes(dtype) ? dtype : like[0]!;
        const given = inputs.map((rule, i) => ({
          tensor: tensor(
            typed(rule.dtypes, i) as TensorDType,
            i === 0 ? shape : side(shape, random),
            setting?.of ?? (floatsOnly ? real : small),
            random,
          ),
          // What is not finite is no input of a model.
          as: name === "isInf" ? ("constant" as const) : random.pick(["input", "symbolic"] as const),
        }));
        await checkNode(name, given, attributes as never, { tolerance: dtype.startsWith("f") ? 1e-6 : 0 });
      }
  });

  it("isNan", async () => {
    const builder = new GraphBuilder();
    const roots = builder.ops("sqrt", [builder.input("x", "f32", [3])], {});
    const graph = builder.build(...builder.ops("isNan", roots, {}));
    const model = await createModel(graph);
    const result = await model.run({ x: new Tensor("f32", [3], Float32Array.of(4, -1, 0)) });
    model.dispose();
    expect(Object.values(result).map(({ dtype, data }) => [dtype, [...data]])).toEqual([["bool", [0, 1, 0]]]);
  });

  it("refuses types that differ, by name", () => {
    const builder = new GraphBuilder();
    const [a, b] = [builder.input("a", "int8", [3]), builder.input("b", "uint8", [3])];
    expect(() => builder.build(...builder.ops("anyAdd", [a, b], {}))).toThrow(GraphError);
    expect(() => builder.build(...builder.ops("anyAdd", [a, b], {}))).toThrow(
      /dtype of input 1, expected int8, got uint8/,
    );
  });

  it("bounds may be absent", async () => {
    const x = new Tensor("int8", [4], Int8Array.of(-100, -3, 4, 100));
    const low = new Tensor("int8", [], Int8Array.of(-5));
    await checkNode("anyClip", [{ tensor: x }, { tensor: low }], {});
    await checkNode("anyClip", [{ tensor: x }, undefined, { tensor: low }], {});
    await checkNode("anyClip", [{ tensor: x }], {});
  });
});

describe("reduce", () => {
  const list = (values: readonly number[]) => new Tensor("int64", [values.length], BigInt64Array.from(values, BigInt));
  const reductions = ["sum", "mean", "prod", "max", "min", "l1", "l2", "sumSquare", "logSum", "logSumExp"] as const;

  it.each(reductions)("%s", async (reduction) => {
    for (let seed = 0; seed < 12; seed++) {
      const random = new RandomData(seed);
      const shape = Array.from({ length: random.between(1, 4) }, () => random.pick([1, 2, 3, 140]));
      if (shape.reduce((a, b) => a * b, 1) > 20_000) continue;
      const isLog = reduction.startsWith("log");
      const dtype = random.pick(["f32", "f64", ...(isLog ? [] : (["int32", "int64"] as const))] as const);
      const x = tensor(dtype, shape, reduction === "prod" ? () => 1 + random.below(2) / 64 : positive, random);
      const axes = shape.map((_, axis) => axis - (random.below(2) ? shape.length : 0)).filter(() => random.below(2));
      const keepAxes = random.below(2) === 0;
      const attributes = { reduction, keepAxes, keepWithoutAxes: random.below(2) === 0 };
      const as = random.pick(["input", "constant"] as const);
      const given = random.below(4) ? [{ tensor: list(axes), as }] : [];
      await checkNode("reduce", [{ tensor: x, as: "symbolic" }, ...given], attributes, { tolerance: 1e-6 });
    }
  });

  it("of nothing", async () => {
    for (const dtype of ["f32", "int8"] as const)
      for (const reduction of ["sum", "max", "min", "prod"] as const) {
        const x = { tensor: new Tensor(dtype, [2, 0, 3]) };
        const attributes = { reduction, keepAxes: false, keepWithoutAxes: false };
        await checkNode("reduce", [x, { tensor: list([1]), as: "constant" }], attributes);
      }
  });

  it("what follows an axis", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const random = new RandomData(seed);
      const shape = Array.from({ length: random.between(1, 3) }, () => random.pick([1, 3, 5, 140]));
      const axis = random.below(shape.length) - (random.below(2) ? shape.length : 0);
      const x = {
        tensor: tensor(random.pick(["f32", "int32"] as const), shape, small, random),
        as: "symbolic" as const,
      };
      const [smallest, last] = [random.below(2) === 0, random.below(2) === 0];
      await checkNode("argExtreme", [x], { axis, keepAxis: last, smallest, last });
      const k = { tensor: list([random.between(1, shape.at(axis)!)]), as: random.pick(["input", "constant"] as const) };
      await checkNode("topK", [x, k], { axis, smallest }, { outputs: 2 });
      const exclusive = { exclusive: smallest, reverse: last };
      await checkNode("cumSum", [x, { tensor: list([axis]), as: "constant" }], exclusive);
      const floats = { tensor: tensor("f32", shape, real, random) };
      await checkNode("anySoftmax", [floats], { axis, log: last }, { tolerance: 1e-6 });
    }
  });
});

describe.each(["f8e4m3fn", "f8e4m3fnuz", "f8e5m2", "f8e5m2fnuz"] as const)("narrowFloat to %s", (to) => {
  it.each([true, false])("saturates: %s", async (saturate) => {
    const random = new RandomData(3);
    const wide = Array.from({ length: 200 }, () => random.pick([1, -1]) * 2 ** (40 * random.uniform() - 22));
    // Ties, ends, and what is near them.
    const ties = [
      0,
      1,
      17,
      18,
      1.0625,
      1.125,
      1.1875,
      1.375,
      447,
      448,
      464,
      465,
      240,
      248,
      249,
      57344,
      61440,
      61441,
      2 ** -10,
      2 ** -11,
      2 ** -17,
    ];
    const x = Float32Array.from([...wide, ...ties, ...ties.map((value) => -value)]);
    await checkNode("narrowFloat", [{ tensor: new Tensor("f32", [x.length], x) }], { to, saturate });
  });
});
