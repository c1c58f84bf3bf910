import type { NodeContext, OperatorImporter } from "../context.ts";
import { Pool2DOptions, ReducerOptions } from "../schema.ts";
import { fixedAverage } from "./fixed-point.ts";
import { reduction } from "./functions.ts";
import { windowOf } from "./window.ts";

/** A maximum of codes is the code of the maximum. */
function maxPool(node: NodeContext): void {
  const options = node.options(Pool2DOptions);
  const pool = (x: string) =>
    node.main("maxPool", [x], windowOf(node, x, [options.filterHeight, options.filterWidth], options));
  if (options.activation === 0) node.move(0, pool);
  else node.bindReal(pool(node.real(0, 4)), options.activation);
}

/** The mean of those elements under the window that lie in the image. */
function averagePool(node: NodeContext): void {
  const options = node.options(Pool2DOptions);
  const kernel = [options.filterHeight, options.filterWidth];
  const codes = node.rounding === "reference" && !node.constant(0) ? node.value(0) : undefined;
  const mean = codes && fixedAverage(node, codes, windowOf(node, codes, kernel, options), options.activation);
  if (mean) {
    node.bind(mean);
    return;
  }
  const x = node.real(0, 4);
  const window = windowOf(node, x, kernel, options);
  node.bindReal(node.main("avgPool", [x], { ...window, countIncludePad: false }), options.activation);
}

/** Over height and width it is how exporters write a global average pool. */
function mean(node: NodeContext): void {
  const { keepDims } = node.options(ReducerOptions);
  const x = node.real(0);
  const rank = node.shape(x).length;
  const axes = node.numbers(1, "axes").map((axis) => node.axis(axis, rank));
  if (rank !== 4 || new Set(axes).size !== 2 || !axes.includes(1) || !axes.includes(2)) {
    reduction("mean")(node);
    return;
  }
  const y = node.main("globalAvgPool", [x], {});
  const shape = node.shape(x);
  node.bindReal(keepDims ? y : node.step("flat", "reshape", [y], { shape: [shape[0]!, shape[3]!] }));
}

export const pooling: Readonly<Record<string, OperatorImporter>> = {
  MAX_POOL_2D: maxPool,
  AVERAGE_POOL_2D: averagePool,
  MEAN: mean,
};
