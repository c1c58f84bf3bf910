import { ModelFileError } from "../../errors.ts";
import { type NodeContext, type OperatorImporter, TO_NCHW, TO_NHWC } from "../context.ts";
import { asMatrix, channelsFirst, channelsLast, product, sizeList, spatialOf } from "./spatial.ts";

/** Group and channels of a convolution, checked. */
export function groupsOf(node: NodeContext, channels: unknown, perGroup: number, outputs: number): number {
  const groups = node.attributes.int("group", 1);
  if (groups < 1 || channels !== perGroup * groups || outputs % groups !== 0)
    throw new ModelFileError(
      `onnx: ${node.title}`,
      "group",
      `a divisor of ${outputs} with ${perGroup} channels each of ${channels}`,
      groups,
    );
  return groups;
}

/**
 * Conv-1 to Conv-22. X [N, C, spatial...], W [O, C / group, kernel...], B? [O]. Constant weights over images of known size are `conv2d`, in one dimension images of one row;
 * everything else is rows of taps and a product.
 */
export function convolve(node: NodeContext, x: string, weight: string, bias: string | undefined): string {
  const shape = node.shape(x);
  const [outputs, perGroup, ...kernel] = node.shape(weight) as number[];
  if (kernel.length !== shape.length - 2 || [outputs, perGroup, ...kernel].some((size) => typeof size !== "number"))
    node.unsupported(`weights of shape [${node.shape(weight)}]`, `[O, C, ${shape.length - 2} known sizes]`);
  const groups = groupsOf(node, shape[1], perGroup!, outputs!);
  const window = spatialOf(node, shape.slice(2), kernel);
  if (window.kernel.join() !== kernel.join())
    throw new ModelFileError(`onnx: ${node.title}`, "kernel_shape", kernel, window.kernel);
  const rank = kernel.length;
  const isConstant = [weight, bias].every((name) => name === undefined || node.constantOf(name) !== undefined);
  const isKnown = shape.slice(2).every((size) => typeof size === "number");
  if (isConstant && isKnown && rank < 3) {
    return conv2d(node, [x, weight, bias], groups, window);
  }
  const last = node.step("last", "transpose", [x], { permutation: channelsLast(rank) });
  const { strides, dilations, pads } = window;
  const rows = node.step("rows", "unfold", [last], { kernel, strides, dilations, pads, groups });
  const taps = kernel.reduce((all, size) => all * size, 1);
  // [O, kernel..., C]
  const matrix = asMatrix(node, weight, channelsLast(rank), [outputs!, taps * perGroup!]);
  const y = product(node, rows, { value: matrix, groups }, bias);
  return node.step("first", "transpose", [y], { permutation: channelsFirst(rank) });
}

/** One or two axes; an image of one row stands in for one axis. */
function conv2d(
  node: NodeContext,
  [x, weight, bias]: readonly [string, string, string | undefined],
  groups: number,
  { kernel, strides, dilations, pads }: ReturnType<typeof spatialOf>,
): string {
  const isLine = kernel.length === 1;
  const pair = (list: readonly number[], first: number) => [first, ...list].slice(-2) as [number, number];
  const window = {
    kernel: pair(kernel, 1),
    strides: pair(strides, 1),
    dilations: pair(dilations, 1),
    pads: (isLine ? [0, pads[0]!, 0, pads[1]!] : pads) as [number, number, number, number],
  };
  const image = (value: string, part: string): string => {
    if (!isLine) return value;
    const [a, b, length] = node.shape(value);
    return node.step(part, "reshape", [value], { shape: [a!, b!, 1, length!] });
  };
  const inputs = [
    node.step("nhwc", "transpose", [image(x, "image")], { permutation: TO_NHWC }),
    node.weight(node.step("weight", "transpose", [image(weight, "kernel")], { permutation: TO_NHWC })),
    ...(bias === undefined ? [] : [bias]),
  ];
  const y = node.main("conv2d", inputs, { ...window, groups, padding: "zero" });
  const first = node.step("nchw", "transpose", [y], { permutation: TO_NCHW });
  if (!isLine) return first;
  const [n, o, , length] = node.shape(first);
  return node.step("line", "reshape", [first], { shape: [n!, o!, length!] });
}

