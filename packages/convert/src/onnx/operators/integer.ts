import type { QuantizedConstant } from "lowbit";
import { ModelFileError } from "../../errors.ts";
import { floats } from "../../graph/constants.ts";
import type { NodeContext, OperatorImporter } from "../context.ts";
import { convolve } from "./convolution.ts";
import { asMatrix, channelsFirst, channelsLast, spatialOf, zeroOf } from "./spatial.ts";

type Bytes = "int8" | "uint8";

/** Codes with what they stand for: inputs `index`, `index` + 1 (scale) and `index` + 2 (zero point). */
interface Operand {
  readonly value: string;
  readonly scale: string;
  readonly zero: string;
}

const operand = (node: NodeContext, index: number): Operand => ({
  value: node.input(index),
  scale: node.float(index + 1),
  zero: node.input(index + 2),
});

const isConstant = (node: NodeContext, ...names: readonly (string | undefined)[]): boolean =>
  names.every((name) => name === undefined || node.constantOf(name) !== undefined);

const numbers = (node: NodeContext, name: string): number[] =>
  Array.from(node.constantOf(name)!.data as Float32Array, Number);

/** The activation's floats where its scale and zero point are known and one: integer kernels read the codes in front of it. */
function dequantized(node: NodeContext, { value, scale, zero }: Operand): string {
  const [by, from] = [numbers(node, scale), numbers(node, zero)];
  const { quantization, dtype } = node.info(value);
  const own = { scale: by[0]!, zeroPoint: from[0]! };
  if (by.length !== 1 || (dtype !== "int8" && dtype !== "uint8"))
    node.unsupported(`${by.length} scales of an activation`, "one");
  if (quantization === undefined) node.declare(value, own);
  else if (quantization.scale !== own.scale || quantization.zeroPoint !== own.zeroPoint)
    node.unsupported(
      `scale ${own.scale}, zero point ${own.zeroPoint}`,
      `those of its input: ${quantization.scale}, ${quantization.zeroPoint}`,
    );
  return node.step(`${value}/floats`, "dequantize", [value], {});
}

/** The floats of constant weights, whose codes layers take; `axis` is the outputs'. */
function weights(node: NodeContext, { value, scale, zero }: Operand, axis: number): string {
  const codes = node.constantOf(value)!;
  const scales = Float32Array.from(numbers(node, scale));
  const zeros = Int32Array.from(numbers(node, zero));
  const inner = codes.shape.slice(axis + 1).reduce((all, size) => all * size, 1);
  const channel = (i: number) => (scales.length === 1 ? 0 : Math.floor(i / inner) % scales.length);
  const zeroAt = (c: number) => zeros[zeros.length === 1 ? 0 : c]!;
  const data = Float32Array.from(
    codes.data as Int8Array,
    (code, i) => (code - zeroAt(channel(i))) * scales[channel(i)]!,
  );
  const zeroPoint = scales.map((_, c) => zeroAt(c)) as unknown as ArrayLike<number>;
  return node.storeCodes("weights", floats(codes.shape, data), {
    codes,
    scale: scales,
    zeroPoint: Int32Array.from(zeroPoint),
    axis,
  });
}

/** y_scale and y_zero_point, inputs `index` and `index` + 1, on floats. */
function quantized(node: NodeContext, y: string, index: number): void {
  const zero = node.neededConstant(index + 1, "zero point");
  const quantization = { scale: numbers(node, node.float(index))[0]!, zeroPoint: Number(zero.data[0]) };
  node.bind(node.step("codes", "quantize", [y], {}, { dtype: zero.dtype as Bytes, quantization }));
}

/** Sums to codes by scales that are values: scale of a * scale of b / scale of y. */
function requantized(
  node: NodeContext,
  sums: string,
  [a, b]: readonly [Operand, Operand],
  index: number,
  bias?: string,
): string {
  if (node.shape(a.scale).some((size) => size !== 1)) node.unsupported("a scale per row of a", "one scale");
  const both = node.step("scales", "mul", [a.scale, b.scale], {});
  const ratio = node.step("multiplier", "div", [both, node.float(index)], {});
  return node.step(
    "codes",
    "requantize",
    [sums, ratio, node.input(index + 1), ...(bias === undefined ? [] : [bias])],
    {},
  );
}

