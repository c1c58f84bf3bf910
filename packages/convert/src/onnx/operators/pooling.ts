import type { Window2d } from "lowbit";
import { type NodeContext, type OperatorImporter, TO_NCHW, TO_NHWC } from "../context.ts";
import { type Spatial, spatialOf } from "./spatial.ts";
import { windowOf } from "./window.ts";

/** Runs `pool` on channels-last data and binds the result channels first. */
function channelsLast(node: NodeContext, x: string, pool: (nhwc: string) => string): void {
  const nhwc = node.step("nhwc", "transpose", [x], { permutation: TO_NHWC });
  node.bind(node.step("nchw", "transpose", [pool(nhwc)], { permutation: TO_NCHW }));
}

/** Whether the kernels of images serve: two axes of known size. */
const isImage = (node: NodeContext, x: string): boolean =>
  node.shape(x).length === 4 &&
  node
    .shape(x)
    .slice(2)
    .every((size) => typeof size === "number");

/** Padding never wins a maximum, so ceil_mode is just more padding behind. Codes have maxima as floats do. */
function maxPool(node: NodeContext): void {
  const x = node.input(0);
  const { dtype } = node.info(x);
  if (!["f32", "int8", "uint8"].includes(dtype)) node.unsupported(`input 0 of type ${dtype}`, "f32, int8 or uint8");
  if (node.proto.output[1] || !isImage(node, x)) poolNd(node, x, "max");
  else {
    const window = windowOf(node, node.shape(x));
    channelsLast(node, x, (nhwc) => node.main("maxPool", [nhwc], window));
  }
}

function averagePool(node: NodeContext): void {
  const x = node.float(0);
  const countIncludePad = node.attributes.int("count_include_pad", 0) !== 0;
  // What ceil_mode adds is never counted, what `pads` adds is: two kinds of padding that one window of images cannot hold.
  const mixes = countIncludePad && node.attributes.int("ceil_mode", 0) !== 0;
  if (mixes || !isImage(node, x)) poolNd(node, x, countIncludePad ? "averageWithPadding" : "average");
  else {
    const window = windowOf(node, node.shape(x));
    channelsLast(node, x, (nhwc) => node.main("avgPool", [nhwc], { ...window, countIncludePad }));
  }
}

type Kind = "max" | "average" | "averageWithPadding" | "norm";

/** Any number of axes, sizes known at run time, and the places of maxima. */
function poolNd(node: NodeContext, x: string, kind: Kind, p = 0, window?: Omit<Spatial, "ceil">): void {
  const { ceil, ...spatial } = spatialOf(node, node.shape(x).slice(2), window?.kernel);
  const byColumns = node.attributes.int("storage_order", 0) !== 0;
  node.many("poolNd", [x], { ...(window ?? spatial), kind, p, ceil, byColumns });
}

/** One window over all spatial axes, whose sizes must be known. */
function globalWindow(node: NodeContext, x: string): Omit<Spatial, "ceil"> {
  const kernel = node.shape(x).slice(2);
  if (kernel.some((size) => typeof size !== "number")) node.unsupported(`dynamic sizes [${kernel}]`, "fixed ones");
  const ones = kernel.map(() => 1);
  return { kernel: kernel as number[], strides: ones, dilations: ones, pads: kernel.flatMap(() => [0, 0]) };
}

function globalMaxPool(node: NodeContext): void {
  const x = node.float(0);
  const window = globalWindow(node, x);
  if (isImage(node, x)) channelsLast(node, x, (nhwc) => node.main("maxPool", [nhwc], window as unknown as Window2d));
  else poolNd(node, x, "max", 0, window);
}

function globalAveragePool(node: NodeContext): void {
  const x = node.float(0);
  if (isImage(node, x)) channelsLast(node, x, (nhwc) => node.main("globalAvgPool", [nhwc], {}));
  else poolNd(node, x, "average", 0, globalWindow(node, x));
}

/** LpPool-2 and up: p is 2 where the node does not say. */
const lpPool: OperatorImporter = (node) => poolNd(node, node.float(0), "norm", node.attributes.int("p", 2));

function globalLpPool(node: NodeContext): void {
  const x = node.float(0);
  poolNd(node, x, "norm", node.attributes.int("p", 2), globalWindow(node, x));
}

export const pooling: Readonly<Record<string, OperatorImporter>> = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  LpPool: lpPool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
  GlobalLpPool: globalLpPool,
};