/**
 * ConvTranspose-1 to -22. X [N, C, spatial...], W [C, O / group, kernel...], B? [O]: a product of every pixel with all taps, and their sums where they fall.
 */
function convTranspose(node: NodeContext): void {
  const x = node.float(0);
  const weight = node.float(1);
  const bias = node.optional(2);
  const shape = node.shape(x);
  const [channels, perGroup, ...kernel] = node.shape(weight) as number[];
  const rank = shape.length - 2;
  if (kernel.length !== rank || rank < 1 || rank > 3)
    node.unsupported(`weights of shape [${node.shape(weight)}]`, "[C, O, 1 to 3 sizes], as many as X has");
  const groups = groupsOf(node, shape[1], channels! / node.attributes.int("group", 1), channels!);
  const depth = channels! / groups;
  const window = transposedWindow(node, kernel);
  const taps = kernel.reduce((all, size) => all * size, 1);
  // [groups, C / groups, O / groups, kernel...] to [groups, kernel..., O / groups, C / groups]
  const grouped = node.step("grouped", "reshape", [weight], { shape: [groups, depth, perGroup!, taps] });
  const matrix = asMatrix(node, grouped, [0, 3, 2, 1], [groups * taps * perGroup!, depth]);
  const last = node.step("last", "transpose", [x], { permutation: channelsLast(rank) });
  const columns = product(node, last, { value: matrix, groups }, undefined);
  const y = node.step("fold", "fold", bias === undefined ? [columns] : [columns, bias], { ...window, groups });
  node.bind(node.step("first", "transpose", [y], { permutation: channelsFirst(rank) }));
}

/** Where output_shape or auto_pad say the size, the padding that gives it. */
function transposedWindow(node: NodeContext, kernelOfWeight: readonly number[]) {
  const { attributes } = node;
  const sizes = node.shape(node.input(0)).slice(2);
  const rank = sizes.length;
  const ones = sizes.map(() => 1);
  const zeros = sizes.map(() => 0);
  const kernel = sizeList(node, "kernel_shape", rank, kernelOfWeight);
  const strides = sizeList(node, "strides", rank, ones);
  const dilations = sizeList(node, "dilations", rank, ones);
  const outputPads = sizeList(node, "output_padding", rank, zeros, 0);
  const pads = sizeList(node, "pads", 2 * rank, [...zeros, ...zeros], 0);
  const auto = attributes.string("auto_pad", "NOTSET");
  const wanted = attributes.ints("output_shape")?.slice(-rank);
  if (auto === "VALID") pads.fill(0);
  if (wanted === undefined && (auto === "NOTSET" || auto === "VALID"))
    return { kernel, strides, dilations, pads, outputPads };
  for (const [axis, size] of sizes.entries()) {
    if (typeof size !== "number") node.unsupported(`a size given for the dynamic size ${size}`, "fixed sizes");
    const target = wanted?.[axis] ?? size * strides[axis]!;
    const full = (size - 1) * strides[axis]! + outputPads[axis]! + (kernel[axis]! - 1) * dilations[axis]! + 1;
    const total = full - target;
    if (total < 0) outputPads[axis]! -= total;
    const half = Math.floor(Math.max(0, total) / 2);
    // The odd one stands behind for SAME_UPPER, else in front.
    pads[axis] = auto === "SAME_UPPER" ? half : Math.max(0, total) - half;
    pads[axis + rank] = Math.max(0, total) - pads[axis]!;
  }
  return { kernel, strides, dilations, pads, outputPads };
}

export const convolution: Readonly<Record<string, OperatorImporter>> = {
  Conv: (node) => node.bind(convolve(node, node.float(0), node.float(1), node.optional(2))),
  ConvTranspose: convTranspose,
};
