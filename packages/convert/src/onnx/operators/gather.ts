import type { NodeContext, OperatorImporter } from "../context.ts";

const axisOf = (node: NodeContext, x: string, fallback = 0): number =>
  node.axis(node.attributes.int("axis", fallback), node.shape(x).length);

const gather: OperatorImporter = (node) => {
  const [x, indices] = [node.input(0), node.input(1)];
  node.bind(node.main("gather", [x, indices], { axis: axisOf(node, x) }));
};

const gatherElements: OperatorImporter = (node) => {
  const [x, indices] = [node.input(0), node.input(1)];
  node.bind(node.main("gatherElements", [x, indices], { axis: axisOf(node, x) }));
};

const gatherNd: OperatorImporter = (node) => {
  const batchDims = node.attributes.int("batch_dims", 0);
  node.bind(node.main("gatherNd", [node.input(0), node.input(1)], { batchDims }));
};

/** From operator sets 16 (add, mul) and 18 (max, min) on; before, elements are replaced. */
function reductionOf(node: NodeContext): "none" | "add" | "mul" | "min" | "max" {
  const reduction = node.attributes.string("reduction", "none");
  if (reduction === "none" || reduction === "add" || reduction === "mul" || reduction === "min" || reduction === "max")
    return reduction;
  return node.unsupported(`reduction ${reduction}`, "none, add, mul, min or max");
}

const inputs = (node: NodeContext): string[] => [node.input(0), node.input(1), node.input(2)];

const scatterElements: OperatorImporter = (node) => {
  const axis = axisOf(node, node.input(0));
  node.bind(node.main("scatterElements", inputs(node), { axis, reduction: reductionOf(node) }));
};

const scatterNd: OperatorImporter = (node) =>
  node.bind(node.main("scatterNd", inputs(node), { reduction: reductionOf(node) }));

/** Indices and depth may be of any number type; here they are integers. */
const oneHot: OperatorImporter = (node) => {
  const integers = (part: string, index: number) => {
    const name = node.input(index);
    const { dtype } = node.info(name);
    return dtype === "int64" || dtype === "int32" ? name : node.step(part, "cast", [name], { to: "int64" });
  };
  const indices = integers("indices", 0);
  const axis = node.axis(node.attributes.int("axis", -1), node.shape(indices).length + 1);
  node.bind(node.main("oneHot", [indices, integers("depth", 1), node.input(2)], { axis }));
};

/** Operators that read or write where indices say. */
export const gathering: Readonly<Record<string, OperatorImporter>> = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  ScatterElements: scatterElements,
  // Of operator sets 9 and 10, the same.
  Scatter: scatterElements,
  ScatterND: scatterNd,
  OneHot: oneHot,
};
