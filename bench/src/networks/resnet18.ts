/**
 * ResNet-18 (He et al. 2016), and its binary form: stem, shortcuts and head in int8, the sixteen 3×3 convolutions on signs.
 * As in XNOR-Net and Bi-Real Net the stream of the residuals is real, the first convolution of a block hands bits to the second, and the stem has no ReLU.
 */
import type { Graph } from "lowbit/slim";
import { GraphWriter } from "./graph.ts";
import { type Net, NetBuilder, type NetOptions, type NetValue } from "./net.ts";

/** Channels and stride of the eight blocks. */
const blocks: readonly (readonly [channels: number, stride: number])[] = [
  [64, 1],
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
];

export function resnet18(options: NetOptions): Net {
  const net = new NetBuilder(options);
  let x = net.maxPool(net.conv(0, 64, { kernel: 7, stride: 2, relu: "relu" }), 3, 2);
  for (const [channels, stride] of blocks) {
    const shortcut = stride === 1 ? x : net.conv(x, channels, { stride });
    const y = net.conv(x, channels, { kernel: 3, stride, relu: "relu" });
    x = net.add(net.conv(y, channels, { kernel: 3 }), shortcut, "relu");
  }
  net.dense(net.average(x), 1000);
  return net.build();
}

export function binaryResnet18(options: NetOptions): Graph {
  // The layers in int8 are drawn as a small network of their own.
  const int8 = new NetBuilder(options);
  const stem = int8.conv(0, 64, { kernel: 7, stride: 2 });
  const writer = new GraphWriter(options.name, options.seed + 1);
  const { step, zeroPoint, ...image } = int8.value(0);
  let x = writer.input("image", "int8", [1, image.height, image.width, image.channels], { scale: step, zeroPoint });
  const { layers, values } = int8.build();
  const layer = layers[0]!;
  if (layer.kind !== "conv") throw new Error("the stem is a convolution");
  const real = values[stem] as NetValue;
  const bias = writer.floats(Float32Array.from(layer.weights.bias, (b, o) => b * step * layer.weights.scale[o]!));
  x = writer.node(
    "conv2d",
    [x, writer.coded(layer.weights, [int8.scaled(64), 7, 7, 3]), bias],
    { ...writer.window(x, { kernel: 7, stride: 2 }), groups: 1, padding: "zero" },
    "int8",
    { scale: real.step, zeroPoint: 0 },
  );
  x = writer.node("maxPool", [x], writer.window(x, { kernel: 3, stride: 2 }), "int8", {
    scale: real.step,
    zeroPoint: 0,
  });
  x = writer.node("dequantize", [x], {}, "f32");
  for (const [published, stride] of blocks) {
    const channels = int8.scaled(published);
    const bits = writer.node("sign", [x], {}, "bit");
    const first = writer.binaryConv(bits, channels, { kernel: 3, stride });
    const between = writer.threshold(first, 9 * writer.channels(x));
    const y = writer.batchNorm(writer.binaryConv(between, channels, { kernel: 3 }), 9 * channels);
    x = writer.node("add", [y, stride === 1 ? x : int8Conv(writer, x, channels, stride)], {}, "f32");
  }
  return writer.build(int8Head(writer, writer.node("globalAvgPool", [x], {}, "f32"), 1000));
}

/** Reals of a deviation of about `deviation` through int8: a 1×1 convolution back to reals. */
export function int8Conv(writer: GraphWriter, x: string, outputs: number, stride = 1, deviation = 2): string {
  const q = writer.quantize(x, { scale: Math.fround((4 * deviation) / 127), zeroPoint: 0 });
  const channels = writer.channels(x);
  const weights = int8Weights(writer, outputs, channels, deviation);
  const w = writer.coded(weights, [outputs, 1, 1, channels]);
  const attributes = { ...writer.window(q, { stride }), groups: 1, padding: "zero" } as const;
  return writer.node("conv2d", [q, w, writer.floats(new Float32Array(outputs))], attributes, "f32");
}

/** The mean of each channel to logits, in int8. */
export function int8Head(writer: GraphWriter, x: string, outputs: number): string {
  const channels = writer.channels(x);
  const q = writer.quantize(x, { scale: Math.fround(4 / 127), zeroPoint: 0 });
  const flat = writer.node("reshape", [q], { shape: [1, channels] }, "int8", writer.info(q).quantization);
  const weights = int8Weights(writer, outputs, channels, 1);
  const w = writer.coded(weights, [outputs, channels]);
  return writer.node("dense", [flat, w, writer.floats(new Float32Array(outputs))], {}, "f32");
}

/** Drawn so that sums over reals of the given deviation have a deviation of 1. */
function int8Weights(writer: GraphWriter, outputs: number, k: number, deviation: number) {
  const data = Int8Array.from(writer.draw(outputs * k), (v) => (v === 128 ? -127 : v));
  const scale = new Float32Array(outputs).fill(1 / (74 * Math.sqrt(k) * deviation));
  return { outputs, k, data, scale, bias: new Int32Array(outputs), ternary: false };
}
