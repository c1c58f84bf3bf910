import { join } from "node:path";
import { binary, ternary } from "lowbit/quantize";
import { chosenImages, imagesDataset } from "../data/images.ts";
import { readJpegTar } from "../data/jpeg-tar.ts";
import { clipped } from "../estimators/gradients.ts";
import { relu, sign } from "../layers/activations.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { conv } from "../layers/conv.ts";
import { dense } from "../layers/dense.ts";
import { normalizedPixels } from "../layers/input.ts";
import type { Layer } from "../layers/layer.ts";
import { maxPool } from "../layers/pool.ts";
import type { Recipe, RecipeData } from "../recipe.ts";
import { straightThroughTraining } from "../strategies/straight-through.ts";
import { floatTraining, type Strategy } from "../strategies/strategy.ts";
import { aroundSigns } from "./around-signs.ts";
import { butFirst } from "./but-first.ts";

/** Mean and standard deviation of its training pixels, 0..255, all channels together. */
const [MEAN, STD] = [120.7, 64.2];

/** Number in a file's name, 0..4999 in each class. */
const numberOf = (name: string): number => Number(/(\d+)\.jpe?g$/i.exec(name)?.[1]);

/**
 * CIFAR-10's training images as JPEG files, `train.tar.gz` of `class/number.jpg`. The files numbered 4000 to 4999 of each class are the test, 10,000 of 50,000; 3900 to 3999 are looked at after each epoch. The files are lossy, so that figures compare with
 * each other alone.
 */
const cifar10: RecipeData = async (folder) => {
  const all = await readJpegTar(join(folder, "train.tar.gz"));
  const part = (from: number, to: number) =>
    chosenImages(
      all,
      [...all.names.keys()].filter((i) => {
        const number = numberOf(all.names[i]!);
        return number >= from && number < to;
      }),
    );
  return {
    training: imagesDataset(part(0, 3900), { flip: true }),
    validation: imagesDataset(part(3900, 4000)),
    test: imagesDataset(part(4000, 5000)),
    input: { name: "image", dtype: "f32", shape: [all.height, all.width, all.channels] },
  };
};

/** Two convolutions each, a pool in front of the first one's activation: 17 million multiply-adds an image, 0.29 million weights. */
const STAGES = [
  { inputs: 3, outputs: 32 },
  { inputs: 32, outputs: 64 },
  { inputs: 64, outputs: 128 },
] as const;

/** Where activations are signs, borders are +1 and the second convolution of each stage has a shortcut around it. */
const network = (activation: (name: string) => Layer) => (): Layer[] => {
  const border = activation === sign ? 1 : 0;
  const stage = ({ inputs, outputs }: (typeof STAGES)[number], i: number): Layer[] => {
    const [first, second] = [2 * i + 1, 2 * i + 2];
    return [
      conv(`conv${first}`, { inputs, outputs, border: i > 0 ? border : 0 }),
      maxPool(`pool${first}`),
      batchNorm(`norm${first}`, { channels: outputs }),
      ...aroundSigns(activation, `shortcut${i + 1}`, [
        activation(`act${first}`),
        conv(`conv${second}`, { inputs: outputs, outputs, border }),
        batchNorm(`norm${second}`, { channels: outputs }),
      ]),
      activation(`act${second}`),
    ];
  };
  return [
    normalizedPixels("input", MEAN, STD),
    ...STAGES.flatMap(stage),
    dense("dense", { from: [4, 4, 128], outputs: 10 }),
    batchNorm("norm7", { channels: 10 }),
  ];
};

const vgg = (
  scheme: string,
  description: string,
  strategy: () => Strategy,
  { epochs = 6, activation = relu } = {},
): Recipe => ({
  name: `cifar10-vgg-${scheme}`,
  description: `small VGG on CIFAR-10 as JPEG files, ${description}`,
  data: cifar10,
  layers: network(activation),
  strategy,
  epochs,
  batch: 64,
  peakRate: 0.003,
  warmup: 200,
  shift: 2,
});

/** Signs that flip settle while the rate falls, for which low-bit networks have two epochs more: after four, ternary weights were 2.0 points behind. */
export const cifar10Vgg: readonly Recipe[] = [
  vgg("float", "float", () => floatTraining, { epochs: 4 }),
  vgg("ternary", "ternary weights, the first convolution float", () =>
    straightThroughTraining({ quantizer: ternary(), layers: butFirst }),
  ),
  vgg("binary", "binary weights, the first convolution float", () =>
    straightThroughTraining({ quantizer: binary(), layers: butFirst }),
  ),
  vgg(
    "xnor",
    "binary weights and activations, the first convolution float",
    () => straightThroughTraining({ quantizer: binary(), layers: butFirst, estimator: clipped }),
    { activation: sign },
  ),
];
