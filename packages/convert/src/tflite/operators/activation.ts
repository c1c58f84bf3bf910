import { floats } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { LeakyReluOptions, SoftmaxOptions } from "../schema.ts";

const clip =
  (min: number, max: number): OperatorImporter =>
  (node) =>
    node.bindReal(node.main("clip", [node.real(0)], { min, max }));

/** x * clip(x + 3, 0, 6) / 6, in the order of LiteRT's float kernel. */
function hardSwish(node: NodeContext): void {
  const x = node.real(0);
  const shifted = node.step("shifted", "add", [x, node.store("three", floats([], [3]))], {});
  const gate = node.step("gate", "clip", [shifted], { min: 0, max: 6 });
  const product = node.step("product", "mul", [x, gate], {});
  node.bindReal(node.main("div", [product, node.store("six", floats([], [6]))], {}));
}

/** exp(beta * x) over the last axis, divided by its sum. */
function softmax(node: NodeContext): void {
  const { beta } = node.options(SoftmaxOptions);
  let x = node.real(0);
  if (beta !== 1) x = node.step("scaled", "mul", [x, node.store("beta", floats([], [beta]))], {});
  node.bindReal(node.main("softmax", [x], { axis: -1 }));
}

/** max(x, 0) + alpha * min(x, 0), alpha broadcast. */
function prelu(node: NodeContext): void {
  const x = node.real(0);
  const positive = node.step("positive", "clip", [x], { min: 0, max: Number.POSITIVE_INFINITY });
  const negative = node.step("negative", "clip", [x], { min: Number.NEGATIVE_INFINITY, max: 0 });
  const scaled = node.step("scaled", "mul", [negative, node.real(1)], {});
  node.bindReal(node.main("add", [positive, scaled], {}));
}

export const activation: Readonly<Record<string, OperatorImporter>> = {
  RELU: clip(0, Number.POSITIVE_INFINITY),
  RELU6: clip(0, 6),
  RELU_N1_TO_1: clip(-1, 1),
  RELU_0_TO_1: clip(0, 1),
  LEAKY_RELU: (node) =>
    node.bindReal(node.main("leakyRelu", [node.real(0)], { alpha: node.options(LeakyReluOptions).alpha })),
  PRELU: prelu,
  LOGISTIC: (node) => node.bindReal(node.main("sigmoid", [node.real(0)], {})),
  TANH: (node) => node.bindReal(node.main("tanh", [node.real(0)], {})),
  HARD_SWISH: hardSwish,
  SOFTMAX: softmax,
};
