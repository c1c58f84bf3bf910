/** The shapes of MobileNet v1 (Howard et al. 2017) and v2 (Sandler et al. 2018), width 1. */
import { type Net, NetBuilder, type NetOptions } from "./net.ts";

/** Stride and outputs of the thirteen depthwise-separable blocks of v1. */
const separable: readonly (readonly [stride: number, outputs: number])[] = [
  [1, 64],
  [2, 128],
  [1, 128],
  [2, 256],
  [1, 256],
  [2, 512],
  ...Array.from({ length: 5 }, () => [1, 512] as const),
  [2, 1024],
  [1, 1024],
];

/** `ternary`: the pointwise convolutions, which hold most of the weights, are of -1, 0 and +1. */
export function mobilenetV1(options: NetOptions & { readonly ternary?: boolean }): Net {
  const net = new NetBuilder(options);
  const { ternary = false } = options;
  let x = net.conv(0, 32, { kernel: 3, stride: 2, relu: "relu6" });
  for (const [stride, outputs] of separable) {
    x = net.conv(x, "depthwise", { kernel: 3, stride, relu: "relu6" });
    x = net.conv(x, outputs, { relu: "relu6", ternary });
  }
  net.dense(net.average(x), 1000);
  return net.build();
}

/** Expansion, outputs, repeats, stride of the first, of v2's stages of inverted residuals. */
const stages: readonly (readonly [expansion: number, outputs: number, repeats: number, stride: number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

export function mobilenetV2(options: NetOptions): Net {
  const net = new NetBuilder(options);
  let x = net.conv(0, 32, { kernel: 3, stride: 2, relu: "relu6" });
  let published = 32;
  for (const [expansion, outputs, repeats, first] of stages)
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? first : 1;
      let y = expansion === 1 ? x : net.conv(x, expansion * published, { relu: "relu6" });
      y = net.conv(y, "depthwise", { kernel: 3, stride, relu: "relu6" });
      y = net.conv(y, outputs);
      x = stride === 1 && published === outputs ? net.add(x, y) : y;
      published = outputs;
    }
  x = net.conv(x, 1280, { relu: "relu6" });
  net.dense(net.average(x), 1000);
  return net.build();
}
