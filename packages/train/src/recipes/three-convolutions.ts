import { sign } from "../layers/activations.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { conv } from "../layers/conv.ts";
import { dense } from "../layers/dense.ts";
import type { Layer } from "../layers/layer.ts";
import { maxPool } from "../layers/pool.ts";

/** Layers behind the input of a CNN for 28 x 28 images: three 3 x 3 convolutions of 32, 64 and 64 channels, the pools in front of the activations, and a dense layer. 5.7 million multiply-adds an image. */
export const threeConvolutions = (activation: (name: string) => Layer): Layer[] => [
  ...[
    [1, 32],
    [32, 64],
    [64, 64],
  ].flatMap(([inputs, outputs], i) => [
    conv(`conv${i + 1}`, { inputs: inputs!, outputs: outputs!, border: activation === sign && i > 0 ? 1 : 0 }),
    ...(i < 2 ? [maxPool(`pool${i + 1}`)] : []),
    batchNorm(`norm${i + 1}`, { channels: outputs! }),
    activation(`act${i + 1}`),
  ]),
  dense("dense", { from: [7, 7, 64], outputs: 10 }),
  batchNorm("norm4", { channels: 10 }),
];
