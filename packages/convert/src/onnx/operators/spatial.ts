import type { Dim, PlainConstant, ValueInfo } from "lowbit";
import { ModelFileError } from "../../errors.ts";
import type { NodeContext } from "../context.ts";

/** A window over any number of spatial axes, and what operators of ONNX say beside it. */
export interface Spatial {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before each axis, then behind each. */
  readonly pads: readonly number[];
  readonly ceil: boolean;
}

/** A list of `rank` sizes of the node, each at least `least`. */
export function sizeList(
  node: NodeContext,
  name: string,
  rank: number,
  fallback: readonly number[],
  least = 1,
): number[] {
  const list = node.attributes.ints(name) ?? [...fallback];
  if (list.length !== rank || list.some((size) => size < least || size > 0xffffff))
    throw new ModelFileError(`onnx: ${node.title}`, name, `${rank} sizes of at least ${least}`, list);
  return list;
}

/** kernel_shape, strides, dilations, pads, auto_pad and ceil_mode for an image of `sizes`. */
export function spatialOf(node: NodeContext, sizes: readonly Dim[], given?: readonly number[]): Spatial {
  const rank = sizes.length;
  if (rank < 1 || rank > 3) node.unsupported(`${rank} spatial axes`, "1 to 3");
  const ones = sizes.map(() => 1);
  const kernel = sizeList(node, "kernel_shape", rank, given ?? []);
  const strides = sizeList(node, "strides", rank, ones);
  const dilations = sizeList(node, "dilations", rank, ones);
  const ceil = node.attributes.int("ceil_mode", 0) === 1;
  const pads = sizeList(
    node,
    "pads",
    2 * rank,
    [...ones, ...ones].map(() => 0),
    0,
  );
  const auto = node.attributes.string("auto_pad", "NOTSET");
  if (!["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"].includes(auto))
    throw new ModelFileError(`onnx: ${node.title}`, "auto_pad", "NOTSET, SAME_UPPER, SAME_LOWER or VALID", auto);
  if (auto === "VALID") pads.fill(0);
  else if (auto !== "NOTSET")
    for (const [axis, size] of sizes.entries()) {
      if (typeof size !== "number") node.unsupported(`auto_pad ${auto} with the dynamic size ${size}`, "fixed sizes");
      const reach = (kernel[axis]! - 1) * dilations[axis]! + 1;
      const total = Math.max((Math.ceil(size / strides[axis]!) - 1) * strides[axis]! + reach - size, 0);
      const half = Math.floor(total / 2);
      pads[axis] = auto === "SAME_UPPER" ? half : total - half;
      pads[axis + rank] = total - pads[axis]!;
    }
  return { kernel, strides, dilations, pads, ceil };
}

/** [N, C, spatial...] to [N, spatial..., C] as a permutation. */
export const channelsLast = (rank: number): number[] => [0, ...Array.from({ length: rank }, (_, i) => i + 2), 1];

/** And back. */
export const channelsFirst = (rank: number): number[] => [
  0,
  rank + 1,
  ...Array.from({ length: rank }, (_, i) => i + 1),
];

/** The weights of a product: [rows, columns per group], and of how many groups the rows are. */
export interface Weights {
  readonly value: string;
  readonly groups: number;
}

/**
 * y[..., row] = sum over columns of x[..., group's column] * weight[row, column], plus bias: on the kernels of weights where they are constant, else as a product of two values.
 * `x` is [..., groups * columns] with its batch in front.
 */
export function product(node: NodeContext, x: string, { value, groups }: Weights, bias: string | undefined): string {
  const shape = node.shape(x);
  const [rows, columns] = node.shape(value) as [number, number];
  const isConstant =
    node.constantOf(value) !== undefined && (bias === undefined || node.constantOf(bias) !== undefined);
  if (groups === 1 && isConstant)
    return node.main("dense", [x, node.weight(value), ...(bias === undefined ? [] : [bias])], {});
  const outer = shape.slice(0, -1);
  const flat = node.step("rows", "reshape", [x], { shape: [-1, ...(isConstant ? [1, 1] : []), groups * columns] });
  if (isConstant) {
    const weight = node.step("point", "reshape", [value], { shape: [rows, 1, 1, columns] });
    const point = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const;
    const inputs = [flat, node.weight(weight), ...(bias === undefined ? [] : [bias])];
    const y = node.main("conv2d", inputs, { ...point, groups, padding: "zero" });
    return restored(node, y, outer, rows);
  }
  if (groups === 1) {
    const right = node.step("weight", "transpose", [value], { permutation: [1, 0] });
    const y = node.main("matmul", [flat, right], {});
    return plus(node, restored(node, y, outer, rows), bias);
  }
  const perGroup = rows / groups;
  const split = node.step("groups", "reshape", [flat], { shape: [-1, groups, columns] });
  const left = node.step("left", "transpose", [split], { permutation: [1, 0, 2] });
  const stack = node.step("stack", "reshape", [value], { shape: [groups, perGroup, columns] });
  const right = node.step("right", "transpose", [stack], { permutation: [0, 2, 1] });
  const y = node.main("matmul", [left, right], {});
  const joined = node.step("joined", "transpose", [y], { permutation: [1, 0, 2] });
  return plus(node, restored(node, joined, outer, rows), bias);
}

/** [outer..., rows] again: at most one size of the outer ones is not known. */
function restored(node: NodeContext, y: string, outer: readonly Dim[], rows: number): string {
  return node.step("places", "reshape", [y], { shape: [...outer, rows] });
}

function plus(node: NodeContext, y: string, bias: string | undefined): string {
  return bias === undefined ? y : node.step("bias", "add", [y, bias], {});
}

/** A weight's axes reordered and joined to [rows, columns]. */
export function asMatrix(
  node: NodeContext,
  weight: string,
  order: readonly number[],
  shape: readonly number[],
): string {
  const ordered = node.step("order", "transpose", [weight], { permutation: order });
  return node.step("matrix", "reshape", [ordered], { shape });
}

/** A scalar 0 of the type of codes. */
export function zeroOf(node: NodeContext, part: string, dtype: ValueInfo["dtype"]): string {
  const data = dtype === "int8" ? Int8Array.of(0) : Uint8Array.of(0);
  return node.store(part, { kind: "plain", dtype: dtype as PlainConstant["dtype"], shape: [], data });
}
