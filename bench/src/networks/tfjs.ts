/** A network on TensorFlow.js, in f32: its fused kernels called layer by layer. */
import type { Tensor, Tfjs } from "../engines/tfjs-wasm.ts";
import { toNchw } from "../models/layer.ts";
import type { Net, NetLayer, NetValue, Weights } from "./net.ts";

interface Placed {
  readonly layer: NetLayer;
  readonly filter?: Tensor;
  readonly bias?: Tensor;
}

export interface TfjsNetwork {
  /** @returns the logits, the caller's to dispose */
  run(image: Tensor): Tensor;
  dispose(): void;
}

export function tfjsNetwork(tf: Tfjs, net: Net): TfjsNetwork {
  const floats = ({ data, scale, k }: Weights) =>
    toNchw(
      Float32Array.from(data, (w, i) => w * scale[Math.floor(i / k)]!),
      k,
    );
  const biasOf = ({ bias, scale, outputs }: Weights, { step }: NetValue) =>
    tf.tensor(
      Float32Array.from(bias, (b, o) => b * step * scale[o]!),
      [outputs],
    );
  const placed = net.layers.map((layer): Placed => {
    const from = net.values[layer.x] as NetValue;
    if (layer.kind === "dense") {
      const { weights } = layer;
      return { layer, filter: tf.tensor(floats(weights), [weights.k, weights.outputs]), bias: biasOf(weights, from) };
    }
    if (layer.kind !== "conv") return { layer };
    const { weights, kernel, depthwise } = layer;
    const shape = depthwise ? [kernel, kernel, from.channels, 1] : [kernel, kernel, from.channels, weights.outputs];
    return { layer, filter: tf.tensor(floats(weights), shape), bias: biasOf(weights, from) };
  });
  const activation = (relu: "none" | "relu" | "relu6") => (relu === "none" ? "linear" : relu);
  const apply = ({ layer, filter, bias }: Placed, values: readonly Tensor[]): Tensor => {
    const x = values[layer.x] as Tensor;
    switch (layer.kind) {
      case "conv": {
        const options = { x, filter: filter!, bias: bias!, strides: layer.stride, pad: "same" } as const;
        const fused = layer.depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
        return fused({ ...options, activation: activation(layer.relu) });
      }
      case "dense":
        return tf.fused.matMul({ a: tf.reshape(x, [1, layer.weights.k]), b: filter!, bias: bias! });
      case "maxPool":
        return tf.maxPool(x, layer.size, layer.stride, "same");
      case "add": {
        const sum = tf.add(x, values[layer.other] as Tensor);
        return layer.relu === "none" ? sum : tf.relu(sum);
      }
      case "average":
        return tf.avgPool(x, (net.values[layer.x] as NetValue).height, 1, "valid");
    }
  };
  return {
    run: (image) =>
      tf.tidy(() => {
        const values = [image];
        for (const each of placed) values.push(apply(each, values));
        return values.at(-1) as Tensor;
      }),
    dispose() {
      for (const { filter, bias } of placed) {
        filter?.dispose();
        bias?.dispose();
      }
    },
  };
}
