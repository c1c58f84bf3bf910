/** Seeded networks as ONNX files: the same seed is the same file, weights included. */
import { Tensor } from "lowbit";
import { RandomData } from "../../../core/src/testing/random-data.ts";
import { create, TensorProtoSchema } from "../../src/onnx/schema.ts";
import { DataType, OnnxBuilder } from "./onnx.ts";

export interface Network {
  readonly file: Uint8Array;
  readonly feed: Readonly<Record<string, Tensor>>;
}

/** Shape bookkeeping of the value that a network is growing at. */
interface Head {
  name: string;
  channels: number;
  size: number;
}

export class NetworkBuilder extends OnnxBuilder {
  readonly random: RandomData;
  #count = 0;

  constructor(seed: number, opset: number) {
    super(opset);
    this.random = new RandomData(seed);
  }

  op(opType: string, inputs: readonly string[], attributes: Parameters<OnnxBuilder["node"]>[3] = {}): string {
    return this.node(opType, `${opType.toLowerCase()}${this.#count++}`, inputs, attributes);
  }

  data(shape: readonly number[], values: ArrayLike<number>): string {
    return this.floats(`w${this.#count++}`, shape, values);
  }

  weights(shape: readonly number[], scale = 1): string {
    const count = shape.reduce((product, size) => product * size, 1);
    return this.data(shape, this.random.floats(count, scale));
  }

  /** ±a (or -a, 0, +a) per output channel; a is a power of two, so that float sums stay exact. */
  lowBit(shape: readonly number[], values: readonly number[]): string {
    const [rows = 1, ...rest] = shape;
    const columns = rest.reduce((product, size) => product * size, 1);
    const data = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const magnitude = this.random.pick([0.5, 1, 2]);
      for (let i = 0; i < columns; i++) data[row * columns + i] = this.random.pick(values) * magnitude;
    }
    return this.data(shape, data);
  }

  batchNorm(x: string, channels: number, scales: "positive" | "any" | "ones", statistics = 1): string {
    const { random } = this;
    const scale =
      scales === "any"
        ? random.floats(channels)
        : scales === "ones"
          ? new Float32Array(channels).fill(1)
          : random.positive(channels);
    const parameters = [scale, random.floats(channels), random.floats(channels, statistics), random.positive(channels)];
    return this.op("BatchNormalization", [x, ...parameters.map((data) => this.data([channels], data))], {
      epsilon: { float: 1e-3 },
    });
  }

  scalar(dataType: DataType, bytes: Uint8Array): string {
    return this.initializer(
      create(TensorProtoSchema, { name: `s${this.#count++}`, dataType, dims: [], rawData: bytes }),
    );
  }

  /** QuantizeLinear and DequantizeLinear with one scale. */
  codes(x: string, scale: number, zeroPoint: number): string {
    const parameters = [this.data([], [scale]), this.scalar(DataType.INT8, Uint8Array.of(zeroPoint & 255))];
    return this.op("DequantizeLinear", [this.op("QuantizeLinear", [x, ...parameters]), ...parameters]);
  }
}

/** Convolutions, normalization, activations, pools, a residual or a concatenation, dense layers. */
export function floatCnn(seed: number): Network {
  const net = new NetworkBuilder(seed, [11, 13, 17][seed % 3]!);
  const { random } = net;
  const batch = random.between(1, 2);
  const channels = random.pick([1, 3]);
  const size = random.between(6, 9);
  const head: Head = { name: net.input("image", ["N", channels, size, size]), channels, size };
  if (random.below(2) === 0) {
    const scaled = net.op("Mul", [head.name, net.weights([1, channels, 1, 1])]);
    head.name = net.op(random.pick(["Add", "Sub"]), [scaled, net.weights([channels, 1, 1])]);
  }
  for (let layer = random.between(1, 3); layer > 0; layer--) floatBlock(net, head);
  if (random.below(3) === 0) {
    head.name =
      random.below(2) === 0
        ? net.op("GlobalAveragePool", [head.name])
        : net.op("ReduceMean", [head.name], { axes: [2, 3] });
    head.size = 1;
  }
  const features = head.channels * head.size ** 2;
  let x =
    random.below(2) === 0
      ? net.op("Flatten", [head.name])
      : net.op("Reshape", [head.name, net.ints("features", [0, -1])]);
  if (random.below(2) === 0) x = net.op("Mul", [x, net.weights([features])]);
  if (random.below(2) === 0) x = net.batchNorm(x, features, "any");
  const hidden = random.between(2, 9);
  x = net.op("Gemm", [x, net.weights([hidden, features]), net.weights([hidden])], { transB: 1, alpha: { float: 0.5 } });
  x = net.op("Relu", [x]);
  x = net.op("Add", [net.op("MatMul", [x, net.weights([hidden, 4])]), net.weights([1, 4])]);
  if (random.below(3) === 0) x = net.op("Softmax", [x]);
  const feed = {
    image: new Tensor("f32", [batch, channels, size, size], random.floats(batch * channels * size * size)),
  };
  return { file: net.build([x]), feed };
}

