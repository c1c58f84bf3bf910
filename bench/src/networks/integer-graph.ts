/** A {@link Net} as our Graph: 8-bit activations, weights of 8 bits or ternary, all of it integer arithmetic up to the logits. */
import type { ActivationQuantization, Clamp, Graph } from "lowbit/slim";
import { GraphWriter } from "./graph.ts";
import type { Net, NetValue, Relu, Weights } from "./net.ts";

const clamps: Readonly<Record<Relu, { readonly clamp?: Clamp }>> = {
  none: {},
  relu: { clamp: [0, Number.POSITIVE_INFINITY] },
  relu6: { clamp: [0, 6] },
};

export function integerGraph(net: Net, seed: number): Graph {
  const writer = new GraphWriter(net.name, seed);
  const dtype = net.perTensor ? "uint8" : "int8";
  const quantizationOf = ({ step, zeroPoint }: NetValue): ActivationQuantization => ({
    scale: step,
    zeroPoint: zeroPoint + (net.perTensor ? 128 : 0),
  });
  const image = net.values[0] as NetValue;
  const { height, width, channels } = image;
  const names = [writer.input("image", dtype, [1, height, width, channels], quantizationOf(image))];
  const bias = ({ bias, scale }: Weights, { step }: NetValue) =>
    writer.floats(Float32Array.from(bias, (b, o) => b * step * scale[o]!));

  for (const layer of net.layers) {
    const [from, to] = [net.values[layer.x] as NetValue, net.values[layer.y] as NetValue];
    const x = names[layer.x] as string;
    const quantization = quantizationOf(to);
    switch (layer.kind) {
      case "conv": {
        const { kernel, stride, depthwise, relu, weights } = layer;
        const shape = [weights.outputs, kernel, kernel, depthwise ? 1 : from.channels];
        const attributes = {
          ...writer.window(x, { kernel, stride }),
          ...{ groups: depthwise ? from.channels : 1, padding: "zero" as const },
          ...clamps[relu],
        };
        const w = writer.coded(weights, shape, net.perTensor);
        names.push(writer.node("conv2d", [x, w, bias(weights, from)], attributes, dtype, quantization));
        break;
      }
      case "dense": {
        const { weights } = layer;
        const flat = writer.node("reshape", [x], { shape: [1, weights.k] }, dtype, quantizationOf(from));
        const w = writer.coded(weights, [weights.outputs, weights.k], net.perTensor);
        names.push(writer.node("dense", [flat, w, bias(weights, from)], {}, "f32"));
        break;
      }
      case "maxPool":
        names.push(
          writer.node(
            "maxPool",
            [x],
            writer.window(x, { kernel: layer.size, stride: layer.stride }),
            dtype,
            quantization,
          ),
        );
        break;
      case "add": {
        const [a, b] = [x, names[layer.other] as string].map((name) => writer.node("dequantize", [name], {}, "f32"));
        const sum = writer.node("add", [a!, b!], {}, "f32");
        // The ReLU of a sum is in its zero point.
        names.push(writer.quantize(sum, quantization, dtype));
        break;
      }
      case "average": {
        const real = writer.node("dequantize", [x], {}, "f32");
        names.push(writer.quantize(writer.node("globalAvgPool", [real], {}, "f32"), quantization, dtype));
      }
    }
  }
  return writer.build(names.at(-1)!);
}
