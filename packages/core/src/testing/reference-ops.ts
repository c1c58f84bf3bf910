/** Every operator without weights of its own. */
import type { Graph, Node, NodeOf, Window2d } from "../graph/types.ts";
import { roundTiesToEven } from "../runtime/lower/requantize.ts";
import { fromHalf, toHalf } from "../tensor.ts";
import { at, build, positiveAxis, type Value } from "./value.ts";

const { fround } = Math;

const map = (x: Value, f: (x: number) => number, dtype = x.dtype): Value => ({ ...x, dtype, data: x.data.map(f) });

/** numpy's rule: axes align at the end, an axis of 1 is repeated. */
function broadcast(a: Value, b: Value, f: (a: number, b: number) => number): Value {
  const rank = Math.max(a.shape.length, b.shape.length);
  const size = (x: Value, axis: number) => x.shape[axis - rank + x.shape.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, axis) => (size(a, axis) === 1 ? size(b, axis) : size(a, axis)));
  const pick = (x: Value, index: readonly number[]) =>
    at(
      x,
      x.shape.map((length, axis) => (length === 1 ? 0 : index[axis + rank - x.shape.length]!)),
    );
  return build("f32", shape, (index) => fround(f(pick(a, index), pick(b, index))));
}

/** Elements under the window of output (oy, ox), in row order, and the number of taps. */
function under(x: Value, window: Window2d, [n = 0, oy = 0, ox = 0, c = 0]: readonly number[]): number[] {
  const [, height = 0, width = 0] = x.shape;
  const found: number[] = [];
  for (let ky = 0; ky < window.kernel[0]; ky++)
    for (let kx = 0; kx < window.kernel[1]; kx++) {
      const iy = oy * window.strides[0] + ky * window.dilations[0] - window.pads[0];
      const ix = ox * window.strides[1] + kx * window.dilations[1] - window.pads[1];
      if (iy >= 0 && iy < height && ix >= 0 && ix < width) found.push(at(x, [n, iy, ix, c]));
    }
  return found;
}

function pool(node: NodeOf<"maxPool" | "avgPool">, x: Value): Value {
  const window = node.attributes;
  const size = (axis: 0 | 1) =>
    Math.floor(
      (x.shape[axis + 1]! +
        window.pads[axis] +
        window.pads[axis + 2]! -
        (window.kernel[axis] - 1) * window.dilations[axis] -
        1) /
        window.strides[axis],
    ) + 1;
  const taps = window.kernel[0] * window.kernel[1];
  return build(
    x.dtype,
    [x.shape[0]!, size(0), size(1), x.shape[3]!],
    (index) => {
      const found = under(x, window, index);
      if (node.op === "maxPool") return Math.max(...found);
      return mean(found, node.attributes.countIncludePad ? taps : found.length);
    },
    x.quantization,
  );
}

const mean = (values: readonly number[], count: number): number =>
  fround(values.reduce((acc, value) => fround(acc + value), 0) / count);

function cast({ dtype, shape, data }: Value, to: NodeOf<"cast">["attributes"]["to"]): Value {
  const ranges = { int8: [-128, 127], uint8: [0, 255], int32: [-(2 ** 31), 2 ** 31 - 1] } as const;
  const isFloat = dtype === "f32" || dtype === "f16";
  const convert = (x: number): number => {
    switch (to) {
      case "f32":
        return fround(x);
      case "f16":
        return fromHalf(toHalf(fround(x)));
      case "bool":
        return x !== 0 ? 1 : 0;
      case "int64":
        return Number.isNaN(x) ? 0 : Math.trunc(x);
      default: {
        const [low, high] = ranges[to];
        if (isFloat) return Number.isNaN(x) ? 0 : Math.min(high, Math.max(low, Math.trunc(x)));
        // Between integers the low bits stay.
        const count = BigInt(to === "int32" ? 32 : 8);
        return Number(to === "uint8" ? BigInt.asUintN(8, BigInt(x)) : BigInt.asIntN(Number(count), BigInt(x)));
      }
    }
  };
  return { dtype: to, shape, data: data.map(convert) };
}

function softmax(node: NodeOf<"softmax">, x: Value): Value {
  const axis = positiveAxis(node, node.attributes.axis, x);
  return build("f32", x.shape, (index) => {
    const line = Array.from({ length: x.shape[axis]! }, (_, i) => at(x, index.with(axis, i)));
    const peak = Math.max(...line);
    const total = line.reduce((acc, value) => acc + Math.exp(value - peak), 0);
    return Math.exp(at(x, index) - peak) / total;
  });
}

function concat(node: NodeOf<"concat">, inputs: readonly Value[]): Value {
  const [first] = inputs;
  const axis = positiveAxis(node, node.attributes.axis, first!);
  const shape = first!.shape.with(
    axis,
    inputs.reduce((sum, x) => sum + x.shape[axis]!, 0),
  );
  return build(
    first!.dtype,
    shape,
    (index) => {
      let place = index[axis]!;
      for (const x of inputs) {
        if (place < x.shape[axis]!) return at(x, index.with(axis, place));
        place -= x.shape[axis]!;
      }
      throw new Error("past the end of a concatenation");
    },
    first!.quantization,
  );
}

