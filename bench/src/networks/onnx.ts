/** A network as an ONNX model, channels first: f32, or 8-bit with uint8 activations, which onnxruntime is fastest at. */
import { toNchw, weightsOihw } from "../models/layer.ts";
import { MICROSOFT, OnnxModel } from "../models/onnx.ts";
import type { ConvLayer, Net, NetLayer, NetValue, Relu, Weights } from "./net.ts";

export function onnxNetwork(net: Net, format: "fp32" | "int8"): Uint8Array<ArrayBuffer> {
  return (format === "fp32" ? new FloatWriter(net) : new CodeWriter(net)).write();
}

abstract class Writer {
  protected readonly model = new OnnxModel();
  protected readonly names: string[] = ["x"];

  constructor(
    protected readonly net: Net,
    readonly type: "f32" | "uint8",
  ) {}

  protected abstract layer(layer: NetLayer, x: string, from: NetValue, to: NetValue): string;

  write(): Uint8Array<ArrayBuffer> {
    const { net, model, names } = this;
    for (const layer of net.layers)
      names.push(this.layer(layer, names[layer.x]!, net.values[layer.x]!, net.values[layer.y]!));
    const [image, last] = [net.values[0] as NetValue, net.values.at(-1) as NetValue];
    const x = { name: "x", type: this.type, shape: [1, image.channels, image.height, image.width] };
    return model.encode([x], [{ name: names.at(-1)!, type: this.type, shape: [1, last.channels] }]);
  }

  protected window({ kernel, stride, pads }: Pick<ConvLayer, "kernel" | "stride" | "pads">) {
    return { kernel_shape: [kernel, kernel], strides: [stride, stride], pads };
  }

  protected maxPool({ size, stride, pads }: Extract<NetLayer, { kind: "maxPool" }>, x: string): string {
    return this.model.node("MaxPool", [x], this.window({ kernel: size, stride, pads }));
  }

  /** [N, C, 1, 1] to [N, C]. */
  protected flatten = (x: string): string => this.model.node("Flatten", [x], { axis: 1 });
}

/** OIHW. */
function filters<T extends Int8Array | Float32Array>(
  { kernel, depthwise }: ConvLayer,
  { k, outputs }: Weights,
  data: T,
): T {
  const channels = k / (kernel * kernel);
  const task = {
    kernel: [kernel, kernel],
    outputs,
    channels: depthwise ? outputs : channels,
    groups: depthwise ? outputs : 1,
  };
  return weightsOihw(task as unknown as Parameters<typeof weightsOihw>[0], data);
}

class FloatWriter extends Writer {
  constructor(net: Net) {
    super(net, "f32");
  }

  #bias({ bias, scale, outputs }: Weights, { step }: NetValue): string {
    return this.model.constant(
      Float32Array.from(bias, (b, o) => b * step * scale[o]!),
      [outputs],
    );
  }

  #relu(x: string, relu: Relu): string {
    if (relu === "none") return x;
    if (relu === "relu") return this.model.node("Relu", [x]);
    const [low, high] = [0, 6].map((limit) => this.model.constant(Float32Array.of(limit)));
    return this.model.node("Clip", [x, low!, high!]);
  }

  protected layer(layer: NetLayer, x: string, from: NetValue): string {
    const { model } = this;
    switch (layer.kind) {
      case "conv": {
        const { weights, depthwise, kernel } = layer;
        const { data, scale, k, outputs } = weights;
        const floats = Float32Array.from(data, (w, i) => w * scale[Math.floor(i / k)]!);
        const w = model.constant(filters(layer, weights, floats), [outputs, k / (kernel * kernel), kernel, kernel]);
        const attributes = { ...this.window(layer), group: depthwise ? outputs : 1 };
        return this.#relu(model.node("Conv", [x, w, this.#bias(weights, from)], attributes), layer.relu);
      }
      case "dense": {
        const { data, scale, k, outputs } = layer.weights;
        const floats = Float32Array.from(data, (w, i) => w * scale[Math.floor(i / k)]!);
        const w = model.constant(toNchw(floats, k), [k, outputs]);
        return model.node("Gemm", [this.flatten(x), w, this.#bias(layer.weights, from)]);
      }
      case "maxPool":
        return this.maxPool(layer, x);
      case "add":
        return this.#relu(model.node("Add", [x, this.names[layer.other]!]), layer.relu);
      case "average":
        return model.node("GlobalAveragePool", [x]);
    }
  }
}

/** A ReLU is in the zero point of its output: codes cannot be below it. A ReLU6 is too where 6 is beyond the codes. */
class CodeWriter extends Writer {
  constructor(net: Net) {
    super(net, "uint8");
  }

  #parameters({ step, zeroPoint }: NetValue): [scale: string, zero: string] {
    return [this.model.constant(Float32Array.of(step)), this.model.constant(Uint8Array.of(zeroPoint + 128))];
  }

  /** Codes, scale, zero point: a scale per row of int8, or one of uint8 around 128. */
  #weights(data: Int8Array, { scale, outputs }: Weights, shape: readonly number[]): [string, string, string] {
    const { model } = this;
    if (this.net.perTensor)
      return [
        model.constant(
          Uint8Array.from(data, (w) => w + 128),
          shape,
        ),
        model.constant(scale.slice(0, 1)),
        model.constant(Uint8Array.of(128)),
      ];
    return [
      model.constant(data, shape),
      model.constant(scale, [outputs]),
      model.constant(new Int8Array(outputs), [outputs]),
    ];
  }

  protected layer(layer: NetLayer, x: string, from: NetValue, to: NetValue): string {
    const { model } = this;
    const [pair, output] = [() => this.#parameters(from), () => this.#parameters(to)];
    switch (layer.kind) {
      case "conv": {
        const { weights, depthwise, kernel } = layer;
        const { data, k, outputs, bias } = weights;
        const shape = [outputs, k / (kernel * kernel), kernel, kernel];
        const w = this.#weights(filters(layer, weights, data), weights, shape);
        const inputs = [x, ...pair(), ...w, ...output(), model.constant(bias, [outputs])];
        return model.node("QLinearConv", inputs, { ...this.window(layer), group: depthwise ? outputs : 1 });
      }
      case "dense": {
        const { data, k, outputs, bias } = layer.weights;
        const w = this.#weights(toNchw(data, k), layer.weights, [k, outputs]);
        const inputs = [this.flatten(x), ...pair(), ...w, model.constant(bias, [outputs]), ...output()];
        return model.node("QGemm", inputs, {}, MICROSOFT);
      }
      case "maxPool":
        return this.maxPool(layer, x);
      case "add": {
        const other = this.#parameters(this.net.values[layer.other] as NetValue);
        return model.node("QLinearAdd", [x, ...pair(), this.names[layer.other]!, ...other, ...output()], {}, MICROSOFT);
      }
      case "average":
        return model.node("QLinearGlobalAveragePool", [x, ...pair(), ...output()], { channels_last: 0 }, MICROSOFT);
    }
  }
}
