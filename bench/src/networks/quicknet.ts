/**
 * QuickNet (Bannink et al., "Larq Compute Engine", 2021), its middle size: a residual around every binary convolution, borders of +1, and between the
 * sections an anti-aliased pooling and a pointwise convolution of 8 bits.
 */
import type { Graph } from "lowbit/slim";
import { GraphWriter } from "./graph.ts";
import { type Net, NetBuilder, type NetOptions, type NetValue } from "./net.ts";
import { int8Conv, int8Head } from "./resnet18.ts";

const sections = [64, 128, 256, 512] as const;
const LAYERS = 4;

export function quicknet(options: NetOptions): Net {
  const net = new NetBuilder(options);
  let x = net.conv(0, 16, { kernel: 3, stride: 2, relu: "relu" });
  x = net.conv(net.conv(x, "depthwise", { kernel: 3, stride: 2 }), 64);
  for (const [section, channels] of sections.entries()) {
    if (section > 0) {
      x = net.conv(net.maxPool(x, 2, 1), "depthwise", { kernel: 3, stride: 2 });
      x = net.conv(x, channels);
    }
    for (let layer = 0; layer < LAYERS; layer++)
      x = net.add(net.conv(x, channels, { kernel: 3, relu: "relu" }), x, layer + 1 === LAYERS ? "relu" : "none");
  }
  net.dense(net.average(x), 1000);
  return net.build();
}

export function binaryQuicknet(options: NetOptions): Graph {
  const writer = new GraphWriter(options.name, options.seed + 1);
  let x = stem(writer, options);
  for (const [section, published] of sections.entries()) {
    const channels = Math.ceil(published * options.width);
    if (section > 0) x = transition(writer, x, channels);
    for (let layer = 0; layer < LAYERS; layer++) {
      const k = 9 * channels;
      const bits = writer.node("sign", [x], {}, "bit");
      const sums = writer.binaryConv(bits, channels, { kernel: 3, padding: "one" });
      const y = writer.batchNorm(sums, k, [0, Number.POSITIVE_INFINITY]);
      x = writer.node("add", [y, x], {}, "f32");
    }
  }
  x = writer.node("clip", [x], { min: 0, max: Number.POSITIVE_INFINITY }, "f32");
  return writer.build(int8Head(writer, writer.node("globalAvgPool", [x], {}, "f32"), 1000));
}

/** Three convolutions of 8 bits, drawn as a small network of their own; the last one ends in reals. */
function stem(writer: GraphWriter, options: NetOptions): string {
  const net = new NetBuilder(options);
  net.conv(
    net.conv(net.conv(0, 16, { kernel: 3, stride: 2, relu: "relu" }), "depthwise", { kernel: 3, stride: 2 }),
    64,
  );
  const { layers, values } = net.build();
  const quantizationOf = ({ step, zeroPoint }: NetValue) => ({ scale: step, zeroPoint });
  const { height, width, channels } = values[0] as NetValue;
  let x = writer.input("image", "int8", [1, height, width, channels], quantizationOf(values[0] as NetValue));
  for (const layer of layers) {
    if (layer.kind !== "conv") throw new Error("the stem is of convolutions");
    const { weights, kernel, stride, depthwise } = layer;
    const from = values[layer.x] as NetValue;
    const w = writer.coded(weights, [weights.outputs, kernel, kernel, depthwise ? 1 : from.channels]);
    const bias = writer.floats(Float32Array.from(weights.bias, (b, o) => b * from.step * weights.scale[o]!));
    const groups = depthwise ? from.channels : 1;
    const clamp = layer.relu === "relu" ? { clamp: [0, Number.POSITIVE_INFINITY] as const } : {};
    const attributes = { ...writer.window(x, { kernel, stride }), groups, padding: "zero" as const, ...clamp };
    const isLast = layer.y === layers.length;
    x = writer.node(
      "conv2d",
      [x, w, bias],
      attributes,
      isLast ? "f32" : "int8",
      isLast ? undefined : quantizationOf(values[layer.y] as NetValue),
    );
  }
  return x;
}

/** ReLU, maximum of 2×2, blur of stride 2, pointwise convolution: 8 bits, the ReLU by the zero point of the codes. */
function transition(writer: GraphWriter, x: string, outputs: number): string {
  const channels = writer.channels(x);
  const quantization = { scale: Math.fround(8 / 255), zeroPoint: -128 };
  let y = writer.quantize(x, quantization);
  y = writer.node("maxPool", [y], writer.window(y, { kernel: 2 }), "int8", quantization);
  const blur = writer.coded(
    {
      ...{ outputs: channels, k: 9, ternary: false, bias: new Int32Array(channels) },
      data: Int8Array.from({ length: 9 * channels }, (_, i) => [1, 2, 1, 2, 4, 2, 1, 2, 1][i % 9]!),
      scale: new Float32Array(channels).fill(1 / 16),
    },
    [channels, 3, 3, 1],
  );
  const window = { ...writer.window(y, { kernel: 3, stride: 2 }), groups: channels, padding: "zero" as const };
  const inputs = [y, blur, writer.floats(new Float32Array(channels))];
  return int8Conv(writer, writer.node("conv2d", inputs, window, "f32"), outputs);
}