function floatBlock(net: NetworkBuilder, head: Head): void {
  const { random } = net;
  const outputs = random.pick([4, 6]);
  const kernel = random.pick([1, 3]);
  let source = head.name;
  if (random.below(4) === 0) {
    const pads = net.op("Constant", [], { value_ints: [0, 0, 0, 0, 0, 0, 1, 1] });
    source = net.op("Pad", [source, pads]);
    head.size++;
  }
  const inputs = [source, net.weights([outputs, head.channels, kernel, kernel])];
  if (random.below(2) === 0) inputs.push(net.weights([outputs]));
  const same = random.below(2) === 0;
  const padding = same
    ? { auto_pad: random.pick(["SAME_UPPER", "SAME_LOWER"]) }
    : { pads: new Array<number>(4).fill(Math.floor(kernel / 2)) };
  let x = net.op("Conv", inputs, { kernel_shape: [kernel, kernel], ...padding });
  if (random.below(2) === 0) x = net.batchNorm(x, outputs, random.pick(["positive", "any"]));
  if (random.below(3) === 0)
    x = net.op("Add", [net.op("Mul", [x, net.weights([outputs, 1, 1])]), net.weights([1, outputs, 1, 1])]);
  if (random.below(3) === 0) x = net.op("Sub", [net.weights([1]), x]);
  const pooled = head.size >= 4 && random.below(2) === 0;
  if (pooled && random.below(2) === 0) {
    x = net.op("MaxPool", [x], { kernel_shape: [2, 2], strides: [2, 2] });
    x = net.batchNorm(x, outputs, "positive");
    x = net.op("Relu", [x]);
    head.size = Math.floor(head.size / 2);
  } else {
    x = random.below(2) === 0 ? net.op("Relu", [x]) : net.op("LeakyRelu", [x], { alpha: { float: 0.25 } });
    if (pooled) {
      x = net.op(random.pick(["MaxPool", "AveragePool"]), [x], { kernel_shape: [2, 2], strides: [2, 2] });
      head.size = Math.floor(head.size / 2);
    }
  }
  head.channels = outputs;
  const branch = random.below(4);
  if (branch === 0) {
    const other = net.op("Conv", [x, net.weights([outputs, outputs, 1, 1])]);
    x = net.op("Add", [x, other]);
  } else if (branch === 1) {
    x = net.op("Concat", [x, net.op("Tanh", [x])], { axis: 1 });
    head.channels = 2 * outputs;
  }
  head.name = x;
}

/**
 * int8 pixels, then convolutions of ±a over signs, with pools, +1 and 0 borders, thresholds of both directions, dense
 * layers of ±a.
 */
