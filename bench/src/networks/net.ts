/**
 * A network as data, in 8 bits: what every runtime's model of it is written from. Weights are drawn, scales follow by
 * arithmetic on standard deviations, so no calibration is needed and activations fill their ranges.
 */
import { samePads } from "../task.ts";
import { draw } from "../values.ts";

/** What a layer's result passes: `relu6` clamps the reals to [0, 6]. */
export type Relu = "none" | "relu" | "relu6";

/** A value between layers, NHWC, as int8: real = (q - zeroPoint) * step. uint8 models add 128 to q and to the zero point. */
export interface NetValue {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly step: number;
  readonly zeroPoint: number;
  /** Of the reals, about. */
  readonly mean: number;
  readonly deviation: number;
}

/** Inputs are indices into the network's values: 0 is the image, i + 1 the output of layer i. */
interface LayerOf {
  readonly x: number;
  readonly y: number;
}

export interface ConvLayer extends LayerOf {
  readonly kind: "conv";
  readonly kernel: number;
  readonly stride: number;
  /** TensorFlow's SAME. */
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
  /** One filter a channel. */
  readonly depthwise: boolean;
  readonly relu: Relu;
  readonly weights: Weights;
}
export interface DenseLayer extends LayerOf {
  readonly kind: "dense";
  readonly weights: Weights;
}
export interface PoolLayer extends LayerOf {
  readonly kind: "maxPool";
  readonly size: number;
  readonly stride: number;
  readonly pads: ConvLayer["pads"];
}
export interface AddLayer extends LayerOf {
  readonly kind: "add";
  readonly other: number;
  readonly relu: Relu;
}
/** The mean of each channel. */
export interface AverageLayer extends LayerOf {
  readonly kind: "average";
}
export type NetLayer = ConvLayer | DenseLayer | PoolLayer | AddLayer | AverageLayer;

/** [outputs, K] of int8 (rows OHWI), a scale per row, a bias per row in units of x's step times that scale. */
export interface Weights {
  readonly outputs: number;
  readonly k: number;
  readonly data: Int8Array;
  readonly scale: Float32Array;
  readonly bias: Int32Array;
  /** -1, 0, +1 alone. */
  readonly ternary: boolean;
}

export interface Net {
  readonly name: string;
  readonly values: readonly NetValue[];
  readonly layers: readonly NetLayer[];
  /** Activations and weights are uint8, one scale for all rows: the older form of 8-bit networks. */
  readonly perTensor: boolean;
}

export interface NetOptions {
  readonly name: string;
  /** Height and width of the image. */
  readonly size: number;
  /** Channels between the layers are this much of the published ones. */
  readonly width: number;
  readonly seed: number;
  readonly perTensor?: boolean;
}

/** Standard deviations of weights as drawn. */
const deviation = { weight8: 74, trit: 0.8165 } as const;
/** An 8-bit value reaches this many of its standard deviations. */
const REACH = 4;

type Unplaced<L> = L extends NetLayer ? Omit<L, "y"> : never;

/** Writes a network layer by layer; each method returns the index of its output. */
export class NetBuilder {
  readonly #options: NetOptions;
  readonly #values: NetValue[];
  readonly #layers: NetLayer[] = [];

  constructor(options: NetOptions, channels = 3) {
    this.#options = options;
    const image = { height: options.size, width: options.size, channels };
    this.#values = [{ ...image, step: 1 / 64, zeroPoint: 0, mean: 0, deviation: 74 / 64 }];
  }

  value(index: number): NetValue {
    return this.#values[index] as NetValue;
  }

