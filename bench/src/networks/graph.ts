/** Networks of ours: a Graph written node by node, weights drawn as they come. */
import {
  type ActivationQuantization,
  type Attributes,
  type Clamp,
  type Constant,
  type DType,
  type Graph,
  inferShape,
  type Node,
  type Op,
  type QuantizedConstant,
  type ValueInfo,
} from "lowbit/slim";
import { samePads } from "../task.ts";
import { draw } from "../values.ts";
import type { Weights } from "./net.ts";

export interface Window {
  readonly kernel?: number;
  readonly stride?: number;
}

export class GraphWriter {
  readonly #nodes: Node[] = [];
  readonly #values = new Map<string, ValueInfo>();
  readonly #constants = new Map<string, Constant>();
  readonly #inputs: string[] = [];
  #stream = 1;

  constructor(
    readonly name: string,
    readonly seed: number,
  ) {}

  input(name: string, dtype: DType, shape: readonly number[], quantization: ActivationQuantization): string {
    this.#inputs.push(name);
    this.#values.set(name, { dtype, shape, quantization });
    return name;
  }

  node<K extends Op>(
    op: K,
    inputs: readonly string[],
    attributes: Attributes[K],
    dtype: DType,
    quantization?: ActivationQuantization,
  ): string {
    const name = `${op}${this.#nodes.length}`;
    const node = { op, name, inputs, outputs: [name], attributes } as unknown as Node;
    const shape = inferShape(
      node,
      inputs.map((input) => this.#values.get(input)?.shape ?? this.#constants.get(input)!.shape),
    );
    this.#values.set(name, { dtype, shape, ...(quantization && { quantization }) });
    this.#nodes.push(node);
    return name;
  }

  info(value: string): ValueInfo {
    return this.#values.get(value) as ValueInfo;
  }

  channels(value: string): number {
    return this.info(value).shape.at(-1) as number;
  }

  constant(constant: Constant): string {
    const name = `constant${this.#constants.size}`;
    this.#constants.set(name, constant);
    return name;
  }

  floats(data: Float32Array): string {
    return this.constant({ kind: "plain", dtype: "f32", shape: [data.length], data });
  }

  /** A window over a value, padded as TensorFlow's SAME. */
  window(x: string, { kernel = 1, stride = 1 }: Window) {
    const [, height, width] = this.info(x).shape as readonly number[];
    const pads = samePads([height!, width!], [kernel, kernel], stride);
    return { kernel: [kernel, kernel], strides: [stride, stride], dilations: [1, 1], pads } as const;
  }

  /** Drawn bytes of a stream of their own, one for each of `count` elements. */
  draw(count: number): Uint8Array {
    return draw("uint8", count, this.seed, this.#stream++) as Uint8Array;
  }

  /** Weights of -1 and +1. */
  signs(shape: readonly number[]): string {
    const [n = 1] = shape;
    const k = shape.slice(1).reduce((a, b) => a * b, 1);
    // A row of codes fills whole bytes in every network here.
    const codes = this.draw((n * k) / 8);
    return this.constant({ kind: "quantized", scheme: "binary", shape, bits: 1, codes, decoding: { kind: "sign" } });
  }

  /** A binary convolution to its sums. */
  binaryConv(x: string, outputs: number, window: Window & { readonly padding?: "zero" | "one" }): string {
    const { kernel = 1, padding = "zero" } = window;
    const weight = this.signs([outputs, kernel, kernel, this.channels(x)]);
    return this.node("conv2d", [x, weight], { ...this.window(x, window), groups: 1, padding }, "int32");
  }

  /** Sums to bits: batch normalization and sign, as thresholds within about a standard deviation. */
  threshold(sums: string, k: number): string {
    const n = this.channels(sums);
    const data = Int32Array.from(this.draw(n), (v) => Math.trunc(((v - 128) * Math.round(Math.sqrt(k))) / 128));
    return this.node(
      "threshold",
      [sums, this.constant({ kind: "plain", dtype: "int32", shape: [n], data })],
      {},
      "bit",
    );
  }

  /** Batch normalization of sums of k signs, to a deviation of about 1. */
  batchNorm(sums: string, k: number, clamp?: Clamp): string {
    const n = this.channels(sums);
    const drawn = this.draw(2 * n);
    const scale = Float32Array.from({ length: n }, (_, i) => (0.75 + drawn[i]! / 512) / Math.sqrt(k));
    const bias = Float32Array.from({ length: n }, (_, i) => (drawn[n + i]! - 128) / 128);
    const attributes = clamp ? { clamp } : {};
    return this.node("affine", [sums, this.floats(scale), this.floats(bias)], attributes, "f32");
  }

  quantize(x: string, quantization: ActivationQuantization, dtype: "int8" | "uint8" = "int8"): string {
    return this.node("quantize", [x], {}, dtype, quantization);
  }

  /** Weights of 8-bit (or ternary) layers, [outputs, ...rest] with the rows of `weights`. */
  coded({ data, scale, k, outputs, ternary }: Weights, shape: readonly number[], perTensor = false): string {
    const bits = ternary ? 2 : 8;
    const zeroPoint = ternary ? 1 : 128;
    const codes = ternary ? packTrits(data, k) : Uint8Array.from(data, (w) => w + 128);
    const constant: QuantizedConstant = {
      ...{ kind: "quantized", scheme: ternary ? "ternary" : "int8", shape, bits, codes },
      decoding: { kind: "affine", zeroPoint },
      scale: perTensor ? scale.slice(0, 1) : scale,
      scaleShape: [perTensor ? 1 : outputs, 1],
      groupSize: k,
    };
    return this.constant(constant);
  }

  build(...outputs: readonly string[]): Graph {
    return {
      name: this.name,
      inputs: this.#inputs,
      outputs,
      nodes: this.#nodes,
      values: this.#values,
      constants: this.#constants,
    };
  }
}

/** Codes 0, 1, 2 of -1, 0, +1, four in a byte, rows on whole bytes. */
function packTrits(values: Int8Array, k: number): Uint8Array {
  const rowBytes = Math.ceil(k / 4);
  const packed = new Uint8Array((values.length / k) * rowBytes);
  values.forEach((value, i) => {
    const [row, at] = [Math.floor(i / k), i % k];
    packed[row * rowBytes + (at >> 2)]! |= (value + 1) << (2 * (at & 3));
  });
  return packed;
}
