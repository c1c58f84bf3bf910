import type { Layer } from "./layer.ts";

/** 2x2 maximum, stride 2: [N,H,W,C] -> [N,H/2,W/2,C]; H and W even. Where maxima tie they share the gradient. */
export function maxPool(name: string): Layer {
  return {
    name,
    apply(x) {
      const [n, height, width, channels] = x.shape as [number, number, number, number];
      return x.reshape([n, height / 2, 2, width / 2, 2, channels]).max([2, 4]);
    },
    write: (graph, x) =>
      graph.add("maxPool", name, [x], { kernel: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 0, 0] }),
    freeze: () => [{ kind: "maxPool", name }],
  };
}
