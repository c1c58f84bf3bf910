import { sign } from "../layers/activations.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { conv } from "../layers/conv.ts";
import { dense } from "../layers/dense.ts";
import type { Layer } from "../layers/layer.ts";
import { maxPool } from "../layers/pool.ts";
import { aroundSigns } from "./around-signs.ts";

/**
 * Layers behind the input of a CNN for 28 x 28 images: three 3 x 3 convolutions of 32, 64 and 64 channels, the pools in front of the activations, and a dense layer, or two with `hidden` neurons
 * between. 5.7 million multiply-adds an image.
 */
export function threeConvolutions(activation: (name: string) => Layer, hidden?: number): Layer[] {
  const border = activation === sign ? 1 : 0;
  return [
    conv("conv1", { inputs: 1, outputs: 32 }),
    maxPool("pool1"),
    batchNorm("norm1", { channels: 32 }),
    activation("act1"),
    conv("conv2", { inputs: 32, outputs: 64, border }),
    maxPool("pool2"),
    batchNorm("norm2", { channels: 64 }),
    ...aroundSigns(activation, "shortcut", [
      activation("act2"),
      conv("conv3", { inputs: 64, outputs: 64, border }),
      batchNorm("norm3", { channels: 64 }),
    ]),
    activation("act3"),
    ...(hidden === undefined
      ? [dense("dense", { from: [7, 7, 64], outputs: 10 })]
      : [
          dense("hidden", { from: [7, 7, 64], outputs: hidden }),
          batchNorm("norm-hidden", { channels: hidden }),
          activation("act-hidden"),
          dense("dense", { from: [hidden], outputs: 10 }),
        ]),
    batchNorm("norm4", { channels: 10 }),
  ];
}
