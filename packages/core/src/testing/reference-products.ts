/** dense, conv2d and matmul as their definitions read: one loop per index. */
import { codeAt, matrixSize } from "../graph/constants.ts";
import { decodeWeights } from "../graph/decode.ts";
import type { Clamp, Constant, Graph, NodeOf, QuantizedConstant } from "../graph/types.ts";
import { roundTiesToEven } from "../runtime/lower/requantize.ts";
import { fromHalf } from "../tensor.ts";
import { at, build, type Value } from "./value.ts";

const { fround } = Math;

/** What a weight stands for: its real number, and the integer of its code where there is one. */
interface Weights {
  real(row: number, k: number): number;
  integer(row: number, k: number): number;
  /** Scale of position k of a row. */
  scale(row: number, k: number): number;
  readonly groupSize: number;
  readonly kind: "plain" | QuantizedConstant["decoding"]["kind"];
}

function weightsOf(constant: Constant): Weights {
  if (constant.kind === "plain") {
    const { data, shape, dtype } = constant;
    const width = shape.slice(1).reduce((a, b) => a * b, 1);
    const real = (row: number, k: number) => {
      const stored = Number(data[row * width + k]);
      return dtype === "f16" ? fromHalf(stored) : stored;
    };
    return { kind: "plain", real, integer: real, scale: () => 1, groupSize: width };
  }
  const { n, k: width, rowBytes } = matrixSize(constant);
  const { bits, codes, decoding, scale, scaleShape, groupSize = width } = constant;
  const groups = Math.ceil(width / groupSize);
  const entry = (row: number, k: number) =>
    ((scaleShape?.[0] ?? n) === 1 ? 0 : row) * groups + Math.floor(k / groupSize);
  const code = (row: number, i: number) => codeAt(codes, row * rowBytes, i, bits);
  const integer = (row: number, k: number): number => {
    if (decoding.kind === "sign") return code(row, k) === 1 ? -1 : 1;
    if (decoding.kind !== "affine") throw new Error(`${decoding.kind} codes are no integers`);
    const { zeroPoint } = decoding;
    return code(row, k) - (typeof zeroPoint === "number" ? zeroPoint : zeroPoint[entry(row, k)]!);
  };
  const decoded = decodeWeights(constant);
  const scaleAt = (row: number, k: number) => (scale ? scale[entry(row, k)]! : 1);
  const real = (row: number, k: number) => decoded[row * width + k]!;
  return { kind: decoding.kind, real, integer, scale: scaleAt, groupSize };
}

const clamped = (x: number, clamp: Clamp | undefined): number =>
  clamp ? Math.min(clamp[1], Math.max(clamp[0], x)) : x;

/** Products of one output element: the x and the k of each, in ascending k. Missing taps are left out. */
type Terms = readonly { readonly x: number; readonly k: number }[];

/** One output element from its terms. */
function finish(
  node: NodeOf<"dense" | "conv2d">,
  weights: Weights,
  x: Value,
  y: { readonly dtype: Value["dtype"]; readonly quantization?: Value["quantization"] },
  bias: number | undefined,
  row: number,
  terms: Terms,
): number {
  const { clamp } = node.attributes;
  if (x.dtype === "f32") {
    // One chain over ascending k, each step rounded.
    const sum = terms.reduce((acc, term) => fround(acc + fround(term.x * weights.real(row, term.k))), 0);
    return clamped(bias === undefined ? sum : fround(sum + bias), clamp);
  }
  const zero = x.quantization?.zeroPoint ?? 0;
  const unit = x.quantization?.scale ?? 1;
  const groups = new Map<number, number>();
  for (const { x: code, k } of terms) {
    const group = Math.floor(k / weights.groupSize);
    groups.set(group, (groups.get(group) ?? 0) + (code - zero) * weights.integer(row, k));
  }
  const total = [...groups.values()].reduce((a, b) => a + b, 0);
  if (y.dtype === "int32") return total;
  const width = weights.groupSize;
  if (groups.size > 1) {
    const real = [...groups]
      .sort((a, b) => a[0] - b[0])
      .reduce(
        (acc, [group, sum]) => fround(acc + fround(fround(sum) * fround(weights.scale(row, group * width) * unit))),
        0,
      );
    const r = bias === undefined ? real : fround(real + bias);
    if (y.dtype === "f32") return clamped(r, clamp);
    return requantized(roundTiesToEven(fround(r / fround(y.quantization!.scale))), y, clamp);
  }
  const scale = fround(weights.scale(row, 0) * unit);
  if (y.dtype === "f32") {
    const scaled = fround(fround(total) * scale);
    return clamped(bias === undefined ? scaled : fround(scaled + bias), clamp);
  }
  const offset = bias === undefined || scale === 0 ? 0 : roundTiesToEven(bias / scale);
  const multiplier = fround(scale / y.quantization!.scale);
  return requantized(roundTiesToEven(fround(fround(total + offset) * multiplier)), y, clamp);
}

/** `q` above the zero point, kept in the type's range and the clamp's. */
function requantized(
  q: number,
  { dtype, quantization }: Pick<Value, "dtype" | "quantization">,
  clamp: Clamp | undefined,
): number {
  const [low, high] = dtype === "int8" ? [-128, 127] : [0, 255];
  const { scale, zeroPoint } = quantization!;
  const bound = (real: number) => {
    const code = fround(real / scale);
    return Math.min(high, Math.max(low, Number.isFinite(code) ? roundTiesToEven(code) + zeroPoint : code));
  };
  const [from, to] = clamp ? [bound(clamp[0]), bound(clamp[1])] : [low, high];
  return Math.min(to, Math.max(from, q + zeroPoint));
}

