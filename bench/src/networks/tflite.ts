/** A network as a TFLite model: f32, int8 with a scale per output channel, or uint8 with one scale a tensor. */
import { toNchw } from "../models/layer.ts";
import { operators, TfliteModel, type TfliteTensor } from "../models/tflite.ts";
import type { Net, NetValue, Weights } from "./net.ts";

/** Weights of TFLite are NHWC: [O, kh, kw, C], of a depthwise convolution [1, kh, kw, C]. */
export function tfliteNetwork(net: Net, format: "fp32" | "int8"): Uint8Array<ArrayBuffer> {
  const model = new TfliteModel();
  const isFloat = format === "fp32";
  const shift = net.perTensor ? 128 : 0;
  const type = net.perTensor ? "uint8" : "int8";
  const valueTensor = ({ height, width, channels, step, zeroPoint }: NetValue): TfliteTensor => ({
    shape: [1, height, width, channels],
    ...(isFloat ? { type: "f32" } : { type, quantization: { scale: step, zeroPoint: zeroPoint + shift } }),
  });
  const weightTensor = ({ data, scale, k }: Weights, shape: readonly number[], axis: number): TfliteTensor => {
    const arranged = (values: Int8Array | Float32Array) => (axis === 0 ? values : toNchw(values, k));
    if (isFloat) {
      const floats = Float32Array.from(data, (w, i) => w * scale[Math.floor(i / k)]!);
      return { type: "f32", shape, data: arranged(floats) };
    }
    const codes = arranged(data) as Int8Array;
    if (net.perTensor)
      return {
        ...{ type: "uint8", shape, data: Uint8Array.from(codes, (w) => w + 128) },
        quantization: { scale: scale[0]!, zeroPoint: 128 },
      };
    return { type: "int8", shape, data: codes, quantization: { scale, axis } };
  };
  const biasTensor = ({ bias, scale, outputs }: Weights, { step }: NetValue): TfliteTensor => {
    const units = (net.perTensor ? scale.subarray(0, 1) : scale).map((s) => s * step);
    if (!isFloat) return { type: "int32", shape: [outputs], data: bias, quantization: { scale: units } };
    return { type: "f32", shape: [outputs], data: Float32Array.from(bias, (b, o) => b * step * scale[o]!) };
  };

  const tensors = net.values.map((value) => model.tensor(valueTensor(value)));
  let last = 0;
  for (const layer of net.layers) {
    const from = net.values[layer.x] as NetValue;
    const [x, y] = [tensors[layer.x]!, tensors[layer.y]!];
    last = y;
    switch (layer.kind) {
      case "conv": {
        const { kernel, stride, depthwise, relu, weights } = layer;
        const window = { padding: "same", stride } as const;
        const shape = depthwise
          ? [1, kernel, kernel, weights.outputs]
          : [weights.outputs, kernel, kernel, from.channels];
        const w = model.tensor(weightTensor(weights, shape, depthwise ? 3 : 0));
        const operator = depthwise ? operators.depthwiseConv2d(window, relu) : operators.conv2d(window, relu);
        model.operator(operator, [x, w, model.tensor(biasTensor(weights, from))], [y]);
        break;
      }
      case "dense": {
        const { weights } = layer;
        const flat = model.tensor({ ...valueTensor(from), shape: [1, weights.k] });
        const shape = model.tensor({ type: "int32", shape: [2], data: Int32Array.of(1, weights.k) });
        model.operator(operators.reshape(), [x, shape], [flat]);
        last = model.tensor({ ...valueTensor(net.values[layer.y] as NetValue), shape: [1, weights.outputs] });
        const w = model.tensor(weightTensor(weights, [weights.outputs, weights.k], 0));
        model.operator(operators.fullyConnected(), [flat, w, model.tensor(biasTensor(weights, from))], [last]);
        break;
      }
      case "maxPool":
        model.operator(operators.maxPool2d({ padding: "same", stride: layer.stride, size: layer.size }), [x], [y]);
        break;
      case "add":
        model.operator(operators.add(layer.relu), [x, tensors[layer.other]!], [y]);
        break;
      case "average":
        model.operator(operators.averagePool2d({ padding: "valid", stride: 1, size: from.height }), [x], [y]);
    }
  }
  return model.encode([tensors[0]!], [last]);
}
