import { ModelFileError } from "../../errors.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";

/** If: the branch that is taken, where the condition is a constant or follows from sizes that are known; the other one is never looked into. */
function conditional(node: NodeContext): void {
  const [condition, ...others] = node.elements(node.input(0)) ?? [];
  if (others.length > 0)
    throw new ModelFileError(`onnx: ${node.title}`, "elements of the condition", 1, 1 + others.length);
  if (typeof condition !== "number")
    node.unsupported("a condition computed at run time", "a constant, or one that follows from known sizes");
  node.replace(node.attributes.graph(condition === 0 ? "else_branch" : "then_branch"));
}

export const control: Readonly<Record<string, OperatorImporter>> = { If: conditional };
