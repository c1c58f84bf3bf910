import type { Dim } from "lowbit";
import { numbersOf } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { ConcatenationOptions, GatherOptions, PackOptions, ReshapeOptions, SqueezeOptions } from "../schema.ts";

/** The shape is input 1, or an option where there is none. */
function reshape(node: NodeContext): void {
  const dims = node.has(1) ? node.dims(1) : node.options(ReshapeOptions).shape;
  if (dims === undefined)
    node.unsupported("a shape computed at run time", "a constant shape, or sizes of other values");
  if (dims.some((size) => typeof size === "number" && size < -1) || dims.filter((size) => size === -1).length > 1)
    node.damaged("shape", "sizes, at most one -1", dims);
  node.move(0, (x) => node.main("reshape", [x], { shape: dims }));
}

function squeeze(node: NodeContext): void {
  const { axes = [] } = node.options(SqueezeOptions);
  node.move(0, (x) => {
    const shape = node.shape(x);
    const chosen = axes.map((axis) => node.axis(axis, shape.length));
    for (const axis of chosen) if (shape[axis] !== 1) node.damaged(`size of axis ${axis}`, 1, shape[axis]);
    const kept = shape.filter((size, axis) => (chosen.length > 0 ? !chosen.includes(axis) : size !== 1));
    return node.main("reshape", [x], { shape: kept });
  });
}

function expandDims(node: NodeContext): void {
  const [given = 0] = node.numbers(1, "axis");
  node.move(0, (x) => {
    const shape: Dim[] = [...node.shape(x)];
    shape.splice(node.axis(given, shape.length + 1), 0, 1);
    return node.main("reshape", [x], { shape });
  });
}

function transpose(node: NodeContext): void {
  const permutation = node.numbers(1, "permutation");
  node.move(0, (x) => {
    const rank = node.shape(x).length;
    const axes = new Set(permutation.map((axis) => node.axis(axis, rank)));
    if (permutation.length !== rank || axes.size !== rank)
      node.damaged("permutation", `each of 0 to ${rank - 1} once`, permutation);
    return node.main("transpose", [x], { permutation: [...axes] });
  });
}

/** Codes are joined as they are where all of them stand for the same numbers as the output's. */
function concatenation(node: NodeContext): void {
  const { axis, activation } = node.options(ConcatenationOptions);
  const shapes = node.operator.inputs.map((_, index) => node.dims(index));
  if (axis === 0 && node.output().shape.length === 1 && shapes.every((dims) => dims !== undefined)) {
    node.bindShape(shapes.flat());
    return;
  }
  const target = node.target();
  const quantized = target.quantization !== undefined && activation === 0;
  const inputs = node.operator.inputs.map((_, index) =>
    quantized
      ? node.codes(node.constant(index) ? node.real(index) : node.value(index), target, `codes_${index}`)
      : node.real(index),
  );
  const rank = node.shape(inputs[0] ?? node.real(0)).length;
  const y = inputs.length === 1 ? inputs[0]! : node.main("concat", inputs, { axis: node.axis(axis, rank) });
  if (quantized) node.bind(y);
  else node.bindReal(y, activation);
}

/** Sizes before and behind each axis; of codes, what is padded with is their zero point. */
function pad(node: NodeContext): void {
  const sizes = node.numbers(1, "paddings");
  const value = node.has(2) ? padValue(node) : 0;
  node.move(0, (x) => {
    const rank = node.shape(x).length;
    if (sizes.length !== 2 * rank || sizes.some((size) => size < 0 || size > 0xffff))
      node.damaged("paddings", `${rank} pairs of sizes, 0 to 65535`, sizes);
    const pads = [...sizes.filter((_, i) => i % 2 === 0), ...sizes.filter((_, i) => i % 2 === 1)];
    return node.main("pad", [x], { pads, value });
  });
}

function padValue(node: NodeContext): number {
  const constant = node.constant(2) ?? node.unsupported("a value to pad with computed at run time", "a constant one");
  const [code = 0] = numbersOf(constant);
  const { quantization } = node.tensor(2);
  return quantization ? (code - quantization.zeroPoint[0]!) * quantization.scale[0]! : code;
}

/** Values side by side along a new axis. Of sizes, a shape. */
function pack(node: NodeContext): void {
  const { axis } = node.options(PackOptions);
  const sizes = node.operator.inputs.map((_, index) => node.dims(index));
  if (node.output().shape.length === 1 && sizes.every((size) => size?.length === 1)) {
    node.bindShape(sizes.flat() as Dim[]);
    return;
  }
  const parts = node.operator.inputs.map((_, index) => {
    const x = node.real(index);
    const shape: Dim[] = [...node.shape(x)];
    shape.splice(node.axis(axis, shape.length + 1), 0, 1);
    return node.step(`part_${index}`, "reshape", [x], { shape });
  });
  const rank = node.shape(parts[0] ?? node.real(0)).length;
  node.bindReal(node.main("concat", parts, { axis: node.axis(axis, rank) }));
}

/** Slices of an axis by their places; their codes stay as they are. */
function gather(node: NodeContext): void {
  const { axis, batchDims } = node.options(GatherOptions);
  if (batchDims !== 0) node.unsupported(`${batchDims} batch axes`, "none");
  const indices = node.value(1);
  node.move(0, (x) => node.main("gather", [x, indices], { axis: node.axis(axis, node.shape(x).length) }));
}

/** Rows of a table; a constant one is floats here, whatever its codes. */
function embeddingLookup(node: NodeContext): void {
  node.bindReal(node.main("gather", [node.real(1), node.value(0)], { axis: 0 }));
}

export const shape: Readonly<Record<string, OperatorImporter>> = {
  RESHAPE: reshape,
  SQUEEZE: squeeze,
  EXPAND_DIMS: expandDims,
  TRANSPOSE: transpose,
  CONCATENATION: concatenation,
  PAD: pad,
  PADV2: pad,
  PACK: pack,
  GATHER: gather,
  EMBEDDING_LOOKUP: embeddingLookup,
  SHAPE: (node) => node.bindShape(node.shape(node.value(0))),
};
