import type { Dim } from "lowbit";
import type { NodeContext, OperatorImporter } from "../context.ts";

/** Limits are attributes before operator set 11, optional scalar inputs from then on. */
function clip(node: NodeContext): void {
  const limit = (name: string, index: number, fallback: number) =>
    node.opset < 11
      ? node.attributes.float(name, fallback)
      : Number(node.constantInput(index, name)?.data[0] ?? fallback);
  const min = limit("min", 1, Number.NEGATIVE_INFINITY);
  const max = limit("max", 2, Number.POSITIVE_INFINITY);
  node.bind(node.main("clip", [node.float(0)], { min, max }));
}

/**
 * From operator set 13 on over one axis (default the last); before, over all axes from `axis` (default 1) on, as if
 * they were one.
 */
function softmax(node: NodeContext): void {
  const x = node.float(0);
  const shape = node.shape(x);
  const axis = node.axis(node.attributes.int("axis", node.opset < 13 ? 1 : -1), shape.length);
  if (node.opset >= 13 || axis === shape.length - 1) {
    node.bind(node.main("softmax", [x], { axis }));
    return;
  }
  const inner = shape.slice(axis).reduce<number>((product, size) => product * fixed(node, size), 1);
  const flat = node.step("flat", "reshape", [x], { shape: [...shape.slice(0, axis), inner] });
  const y = node.main("softmax", [flat], { axis });
  node.bind(node.step("shape", "reshape", [y], { shape }));
}

function fixed(node: NodeContext, size: Dim): number {
  if (typeof size !== "number") node.unsupported(`the dynamic size ${size} behind its axis`, "fixed sizes");
  return size;
}

export const activation: Readonly<Record<string, OperatorImporter>> = {
  Relu: (node) => node.bind(node.main("clip", [node.float(0)], { min: 0, max: Number.POSITIVE_INFINITY })),
  Clip: clip,
  LeakyRelu: (node) =>
    node.bind(node.main("leakyRelu", [node.float(0)], { alpha: node.attributes.float("alpha", Math.fround(0.01)) })),
  Sigmoid: (node) => node.bind(node.main("sigmoid", [node.float(0)], {})),
  Tanh: (node) => node.bind(node.main("tanh", [node.float(0)], {})),
  Sign: (node) => node.bind(node.main("sign", [node.float(0)], {})),
  Softmax: softmax,
};