export function dense(node: NodeOf<"dense">, graph: Graph, [x, bias]: readonly (Value | undefined)[]): Value {
  const y = graph.values.get(node.outputs[0]!)!;
  const constant = graph.constants.get(node.inputs[1]!)!;
  const weights = weightsOf(constant);
  const k = constant.shape[1]!;
  const shape = [...x!.shape.slice(0, -1), constant.shape[0]!];
  if (node.attributes.activations) return dynamicDense(node, weights, x!, bias, shape);
  const element = (index: readonly number[]): number => {
    const row = index.at(-1)!;
    const terms = Array.from({ length: k }, (_, i) => ({ x: at(x!, [...index.slice(0, -1), i]), k: i }));
    return finish(node, weights, x!, y, bias?.data[row], row, terms);
  };
  return build(y.dtype, shape, element, y.quantization);
}

/** Rows of x quantized by their own largest magnitude. */
function dynamicDense(
  node: NodeOf<"dense">,
  weights: Weights,
  x: Value,
  bias: Value | undefined,
  shape: readonly number[],
): Value {
  const k = x.shape.at(-1)!;
  const rows = Array.from({ length: x.data.length / k }, (_, row) => {
    const values = x.data.subarray(row * k, (row + 1) * k);
    const largest = fround(values.reduce((most, v) => Math.max(most, Math.abs(v)), 0));
    const inverse = fround(127 / largest);
    if (!Number.isFinite(inverse)) return { scale: 0, codes: values.map(() => 0) };
    return { scale: fround(largest / 127), codes: values.map((v) => roundTiesToEven(fround(v * inverse))) };
  });
  const n = shape.at(-1)!;
  const data = new Float64Array(rows.length * n);
  for (const [row, { scale, codes }] of rows.entries())
    for (let column = 0; column < n; column++) {
      let total: number | undefined;
      for (let first = 0; first < k; first += weights.groupSize) {
        let sum = 0;
        for (let i = first; i < Math.min(k, first + weights.groupSize); i++)
          sum += codes[i]! * weights.integer(column, i);
        const scaled = fround(fround(sum) * weights.scale(column, first));
        total = total === undefined ? scaled : fround(total + scaled);
      }
      const real = fround(fround(total! * scale) + (bias?.data[column] ?? 0));
      data[row * n + column] = clamped(real, node.attributes.clamp);
    }
  return { dtype: "f32", shape, data };
}

export function conv2d(node: NodeOf<"conv2d">, graph: Graph, [x, bias]: readonly (Value | undefined)[]): Value {
  const y = graph.values.get(node.outputs[0]!)!;
  const constant = graph.constants.get(node.inputs[1]!)!;
  const weights = weightsOf(constant);
  const { kernel, strides, dilations, pads, groups, padding } = node.attributes;
  const [outputs = 0, kh = 0, kw = 0, depth = 0] = constant.shape;
  const [batch = 0, height = 0, width = 0] = x!.shape;
  const size = (axis: 0 | 1, length: number) =>
    Math.floor((length + pads[axis] + pads[axis + 2]! - (kernel[axis] - 1) * dilations[axis] - 1) / strides[axis]) + 1;
  const element = ([n = 0, oy = 0, ox = 0, row = 0]: readonly number[]): number => {
    const group = Math.floor(row / (outputs / groups));
    const terms: { x: number; k: number }[] = [];
    for (let ky = 0; ky < kh; ky++)
      for (let kx = 0; kx < kw; kx++)
        for (let c = 0; c < depth; c++) {
          const iy = oy * strides[0] + ky * dilations[0] - pads[0];
          const ix = ox * strides[1] + kx * dilations[1] - pads[1];
          const k = (ky * kw + kx) * depth + c;
          const inside = iy >= 0 && iy < height && ix >= 0 && ix < width;
          if (inside) terms.push({ x: at(x!, [n, iy, ix, group * depth + c]), k });
          else if (padding === "one") terms.push({ x: 1, k });
        }
    return finish(node, weights, x!, y, bias?.data[row], row, terms);
  };
  return build(y.dtype, [batch, size(0, height), size(1, width), outputs], element, y.quantization);
}

export function matmul([a, b]: readonly Value[]): Value {
  const [m = 0, k = 0] = a!.shape.slice(-2);
  const n = b!.shape.at(-1)!;
  const outer = a!.shape.length > b!.shape.length ? a!.shape.slice(0, -2) : b!.shape.slice(0, -2);
  // A stack of one matrix serves every index of the other.
  const pick = (x: Value, index: readonly number[], row: number, column: number): number => {
    const own = x.shape.slice(0, -2);
    const place = own.map((size, i) => (size === 1 ? 0 : index[i + outer.length - own.length]!));
    return at(x, [...place, row, column]);
  };
  const sizes = outer.map((size, i) =>
    Math.max(size, a!.shape.slice(0, -2)[i - outer.length + a!.shape.length - 2] ?? 1),
  );
  return build("f32", [...sizes, m, n], (index) => {
    const place = index.slice(0, -2);
    let acc = 0;
    for (let i = 0; i < k; i++)
      acc = fround(acc + fround(pick(a!, place, index.at(-2)!, i) * pick(b!, place, i, index.at(-1)!)));
    return acc;
  });
}
