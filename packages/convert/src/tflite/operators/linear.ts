import { transposed } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { BatchMatMulOptions, FullyConnectedOptions } from "../schema.ts";
import { addLayer } from "./convolution.ts";
import { weightsOf } from "./weights.ts";

/** x [..., K] (seen as rows of K unless `keep_num_dims`), weights [N, K], bias? [N]. */
function fullyConnected(node: NodeContext): void {
  const { activation, weightsFormat, keepDims } = node.options(FullyConnectedOptions);
  if (weightsFormat !== 0) node.unsupported(`weights in format ${weightsFormat}`, "the default format");
  if (!node.constant(1)) {
    const weights = node.step("transposed", "transpose", [node.real(1, 2)], { permutation: [1, 0] });
    const y = node.main("matmul", [node.real(0), weights], {});
    node.bindReal(node.has(2) ? node.step("bias", "add", [y, node.real(2)], {}) : y, activation);
    return;
  }
  const weights = weightsOf(node, 1, 0);
  if (weights.shape.length !== 2) node.damaged("rank of the weights", 2, weights.shape.length);
  const k = weights.shape[1]!;
  let x = node.target().quantization ? node.value(0) : node.real(0);
  const shape = node.shape(x);
  if (shape.at(-1) !== k || (shape.length !== 2 && !keepDims)) {
    const rest = shape
      .slice(1)
      .reduce<number>((product, size) => product * (typeof size === "number" ? size : Number.NaN), 1);
    // A batch that stays a symbol is kept where each of its samples is one row.
    x = node.step("rows", "reshape", [x], { shape: rest === k ? [shape[0]!, k] : [-1, k] });
  }
  const y = addLayer(node, "dense", x, weights, {}, activation);
  if (node.info(y).dtype === "f32") node.bindReal(y);
  else node.bind(y);
}

/** a [..., M, K] by b [..., K, N], either of them transposed where the options say so. */
function batchMatMul(node: NodeContext): void {
  const { adjointX, adjointY } = node.options(BatchMatMulOptions);
  const turned = (index: number, turn: boolean): string => {
    const value = node.real(index);
    const rank = node.shape(value).length;
    if (rank < 2) node.damaged(`rank of input ${index}`, "2 or more", rank);
    const axes = Array.from({ length: rank }, (_, axis) => axis);
    const permutation = [...axes.slice(0, -2), rank - 1, rank - 2];
    return turn ? node.step(`transposed_${index}`, "transpose", [value], { permutation }) : value;
  };
  const a = turned(0, adjointX);
  const constant = node.constant(1);
  if (constant?.shape.length === 2 && constant.dtype === "f32") {
    const weights = adjointY ? constant : transposed(constant, [1, 0]);
    node.bindReal(node.main("dense", [a, node.store("weight", weights)], {}));
  } else node.bindReal(node.main("matmul", [a, turned(1, adjointY)], {}));
}

export const linear: Readonly<Record<string, OperatorImporter>> = {
  FULLY_CONNECTED: fullyConnected,
  BATCH_MATMUL: batchMatMul,
};