/** Rows of taps by a weight [O, C, kernel...] as sums, [N, places..., O]. */
function integerWindows(node: NodeContext, x: string, zero: string, weight: string, weightZero: string): string {
  const shape = node.shape(x);
  const [outputs, perGroup, ...kernel] = node.shape(weight) as number[];
  if (node.attributes.int("group", 1) !== 1) node.unsupported("groups over codes that are values", "one group");
  if (shape[1] !== perGroup) throw new ModelFileError(`onnx: ${node.title}`, "channels of W", shape[1], perGroup);
  const { strides, dilations, pads } = spatialOf(node, shape.slice(2), kernel);
  const rank = kernel.length;
  const last = node.step("last", "transpose", [x], { permutation: channelsLast(rank) });
  const rows = node.step("rows", "unfold", [last, zero], { kernel, strides, dilations, pads, groups: 1 });
  const columns = kernel.reduce((all, size) => all * size, 1) * perGroup!;
  const matrix = asMatrix(node, weight, channelsLast(rank), [outputs!, columns]);
  const right = node.step("right", "transpose", [matrix], { permutation: [1, 0] });
  const flat = node.step("flat", "reshape", [rows], { shape: [-1, columns] });
  const sums = node.main("matmulInteger", [flat, right, zero, weightZero], {});
  return node.step("places", "reshape", [sums], { shape: [...node.shape(rows).slice(0, -1), outputs!] });
}

const first = (node: NodeContext, y: string): string =>
  node.step("first", "transpose", [y], { permutation: channelsFirst(node.shape(y).length - 2) });

/** An optional zero point, or 0 of the value's type. */
const zeroPoint = (node: NodeContext, index: number, value: string): string =>
  node.optional(index) ?? zeroOf(node, `zero${index}`, node.info(value).dtype);

/** ConvInteger-10: sums of codes. */
function convInteger(node: NodeContext): void {
  const [x, weight] = [node.input(0), node.input(1)];
  const sums = integerWindows(node, x, zeroPoint(node, 2, x), weight, zeroPoint(node, 3, weight));
  node.bind(first(node, sums));
}

/** MatMulInteger-10: sums of codes. */
function matMulInteger(node: NodeContext): void {
  const [a, b] = [node.input(0), node.input(1)];
  node.bind(node.main("matmulInteger", [a, b, zeroPoint(node, 2, a), zeroPoint(node, 3, b)], {}));
}

/**
 * QLinearConv-10: x, its scale and zero point, w, w's, y's, and a bias in units of scale of x * scale of w. With constants it is a convolution between a DequantizeLinear and a QuantizeLinear,
 * which the passes give to an integer kernel; else windows, a product of bytes and its requantization.
 */
function qLinearConv(node: NodeContext): void {
  const [x, w] = [operand(node, 0), operand(node, 3)];
  const bias = node.optional(8);
  if (isConstant(node, x.scale, x.zero, w.value, w.scale, w.zero, node.input(6), node.input(7), bias)) {
    const input = dequantized(node, x);
    const unit = numbers(node, w.scale).map((scale) => Math.fround(scale * numbers(node, x.scale)[0]!));
    const reals =
      bias === undefined ? undefined : numbers(node, bias).map((b, o) => b * unit[unit.length === 1 ? 0 : o]!);
    const plus = reals && node.store("bias", floats([reals.length], reals));
    quantized(node, convolve(node, input, weights(node, w, 0), plus), 6);
    return;
  }
  const sums = integerWindows(node, x.value, x.zero, w.value, w.zero);
  node.bind(first(node, requantized(node, sums, [x, w], 6, bias)));
}

