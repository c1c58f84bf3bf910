import type { OperatorImporter } from "../context.ts";

/** Slice: lists as attributes before operator set 10, as inputs from then on. */
const slice: OperatorImporter = (node) => {
  const lists = ["starts", "ends", "axes", "steps"].map((name, i) => node.sizes(name, i + 1));
  while (lists.at(-1) === "") lists.pop();
  node.bind(node.main("slice", [node.input(0), ...lists], {}));
};

/** Operators that move elements. */
export const movement: Readonly<Record<string, OperatorImporter>> = { Slice: slice };