function pad({ attributes: { pads, value } }: NodeOf<"pad">, x: Value): Value {
  const rank = x.shape.length;
  const shape = x.shape.map((size, axis) => size + pads[axis]! + pads[axis + rank]!);
  const { quantization } = x;
  const stored = quantization ? Math.round(value / quantization.scale + quantization.zeroPoint) : value;
  return build(
    x.dtype,
    shape,
    (index) => {
      const place = index.map((i, axis) => i - pads[axis]!);
      return place.every((i, axis) => i >= 0 && i < x.shape[axis]!) ? at(x, place) : stored;
    },
    quantization,
  );
}

/** Per-channel vectors of a node, from its second input on. */
const channel = (inputs: readonly Value[], i: number, index: number) =>
  inputs[i]!.data[index % inputs[i]!.data.length]!;

/** One node without weights of its own. */
export function reference(node: Node, graph: Graph, inputs: readonly Value[]): Value {
  const x = inputs[0]!;
  const y = graph.values.get(node.outputs[0]!)!;
  switch (node.op) {
    case "threshold":
      return { dtype: "bit", shape: x.shape, data: x.data.map((v, i) => (v < channel(inputs, 1, i) ? -1 : 1)) };
    case "affine": {
      const [low, high] = node.attributes.clamp ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
      const f = (v: number, i: number) => fround(fround(fround(v) * channel(inputs, 1, i)) + channel(inputs, 2, i));
      return { dtype: "f32", shape: x.shape, data: x.data.map((v, i) => Math.min(high, Math.max(low, f(v, i)))) };
    }
    case "batchNorm": {
      const f = (v: number, i: number) => {
        const [scale, bias, mean, variance] = [1, 2, 3, 4].map((k) => channel(inputs, k, i)) as [
          number,
          number,
          number,
          number,
        ];
        const deviation = fround(Math.sqrt(fround(variance + fround(node.attributes.epsilon))));
        return fround(fround(fround(fround(v - mean) / deviation) * scale) + bias);
      };
      return { dtype: "f32", shape: x.shape, data: x.data.map(f) };
    }
    case "sign":
      return map(x, (v) => (v > 0 ? 1 : v < 0 ? -1 : y.dtype === "bit" ? 1 : 0), y.dtype);
    case "quantize": {
      const { scale, zeroPoint } = y.quantization!;
      const [low, high] = y.dtype === "int8" ? [-128, 127] : [0, 255];
      const f = (v: number) => Math.min(high, Math.max(low, roundTiesToEven(fround(v / fround(scale))) + zeroPoint));
      return { dtype: y.dtype, shape: x.shape, data: x.data.map(f), quantization: y.quantization };
    }
    case "dequantize": {
      const { scale, zeroPoint } = x.quantization!;
      return { dtype: "f32", shape: x.shape, data: x.data.map((v) => fround((v - zeroPoint) * fround(scale))) };
    }
    case "maxPool":
    case "avgPool":
      return pool(node, x);
    case "globalAvgPool": {
      const [n = 0, h = 0, w = 0, c = 0] = x.shape;
      const window: Window2d = { kernel: [h, w], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
      return build("f32", [n, 1, 1, c], (index) => mean(under(x, window, index), h * w));
    }
    case "add":
      return broadcast(x, inputs[1]!, (a, b) => a + b);
    case "sub":
      return broadcast(x, inputs[1]!, (a, b) => a - b);
    case "mul":
      return broadcast(x, inputs[1]!, (a, b) => a * b);
    case "div":
      return broadcast(x, inputs[1]!, (a, b) => a / b);
    case "clip":
      return map(x, (v) => Math.min(fround(node.attributes.max), Math.max(fround(node.attributes.min), v)));
    case "leakyRelu":
      return map(x, (v) => (v < 0 ? fround(v * fround(node.attributes.alpha)) : v));
    case "sigmoid":
      return map(x, (v) => 1 / (1 + Math.exp(-v)));
    case "tanh":
      return map(x, Math.tanh);
    case "softmax":
      return softmax(node, x);
    case "reshape": {
      const declared = graph.values.get(node.inputs[0]!)?.shape ?? [];
      const given = node.attributes.shape.map((d, i) =>
        d === 0 ? x.shape[i]! : typeof d === "string" ? x.shape[declared.indexOf(d)]! : d,
      );
      const known = given.reduce((product, d) => (d === -1 ? product : product * d), 1);
      return { ...x, shape: given.map((d) => (d === -1 ? x.data.length / known : d)) };
    }
    case "transpose": {
      const { permutation } = node.attributes;
      const shape = permutation.map((p) => x.shape[p]!);
      return build(
        x.dtype,
        shape,
        (index) =>
          at(
            x,
            permutation.map((_, axis) => index[permutation.indexOf(axis)]!),
          ),
        x.quantization,
      );
    }
    case "concat":
      return concat(node, inputs);
    case "pad":
      return pad(node, x);
    case "cast":
      return cast(x, node.attributes.to);
    default:
      throw new Error(`${node.op} has weights of its own`);
  }
}