/** QLinearMatMul-10 and -21, as {@link qLinearConv}. */
function qLinearMatMul(node: NodeContext): void {
  const [a, b] = [operand(node, 0), operand(node, 3)];
  const isMatrix = node.shape(b.value).length === 2;
  if (isMatrix && isConstant(node, a.scale, a.zero, b.value, b.scale, b.zero, node.input(6), node.input(7))) {
    const weight = node.step("weight", "transpose", [weights(node, b, 1)], { permutation: [1, 0] });
    quantized(node, node.main("dense", [dequantized(node, a), node.weight(weight)], {}), 6);
    return;
  }
  const sums = node.main("matmulInteger", [a.value, b.value, a.zero, b.zero], {});
  node.bind(requantized(node, sums, [a, b], 6));
}

/**
 * com.microsoft MatMulNBits: weights [N, K] of 2, 4 or 8 bits with a scale, and a zero point of the same bits, per block of a row; the codes lie as in a packed file.
 */
function matMulNBits(node: NodeContext): void {
  const { attributes } = node;
  const [k, n, bits, block] = ["K", "N", "bits", "block_size"].map((name) =>
    attributes.int(name, name === "bits" ? 4 : 0),
  ) as [number, number, number, number];
  const groups = Math.ceil(k / block);
  const codes = node.neededConstant(1, "B");
  const scale = node.neededConstant(2, "scales");
  const zeros = node.constantInput(3, "zero points");
  if (node.optional(4) !== undefined) node.unsupported("a reordered K (g_idx)", "columns in order");
  if (![2, 4, 8].includes(bits) || block < 16 || (block * bits) % 8 !== 0 || n < 1 || k < 1)
    node.unsupported(`${bits} bits in blocks of ${block}`, "2, 4 or 8 bits in blocks of 16 and up");
  const blob = (block * bits) / 8;
  if (codes.dtype !== "uint8" || codes.data.length !== n * groups * blob || scale.data.length !== n * groups)
    throw new ModelFileError(
      `onnx: ${node.title}`,
      "bytes of B, and scales",
      [n * groups * blob, n * groups],
      [codes.data.length, scale.data.length],
    );
  if (zeros && zeros.dtype !== "uint8") node.unsupported(`zero points of type ${zeros.dtype}`, "packed uint8");
  const rowBytes = Math.ceil((k * bits) / 8);
  const packed = new Uint8Array(n * rowBytes);
  for (let row = 0; row < n; row++)
    packed.set(
      (codes.data as Uint8Array).subarray(row * groups * blob, row * groups * blob + rowBytes),
      row * rowBytes,
    );
  // A last block may be filled up beyond K.
  const spare = (k * bits) % 8;
  if (spare > 0) for (let row = 0; row < n; row++) packed[(row + 1) * rowBytes - 1]! &= (1 << spare) - 1;
  const zeroBytes = Math.ceil((groups * bits) / 8);
  const zeroAt = (row: number, group: number) =>
    (Number(zeros!.data[row * zeroBytes + Math.floor((group * bits) / 8)]) >> ((group * bits) % 8)) & ((1 << bits) - 1);
  const weight: QuantizedConstant = {
    kind: "quantized",
    scheme: `int${bits}:g${block}`,
    shape: [n, k],
    bits,
    codes: packed,
    decoding: {
      kind: "affine",
      zeroPoint: zeros
        ? Int32Array.from({ length: n * groups }, (_, i) => zeroAt(Math.floor(i / groups), i % groups))
        : 2 ** (bits - 1),
    },
    scale: Float32Array.from(scale.data as Float32Array),
    scaleShape: [n, groups],
    groupSize: Math.min(block, k),
  };
  const bias = node.optional(5);
  node.bind(
    node.main("dense", [node.float(0), node.storeWeight("weight", weight), ...(bias === undefined ? [] : [bias])], {}),
  );
}

export const integer: Readonly<Record<string, OperatorImporter>> = {
  ConvInteger: convInteger,
  MatMulInteger: matMulInteger,
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul,
  "com.microsoft.MatMulNBits": matMulNBits,
};
