import { binary, lab, ternary } from "lowbit/quantize";
import { clipped } from "../estimators/gradients.ts";
import { relu, sign } from "../layers/activations.ts";
import { batchNorm } from "../layers/batch-norm.ts";
import { dense } from "../layers/dense.ts";
import { int8Pixels, normalizedPixels } from "../layers/input.ts";
import type { Layer } from "../layers/layer.ts";
import { xnorProduct } from "../layers/xnor-product.ts";
import type { Recipe } from "../recipe.ts";
import { proximalNewton } from "../strategies/proximal-newton.ts";
import { unitSigns } from "../strategies/quantized.ts";
import { straightThroughTraining } from "../strategies/straight-through.ts";
import { floatTraining, type Strategy } from "../strategies/strategy.ts";
import { MEAN, STD } from "./mnist-pixels.ts";
import { taught } from "./taught.ts";

/** Neurons of each hidden layer. The paper has 2048 (Hou et al. 2017); these train a seed within a quarter of an hour on one core. */
const WIDTH = 512;

/** Where activations are signs the pixels are int8 codes: the sums of the first layer are then whole numbers, and the packed run must agree with the training graph on every image. */
const network =
  (activation: (name: string) => Layer, width = WIDTH) =>
  (): Layer[] => [
    activation === sign ? int8Pixels("input") : normalizedPixels("input", MEAN, STD),
    ...[784, width, width].flatMap((inputs, i) => [
      dense(`dense${i + 1}`, { from: i === 0 ? [28, 28, 1] : [inputs], outputs: width }),
      batchNorm(`norm${i + 1}`, { channels: width }),
      activation(`act${i + 1}`),
    ]),
    dense("dense4", { from: [width], outputs: 10 }),
    batchNorm("norm4", { channels: 10 }),
  ];

/** The same with XNOR-Net's product in the place of signs and a dense layer: K, the mean of what a layer is given, scales what it answers. */
const xnorNetwork = (): Layer[] => [
  int8Pixels("input"),
  dense("dense1", { from: [28, 28, 1], outputs: WIDTH }),
  ...[WIDTH, WIDTH, 10].flatMap((outputs, i) => [
    batchNorm(`norm${i + 1}`, { channels: WIDTH }),
    xnorProduct(`product${i + 2}`, dense(`dense${i + 2}`, { from: [WIDTH], outputs })),
  ]),
  batchNorm("norm4", { channels: 10 }),
];

const setup = { epochs: 15, batch: 100, peakRate: 0.003, warmup: 100, shift: 1 };

const mlp = (scheme: string, description: string, strategy: () => Strategy, activation = relu): Recipe => ({
  name: `mnist-mlp-${scheme}`,
  description: `MLP 784-${WIDTH}-${WIDTH}-${WIDTH}-10 on MNIST, ${description}`,
  layers: network(activation),
  strategy,
  ...setup,
});

const signs = () => straightThroughTraining({ quantizer: unitSigns(), estimator: clipped });

const float = mlp("float", "float", () => floatTraining);
const bnn = mlp("bnn", "binary weights and activations (BNN)", signs, sign);

/** Twice as wide: bits are what activations of 512 neurons are short of. */
const WIDE = 1024;
const wide: Recipe = {
  ...bnn,
  name: "mnist-mlp-bnn-wide",
  description: `MLP 784-${WIDE}-${WIDE}-${WIDE}-10 on MNIST, binary weights and activations (BNN)`,
  layers: network(sign, WIDE),
  epochs: 25,
};

/** One setup, nine ways (Hou et al. 2017, table 1): what differs is the strategy and the activation, and that the last of them has the float network as its teacher (Apprentice); and once more with that teacher, wider and for longer. */
export const mnistMlp: readonly Recipe[] = [
  float,
  mlp("binaryconnect", "weights ±1 (BinaryConnect, deterministic)", signs),
  mlp("bwn", "binary weights with a scale for each neuron (BWN)", () =>
    straightThroughTraining({ quantizer: binary() }),
  ),
  mlp("ternary", "ternary weights (TWN)", () => straightThroughTraining({ quantizer: ternary() })),
  mlp("lab", "loss-aware binarization", () => proximalNewton({ quantizer: lab() })),
  bnn,
  {
    ...mlp("xnor", "binary weights and activations, both with a scale (XNOR-Net)", () =>
      straightThroughTraining({ quantizer: binary() }),
    ),
    layers: xnorNetwork,
  },
  mlp("lab-signs", "loss-aware binarization, binary activations", () => proximalNewton({ quantizer: lab() }), sign),
  taught(bnn, float),
  taught(wide, float),
];
