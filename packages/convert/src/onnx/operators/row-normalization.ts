import type { Dim } from "lowbit";
import { floats } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";

/** What is normalized: all axes from `axis` on, the sizes of which are `sizes`. */
interface Rows {
  readonly x: string;
  readonly axis: number;
  readonly sizes: readonly Dim[];
  readonly epsilon: number;
}

/** LayerNormalization-17 (outputs: also mean and 1 / standard deviation of each row), and RMSNormalization-23, which takes no mean out. */
const rows =
  (centered: boolean): OperatorImporter =>
  (node) => {
    const x = node.float(0);
    const shape = node.shape(x);
    const axis = node.axis(node.attributes.int("axis", -1), shape.length);
    const epsilon = node.attributes.float("epsilon", Math.fround(1e-5));
    const parts = { x, axis, sizes: shape.slice(axis), epsilon };
    if (!inOneKernel(node, parts, centered)) inSteps(node, parts, centered);
  };

/** The kernel has scale and bias as constants, an element of each for every place of a row. */
function inOneKernel(node: NodeContext, { x, axis, sizes, epsilon }: Rows, centered: boolean): boolean {
  const length = sizes.reduce<number>((product, size) => product * Number(size), 1);
  const vectors = [1, 2].flatMap((index) => (node.optional(index) === undefined ? [] : [node.float(index)]));
  const fits = vectors.every((name) => node.constantOf(name) && node.shape(name).join() === sizes.join());
  if (!fits || Number.isNaN(length) || node.hasOutput(1) || node.hasOutput(2)) return false;
  const kind = centered ? "layerNorm" : "rmsNorm";
  if (sizes.length === 1) {
    node.bind(node.main(kind, [x, ...vectors], { epsilon }));
    return true;
  }
  const lead: number[] = new Array(axis).fill(0);
  const flat = node.step("rows", "reshape", [x], { shape: [...lead, length] });
  const constants = vectors.map((name, i) => node.step(`input${i + 1}`, "reshape", [name], { shape: [length] }));
  const y = node.main(kind, [flat, ...constants], { epsilon });
  node.bind(node.step("whole", "reshape", [y], { shape: [...lead, ...sizes] }));
  return true;
}

/** By the definition of the standard. */
function inSteps(node: NodeContext, { x, axis, sizes, epsilon }: Rows, centered: boolean): void {
  const axes = node.integers(
    "axes",
    sizes.map((_, i) => axis + i),
  );
  const mean = meanOf(node, "mean", x, axes);
  const deviation = centered ? node.step("deviation", "sub", [x, mean], {}) : x;
  const deviance = rootOf(node, deviation, axes, epsilon);
  const inverse = node.step("inverse", "reciprocal", [deviance], {});
  const normal = node.step("normal", "mul", [deviation, inverse], {});
  const scaled = node.main("mul", [normal, node.float(1)], {});
  node.bind(node.optional(2) === undefined ? scaled : node.step("shifted", "add", [scaled, node.float(2)], {}));
  if (centered) node.bind(mean, 1);
  node.bind(inverse, 2);
}

const meanOf = (node: NodeContext, part: string, x: string, axes: string): string =>
  node.step(part, "reduce", [x, axes], { reduction: "mean", keepAxes: true, keepWithoutAxes: false });

/** sqrt(mean(x^2) + epsilon) */
function rootOf(node: NodeContext, x: string, axes: string, epsilon: number): string {
  const squares = meanOf(node, "squares", node.step("square", "mul", [x, x], {}), axes);
  const above = node.step("above", "add", [squares, node.store("epsilon", floats([], [epsilon]))], {});
  return node.step("root", "sqrt", [above], {});
}

/** MeanVarianceNormalization-13: (x - mean) / (standard deviation + 1e-9), over images and their places. */
function meanVariance(node: NodeContext): void {
  const x = node.float(0);
  const axes = node.integers("axes", node.attributes.ints("axes") ?? [0, 2, 3]);
  const deviation = node.step("deviation", "sub", [x, meanOf(node, "mean", x, axes)], {});
  const small = node.store("small", floats([], [Math.fround(1e-9)]));
  const divisor = node.step("divisor", "add", [rootOf(node, deviation, axes, 0), small], {});
  node.bind(node.main("div", [deviation, divisor], {}));
}

/** What is normalized by the mean and variance of its own axes. */
export const rowNormalization: Readonly<Record<string, OperatorImporter>> = {
  LayerNormalization: rows(true),
  RMSNormalization: rows(false),
  MeanVarianceNormalization: meanVariance,
};
