/** A network in plain loops, in f64 and in integers: what other runtimes' answers are compared with. */
import type { AddLayer, ConvLayer, Net, NetLayer, NetValue, PoolLayer, Relu, Weights } from "./net.ts";

const clampReal = (value: number, relu: Relu): number =>
  relu === "none" ? value : Math.max(0, relu === "relu6" ? Math.min(6, value) : value);

function roundTiesToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

type Numbers = Float64Array | Int32Array;

/** Arithmetic of one kind: how inputs and weights are seen, and what ends a sum. */
interface Arithmetic<N extends Numbers> {
  readonly Values: new (length: number) => N;
  weights(layer: Weights): N;
  /** The row's sum (bias not yet in it) to the value of y. */
  finish(
    sum: number,
    row: number,
    layer: ConvLayer | { weights: Weights; relu: "none" },
    x: NetValue,
    y: NetValue,
  ): number;
  add(a: number, b: number, layer: AddLayer, values: readonly NetValue[]): number;
  mean(sum: number, count: number, x: NetValue, y: NetValue): number;
}

/** The reals; weights with their scales, every operation in f64. */
const reals: Arithmetic<Float64Array> = {
  Values: Float64Array,
  weights: ({ data, scale, k }) => Float64Array.from(data, (w, i) => Math.fround(w * scale[Math.floor(i / k)]!)),
  finish: (sum, row, { weights, relu }, x) =>
    clampReal(sum + Math.fround(weights.bias[row]! * x.step * weights.scale[row]!), relu),
  add: (a, b, { relu }) => clampReal(a + b, relu),
  mean: (sum, count) => sum / count,
};

/** q of a real that is already in units of y's step, as f32 with ties to even. */
const saturated = (inSteps: number, y: NetValue, relu: Relu): number => {
  const high = relu === "relu6" ? Math.min(127, roundTiesToEven(6 / y.step) + y.zeroPoint) : 127;
  const low = relu === "none" ? -128 : Math.max(-128, y.zeroPoint);
  return Math.max(low, Math.min(high, roundTiesToEven(inSteps) + y.zeroPoint)) - y.zeroPoint;
};

/** Codes without their zero points. */
const codes: Arithmetic<Int32Array> = {
  Values: Int32Array,
  weights: ({ data }) => Int32Array.from(data),
  finish(sum, row, { weights, relu }, x, y) {
    const multiplier = Math.fround((x.step * weights.scale[row]!) / y.step);
    return saturated(Math.fround(Math.fround(sum + weights.bias[row]!) * multiplier), y, relu);
  },
  add(a, b, { x, other, y, relu }, values) {
    const [va, vb, vy] = [values[x]!, values[other]!, values[y]!];
    return saturated((a * va.step + b * vb.step) / vy.step, vy, relu);
  },
  mean: (sum, count, x, y) => saturated((sum * x.step) / (count * y.step), y, "none"),
};

function convolution<N extends Numbers>(of: Arithmetic<N>, layer: ConvLayer, x: N, from: NetValue, to: NetValue): N {
  const { kernel, stride, pads, depthwise, weights } = layer;
  const w = of.weights(weights);
  const y = new of.Values(to.height * to.width * to.channels);
  const { channels, width, height } = from;
  for (let h = 0, at = 0; h < to.height; h++)
    for (let v = 0; v < to.width; v++)
      for (let o = 0; o < to.channels; o++, at++) {
        let sum = 0;
        for (let r = 0; r < kernel; r++) {
          const row = h * stride - pads[0] + r;
          if (row < 0 || row >= height) continue;
          for (let s = 0; s < kernel; s++) {
            const column = v * stride - pads[1] + s;
            if (column < 0 || column >= width) continue;
            const pixel = (row * width + column) * channels;
            const tap = o * weights.k + (r * kernel + s) * (depthwise ? 1 : channels);
            if (depthwise) sum += x[pixel + o]! * w[tap]!;
            else for (let c = 0; c < channels; c++) sum += x[pixel + c]! * w[tap + c]!;
          }
        }
        y[at] = of.finish(sum, o, layer, from, to);
      }
  return y;
}

function maxPool<N extends Numbers>(of: Arithmetic<N>, layer: PoolLayer, x: N, from: NetValue, to: NetValue): N {
  const { size, stride, pads } = layer;
  const y = new of.Values(to.height * to.width * to.channels);
  for (let h = 0, at = 0; h < to.height; h++)
    for (let v = 0; v < to.width; v++)
      for (let c = 0; c < to.channels; c++, at++) {
        let max = Number.NEGATIVE_INFINITY;
        for (let r = Math.max(0, h * stride - pads[0]); r < Math.min(from.height, h * stride - pads[0] + size); r++)
          for (let s = Math.max(0, v * stride - pads[1]); s < Math.min(from.width, v * stride - pads[1] + size); s++)
            max = Math.max(max, x[(r * from.width + s) * from.channels + c]!);
        y[at] = max;
      }
  return y;
}

function run<N extends Numbers>(of: Arithmetic<N>, { values, layers }: Net, image: N): N {
  const results: N[] = [image];
  const layerOf = (layer: NetLayer): N => {
    const [x, from, to] = [results[layer.x] as N, values[layer.x] as NetValue, values[layer.y] as NetValue];
    switch (layer.kind) {
      case "conv":
        return convolution(of, layer, x, from, to);
      case "maxPool":
        return maxPool(of, layer, x, from, to);
      case "add": {
        const other = results[layer.other] as N;
        return x.map((a, i) => of.add(a, other[i]!, layer, values)) as N;
      }
      case "average": {
        const y = new of.Values(to.channels);
        const count = from.height * from.width;
        for (let i = 0; i < x.length; i++) y[i % to.channels]! += x[i]!;
        return y.map((sum) => of.mean(sum, count, from, to)) as N;
      }
      case "dense": {
        const { weights } = layer;
        const w = of.weights(weights);
        const y = new of.Values(weights.outputs);
        for (let n = 0; n < weights.outputs; n++) {
          let sum = 0;
          for (let k = 0; k < weights.k; k++) sum += x[k]! * w[n * weights.k + k]!;
          y[n] = of.finish(sum, n, { weights, relu: "none" }, from, to);
        }
        return y;
      }
    }
  };
  for (const layer of layers) results.push(layerOf(layer));
  return results.at(-1) as N;
}

/** The reals that the network's last value stands for, computed without any rounding of activations. */
export function naiveReals(net: Net, image: Int8Array): Float64Array {
  const { step } = net.values[0] as NetValue;
  return run(
    reals,
    net,
    Float64Array.from(image, (q) => q * step),
  );
}

/** The same in 8 bits: sums exact, each result rounded once to its codes. */
export function naiveCodes(net: Net, image: Int8Array): Float64Array {
  const last = net.values.at(-1) as NetValue;
  return Float64Array.from(run(codes, net, Int32Array.from(image)), (q) => q * last.step);
}
