import type { NodeContext, OperatorImporter } from "../context.ts";
import { GeluOptions, ReducerOptions } from "../schema.ts";

type Unary = "abs" | "cos" | "exp" | "floor" | "log" | "sin" | "sqrt";

/** A function of every element. */
const unary =
  (op: Unary): OperatorImporter =>
  (node) =>
    node.bindReal(node.main(op, [node.real(0)], {}));

const binary =
  (op: "max" | "min" | "pow"): OperatorImporter =>
  (node) =>
    node.bindReal(node.main(op, [node.real(0), node.real(1)], {}));

/** Axes are a constant, -1 the last one. */
export const reduction =
  (kind: "max" | "mean" | "min" | "prod" | "sum"): OperatorImporter =>
  (node) => {
    const x = node.real(0);
    const rank = node.shape(x).length;
    const axes = node.numbers(1, "axes").map((axis) => node.axis(axis, rank));
    const data = BigInt64Array.from(axes, BigInt);
    const list = node.store("axes", { kind: "plain", dtype: "int64", shape: [axes.length], data });
    const { keepDims } = node.options(ReducerOptions);
    node.bindReal(node.main("reduce", [x, list], { reduction: kind, keepAxes: keepDims, keepWithoutAxes: true }));
  };

/** 1 / sqrt(x) */
function rsqrt(node: NodeContext): void {
  const root = node.step("root", "sqrt", [node.real(0)], {});
  node.bindReal(node.main("reciprocal", [root], {}));
}

export const functions: Readonly<Record<string, OperatorImporter>> = {
  ABS: unary("abs"),
  COS: unary("cos"),
  EXP: unary("exp"),
  FLOOR: unary("floor"),
  LOG: unary("log"),
  SIN: unary("sin"),
  SQRT: unary("sqrt"),
  RSQRT: rsqrt,
  MAXIMUM: binary("max"),
  MINIMUM: binary("min"),
  POW: binary("pow"),
  GELU: (node) =>
    node.bindReal(
      node.main("gelu", [node.real(0)], { approximate: node.options(GeluOptions).approximate ? "tanh" : "none" }),
    ),
  SUM: reduction("sum"),
  REDUCE_MAX: reduction("max"),
  REDUCE_MIN: reduction("min"),
  REDUCE_PROD: reduction("prod"),
};
