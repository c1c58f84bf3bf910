import type { AttributesOf } from "lowbit";
import { type NodeContext, type OperatorImporter, TO_NCHW, TO_NHWC } from "../context.ts";

type Reduction = AttributesOf<"reduce">["reduction"];

/** Axes are an attribute in older operator sets, input 1 in newer ones. */
function reduce(node: NodeContext, reduction: Reduction): void {
  const axes = node.sizes("axes", 1);
  if (reduction === "mean" && isGlobalPool(node, axes)) {
    globalAvgPool(node);
    return;
  }
  const inputs = axes === "" ? [node.input(0)] : [node.input(0), axes];
  const keepAxes = node.attributes.int("keepdims", 1) !== 0;
  const keepWithoutAxes = node.attributes.int("noop_with_empty_axes", 0) !== 0;
  node.bind(node.main("reduce", inputs, { reduction, keepAxes, keepWithoutAxes }));
}

/** The mean over height and width is how some exporters write a global average pool. */
function isGlobalPool(node: NodeContext, axes: string): boolean {
  const { dtype, shape } = node.info(node.input(0));
  const known = (node.elements(axes) ?? []).map((axis) => (Number(axis) < 0 ? Number(axis) + 4 : axis));
  return dtype === "f32" && shape.length === 4 && known.length === 2 && known.includes(2) && known.includes(3);
}

function globalAvgPool(node: NodeContext): void {
  const x = node.input(0);
  const [images, channels] = node.shape(x);
  const mean = node.main("globalAvgPool", [node.step("nhwc", "transpose", [x], { permutation: TO_NHWC })], {});
  if (node.attributes.int("keepdims", 1) !== 0)
    node.bind(node.step("nchw", "transpose", [mean], { permutation: TO_NCHW }));
  else node.bind(node.step("flat", "reshape", [mean], { shape: [images!, channels!] }));
}

const of =
  (reduction: Reduction): OperatorImporter =>
  (node) =>
    reduce(node, reduction);

const argExtreme =
  (smallest: boolean): OperatorImporter =>
  (node) => {
    const x = node.input(0);
    const axis = node.axis(node.attributes.int("axis", 0), node.shape(x).length);
    const keepAxis = node.attributes.int("keepdims", 1) !== 0;
    const last = node.attributes.int("select_last_index", 0) !== 0;
    node.bind(node.main("argExtreme", [x], { axis, keepAxis, smallest, last }));
  };

/** k is an attribute before operator set 10, an input from then on. */
function topK(node: NodeContext): void {
  const x = node.input(0);
  const axis = node.axis(node.attributes.int("axis", -1), node.shape(x).length);
  const k = node.attributes.has("k") ? node.integers("k", [node.attributes.int("k", 1)]) : node.input(1);
  node.many("topK", [x, k], { axis, smallest: node.attributes.int("largest", 1) === 0 });
}

function cumSum(node: NodeContext): void {
  const flag = (name: string) => node.attributes.int(name, 0) !== 0;
  node.bind(
    node.main("cumSum", [node.input(0), node.input(1)], { exclusive: flag("exclusive"), reverse: flag("reverse") }),
  );
}

/** What makes one number of many, or follows an axis. */
export const reductions: Readonly<Record<string, OperatorImporter>> = {
  ReduceSum: of("sum"),
  ReduceMean: of("mean"),
  ReduceProd: of("prod"),
  ReduceMax: of("max"),
  ReduceMin: of("min"),
  ReduceL1: of("l1"),
  ReduceL2: of("l2"),
  ReduceSumSquare: of("sumSquare"),
  ReduceLogSum: of("logSum"),
  ReduceLogSumExp: of("logSumExp"),
  ArgMax: argExtreme(false),
  ArgMin: argExtreme(true),
  TopK: topK,
  CumSum: cumSum,
};