export function binaryCnn(seed: number): Network {
  const net = new NetworkBuilder(seed, 13);
  const { random } = net;
  const batch = random.between(1, 2);
  const channels = random.pick([1, 3]);
  const size = random.between(6, 9);
  const head: Head = { name: net.codes(net.input("image", ["N", channels, size, size]), 1, -128), channels, size };
  // Padding pixels count as 0, which is a code.
  for (let layer = random.between(1, 3); layer > 0; layer--) binaryBlock(net, head);
  const features = head.channels * head.size ** 2;
  let x = net.op("Flatten", [head.name]);
  if (random.below(2) === 0) {
    const hidden = random.pick([16, 33]);
    x = net.op("Gemm", [x, net.lowBit([hidden, features], [-1, 1])], { transB: 1 });
    // An odd offset on an even number of signs is never 0; an even one can be.
    x = net.op("Sign", [net.op("Add", [x, net.data([1], [random.pick([0.25, 1, 2])])])]);
    x = net.op("Gemm", [x, net.lowBit([5, hidden], [-1, 1])], { transB: 1 });
  } else
    x = net.op("Gemm", [x, net.lowBit([5, features], [-1, 1]), net.data([5], random.integers(5, -9, 9))], {
      transB: 1,
    });
  const pixels = Float32Array.from(random.bytes(batch * channels * size * size));
  return { file: net.build([x]), feed: { image: new Tensor("f32", [batch, channels, size, size], pixels) } };
}

function binaryBlock(net: NetworkBuilder, head: Head): void {
  const { random } = net;
  const outputs = random.pick([5, 32]);
  const kernel = head.size >= 3 ? 3 : 1;
  const border = random.pick(["none", "zero", "one"]);
  const weight = net.lowBit([outputs, head.channels, kernel, kernel], [-1, 1]);
  let x = head.name;
  const pads = border === "zero" && kernel === 3 ? 1 : 0;
  if (border === "one" && kernel === 3 && head.size > 3) {
    x = net.op("Pad", [x, net.ints(`${x}pads`, [0, 0, 1, 1, 0, 0, 1, 1]), net.data([], [1])]);
    head.size += 2;
  }
  x = net.op("Conv", [x, weight], { pads: [pads, pads, pads, pads] });
  head.size += 2 * pads - kernel + 1;
  const order = random.below(3);
  const pool = () => {
    if (head.size < 2) return;
    x = net.op("MaxPool", [x], { kernel_shape: [2, 2], strides: [2, 2] });
    head.size = Math.floor(head.size / 2);
  };
  if (order === 0) pool();
  x =
    random.below(3) === 0
      ? net.op("Sub", [x, net.data([outputs, 1, 1], random.integers(outputs, -3, 3))])
      : net.batchNorm(x, outputs, random.pick(["ones", "any", "positive"]), 20);
  x = net.op("Sign", [x]);
  if (order === 1) pool();
  Object.assign(head, { name: x, channels: outputs });
}

/** Ternary weights over uniformly quantized activations, as QuantizeLinear and DequantizeLinear. */
export function ternaryCnn(seed: number): Network {
  const net = new NetworkBuilder(seed, 13);
  const { random } = net;
  const [batch, size] = [random.between(1, 2), random.between(6, 9)];
  const head: Head = { name: net.codes(net.input("image", ["N", 1, size, size]), 1, -128), channels: 1, size };
  let step = 1;
  for (let layer = 0; layer < 2; layer++) {
    const outputs = random.pick([8, 16]);
    let x = net.op("Conv", [head.name, net.lowBit([outputs, head.channels, 3, 3], [-1, 0, 1])], { pads: [1, 1, 1, 1] });
    // Before the normalization, behind the codes, or nowhere.
    const pooled = random.below(3);
    const pool = (value: string) => net.op("MaxPool", [value], { kernel_shape: [2, 2], strides: [2, 2] });
    if (pooled === 0) x = pool(x);
    x = net.op("Relu", [net.batchNorm(x, outputs, random.pick(["positive", "any"]), 9)]);
    step = layer === 0 ? 2 : 0.25 * step;
    // Quantized as images, or as rows of features.
    if (layer === 1 && pooled !== 1 && random.below(2) === 0) x = net.op("Flatten", [x]);
    x = net.codes(x, step, random.pick([0, -128]));
    if (pooled === 1) x = pool(x);
    if (pooled < 2) head.size = Math.floor(head.size / 2);
    Object.assign(head, { name: x, channels: outputs });
  }
  const features = head.channels * head.size ** 2;
  const x = net.op("Gemm", [net.op("Flatten", [head.name]), net.lowBit([5, features], [-1, 0, 1]), net.weights([5])], {
    transB: 1,
  });
  const pixels = Float32Array.from(random.bytes(batch * size * size));
  return { file: net.build([x]), feed: { image: new Tensor("f32", [batch, 1, size, size], pixels) } };
}
