import type { Dim } from "lowbit";
import type { NodeContext, OperatorImporter } from "../context.ts";

/**
 * From operator set 13 on over one axis (default the last); before, over all axes from `axis` (default 1) on, as if
 * they were one.
 */
function softmax(node: NodeContext, log: boolean): void {
  const x = node.input(0);
  const shape = node.shape(x);
  const along = (input: string, axis: number) =>
    log || node.info(x).dtype !== "f32"
      ? node.main("anySoftmax", [input], { axis, log })
      : node.main("softmax", [input], { axis });
  const axis = node.axis(node.attributes.int("axis", node.opset < 13 ? 1 : -1), shape.length);
  if (node.opset >= 13 || axis === shape.length - 1) {
    node.bind(along(x, axis));
    return;
  }
  const inner = shape.slice(axis).reduce<number>((product, size) => product * fixed(node, size), 1);
  const flat = node.step("flat", "reshape", [x], { shape: [...shape.slice(0, axis), inner] });
  node.bind(node.step("shape", "reshape", [along(flat, axis)], { shape }));
}

function fixed(node: NodeContext, size: Dim): number {
  if (typeof size !== "number") node.unsupported(`the dynamic size ${size} behind its axis`, "fixed sizes");
  return size;
}

export const activation: Readonly<Record<string, OperatorImporter>> = {
  Softmax: (node) => softmax(node, false),
  LogSoftmax: (node) => softmax(node, true),
};
