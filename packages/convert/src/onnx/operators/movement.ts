import type { PlainConstant } from "lowbit";
import { ModelFileError } from "../../errors.ts";
import { sameKind } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";

/** A node whose lists are inputs behind x; absent ones at the end are left out. */
const inputs = (...names: readonly string[]): readonly string[] => {
  const end = names.findLastIndex((name) => name !== "") + 1;
  return names.slice(0, end);
};

/** Slice: lists as attributes before operator set 10, as inputs from then on. */
const slice: OperatorImporter = (node) => {
  const lists = ["starts", "ends", "axes", "steps"].map((name, i) => node.sizes(name, i + 1));
  node.bind(node.main("slice", inputs(node.input(0), ...lists), {}));
};

/** Split: sizes as an attribute before operator set 13; without them, as many equal parts as there are outputs. */
const split: OperatorImporter = (node) => {
  const x = node.input(0);
  const axis = node.axis(node.attributes.int("axis", 0), node.shape(x).length);
  node.many("split", inputs(x, node.sizes("split", 1)), { axis });
};

const expand: OperatorImporter = (node) => node.bind(node.main("expand", [node.input(0), node.input(1)], {}));

const tile: OperatorImporter = (node) => node.bind(node.main("tile", [node.input(0), node.input(1)], {}));

/** `start` and `end` count from the end where they are negative, and are moved into the shape. */
const shape =
  (count: boolean): OperatorImporter =>
  (node) => {
    const x = node.input(0);
    const rank = node.shape(x).length;
    const place = (at: number) => Math.min(rank, Math.max(0, at < 0 ? at + rank : at));
    const start = place(node.attributes.int("start", 0));
    const end = Math.max(start, place(node.attributes.int("end", rank)));
    node.bind(node.main("shape", [x], { start, end, count }));
  };

const constantOfShape: OperatorImporter = (node) => {
  const value = node.attributes.tensor("value");
  if (value && value.data.length !== 1)
    throw new ModelFileError(`onnx: ${node.title}`, "elements of value", 1, value.data.length);
  const one: PlainConstant = value ?? { kind: "plain", dtype: "f32", shape: [1], data: new Float32Array(1) };
  const shape = node.elements(node.input(0));
  const count = shape?.reduce<number>((all, size) => all * (typeof size === "number" ? size : Number.NaN), 1);
  // A few numbers are a constant at once, with which sizes may be computed.
  if (shape && count !== undefined && count >= 0 && count <= 4096) {
    const data = sameKind(one.data, count);
    for (let i = 0; i < count; i++) data[i] = one.data[0]!;
    node.bind(node.store("filled", { ...one, shape: shape as number[], data }));
  } else node.bind(node.main("fill", [node.input(0), node.store("value", one)], {}));
};

/** [N, C, H, W] with its blocks taken apart into six axes, these in another order, and put together again. */
function blocks(
  node: NodeContext,
  apart: (sizes: readonly number[], block: number) => readonly number[],
  order: readonly number[],
  together: (five: readonly number[]) => readonly number[],
) {
  const x = node.input(0);
  const sizes = node.shape(x).slice(1);
  if (sizes.length !== 3 || !sizes.every((size) => typeof size === "number"))
    node.unsupported(`an input of shape [${node.shape(x)}]`, "four axes, of known size but for the first");
  const block = node.attributes.int("blocksize", 0);
  const six = [0, ...apart(sizes as number[], block)];
  if (!six.every(Number.isInteger) || block < 1)
    throw new ModelFileError(`onnx: ${node.title}`, "blocksize", "a number that divides the axes", block);
  const taken = node.step("apart", "reshape", [x], { shape: six });
  const moved = node.step("order", "transpose", [taken], { permutation: [0, ...order] });
  const five = node.shape(moved).slice(1) as number[];
  node.bind(node.main("reshape", [moved], { shape: [0, ...together(five)] }));
}

const depthToSpace: OperatorImporter = (node) => {
  const isColumns = node.attributes.string("mode", "DCR") === "CRD";
  blocks(
    node,
    ([c = 0, h = 0, w = 0], b) => (isColumns ? [c / b / b, b, b, h, w] : [b, b, c / b / b, h, w]),
    isColumns ? [1, 4, 2, 5, 3] : [3, 4, 1, 5, 2],
    ([a = 0, b = 0, c = 0, d = 0, e = 0]) => [a, b * c, d * e],
  );
};

/** As many elements go from the image into the channels. */
const spaceToDepth: OperatorImporter = (node) =>
  blocks(
    node,
    ([c = 0, h = 0, w = 0], b) => [c, h / b, b, w / b, b],
    [3, 5, 1, 2, 4],
    ([a = 0, b = 0, c = 0, d = 0, e = 0]) => [a * b * c, d, e],
  );

const range: OperatorImporter = (node) =>
  node.bind(node.main("range", [node.input(0), node.input(1), node.input(2)], {}));

const trilu: OperatorImporter = (node) => {
  const upper = node.attributes.int("upper", 1) !== 0;
  node.bind(node.main("trilu", inputs(node.input(0), node.optional(1) ?? ""), { upper }));
};

const centerCropPad: OperatorImporter = (node) => {
  const axes = node.attributes.ints("axes");
  node.bind(node.main("centerCropPad", [node.input(0), node.input(1)], axes ? { axes } : {}));
};

/** Operators that move elements. */
export const movement: Readonly<Record<string, OperatorImporter>> = {
  Slice: slice,
  Split: split,
  Expand: expand,
  Tile: tile,
  Shape: shape(false),
  Size: shape(true),
  ConstantOfShape: constantOfShape,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Range: range,
  Trilu: trilu,
  CenterCropPad: centerCropPad,
};