  /** So many channels, of the published ones. */
  scaled(channels: number): number {
    return Math.ceil(channels * this.#options.width);
  }

  conv(
    x: number,
    outputs: number | "depthwise",
    { kernel = 1, stride = 1, relu = "none" as Relu, ternary = false } = {},
  ): number {
    const { height, width, channels } = this.value(x);
    const depthwise = outputs === "depthwise";
    const n = depthwise ? channels : this.scaled(outputs);
    const weights = this.#weights(x, n, kernel * kernel * (depthwise ? 1 : channels), ternary);
    const shape = { height: Math.ceil(height / stride), width: Math.ceil(width / stride), channels: n };
    const pads = samePads([height, width], [kernel, kernel], stride);
    return this.#add({ kind: "conv", x, kernel, stride, pads, depthwise, relu, weights }, after(shape, 0, 1, relu));
  }

  dense(x: number, outputs: number): number {
    const { channels } = this.value(x);
    const weights = this.#weights(x, outputs, channels, false);
    return this.#add({ kind: "dense", x, weights }, after({ height: 1, width: 1, channels: outputs }, 0, 1, "none"));
  }

  maxPool(x: number, size: number, stride: number): number {
    const { height, width, mean, deviation, ...rest } = this.value(x);
    // The largest of several lies higher.
    const shape = {
      height: Math.ceil(height / stride),
      width: Math.ceil(width / stride),
      mean: mean + deviation,
      deviation,
    };
    const pads = samePads([height, width], [size, size], stride);
    return this.#add({ kind: "maxPool", x, size, stride, pads }, { ...rest, ...shape });
  }

  add(x: number, other: number, relu: Relu = "none"): number {
    const [a, b] = [this.value(x), this.value(other)];
    const { height, width, channels } = a;
    const deviation = Math.sqrt(a.deviation ** 2 + b.deviation ** 2);
    const value = after({ height, width, channels }, a.mean + b.mean, deviation, relu);
    return this.#add({ kind: "add", x, other, relu }, value);
  }

  average(x: number): number {
    const { height, width, ...rest } = this.value(x);
    const deviation = rest.deviation / Math.sqrt(height * width);
    return this.#add({ kind: "average", x }, { ...rest, deviation, height: 1, width: 1 });
  }

  build(): Net {
    const { name, perTensor = false } = this.#options;
    return { name, perTensor, values: this.#values, layers: this.#layers };
  }

  #add(layer: Unplaced<NetLayer>, value: NetValue): number {
    const y = this.#values.push(value) - 1;
    this.#layers.push({ ...layer, y } as NetLayer);
    return y;
  }

  /** So scaled that the sums' standard deviation is 1, with a spread over the rows as training leaves it. */
  #weights(x: number, outputs: number, k: number, ternary: boolean): Weights {
    const { step, mean, deviation: spreadOfX } = this.value(x);
    const rms = Math.sqrt(mean ** 2 + spreadOfX ** 2);
    const stream = 2 * this.#layers.length + 1;
    const kind = ternary ? "trit" : "weight8";
    const { seed, perTensor = false } = this.#options;
    const data = draw(kind, outputs * k, seed, stream) as Int8Array;
    const spread = draw("uint8", 2 * outputs, seed, stream + 1) as Uint8Array;
    const unit = 1 / (deviation[kind] * Math.sqrt(k) * rms);
    const scale = Float32Array.from({ length: outputs }, (_, o) => unit * (perTensor ? 1 : 0.75 + spread[o]! / 512));
    const bias = Int32Array.from({ length: outputs }, (_, o) => {
      const real = (spread[outputs + o]! - 128) / 128;
      return Math.round(real / (step * scale[o]!));
    });
    return { outputs, k, data, scale, bias, ternary };
  }
}

type Shape = Pick<NetValue, "height" | "width" | "channels">;

/** The value behind a layer whose reals, before its ReLU, lie around `mean`. Behind a ReLU all codes stand for 0 and above. */
function after(shape: Shape, mean: number, deviation: number, relu: Relu): NetValue {
  const reach = Math.abs(mean) + REACH * deviation;
  if (relu === "none") return { ...shape, step: Math.fround(reach / 127), zeroPoint: 0, mean, deviation };
  // Of a normal distribution cut at 0; of one that lies above it already a little too much.
  const half = { mean: mean + 0.4 * deviation, deviation: 0.58 * deviation };
  return { ...shape, ...half, step: Math.fround(reach / 255), zeroPoint: -128 };
}

/** Multiply-adds of one image. */
export function macsOf({ layers, values }: Net): number {
  let sum = 0;
  for (const layer of layers) {
    if (layer.kind !== "conv" && layer.kind !== "dense") continue;
    const { height, width, channels } = values[layer.y] as NetValue;
    sum += height * width * channels * layer.weights.k;
  }
  return sum;
}

/** The int8 image that every engine gets. */
export const imageOf = ({ height, width, channels }: NetValue, seed: number): Int8Array =>
  draw("int8", height * width * channels, seed, 0) as Int8Array;
