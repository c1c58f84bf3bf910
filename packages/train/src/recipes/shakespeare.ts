import { absmean, binary, lab } from "lowbit/quantize";
import { part, readText, textDataset } from "../data/text.ts";
import { clipped } from "../estimators/gradients.ts";
import { gelu } from "../layers/activations.ts";
import { attention } from "../layers/attention.ts";
import { dense } from "../layers/dense.ts";
import { embedding, positions } from "../layers/embedding.ts";
import type { Layer } from "../layers/layer.ts";
import { layerNorm } from "../layers/layer-norm.ts";
import { lstm } from "../layers/lstm.ts";
import { residual } from "../layers/residual.ts";
import { adamW } from "../optimizers/adam.ts";
import type { Recipe, RecipeData } from "../recipe.ts";
import { proximalNewton } from "../strategies/proximal-newton.ts";
import { unitSigns } from "../strategies/quantized.ts";
import { straightThroughTraining } from "../strategies/straight-through.ts";
import { floatTraining, type LayerChoice, type Strategy } from "../strategies/strategy.ts";

/** Different characters of tinyshakespeare. */
const ALPHABET = 65;

/** tinyshakespeare: the first 90 % train, the next 5 % are the validation, the last 5 % the test. */
const text =
  (length: number): RecipeData =>
  async (folder) => {
    const whole = await readText(folder);
    return {
      training: textDataset(part(whole, 0, 0.9), length),
      validation: textDataset(part(whole, 0.9, 0.95), length),
      test: textDataset(part(whole, 0.95, 1), length),
      input: { name: "tokens", dtype: "int32", shape: [length] },
    };
  };

/** Steps that gradients go back through. */
const LENGTH = 50;
const SIZE = 256;

/** The recurrent weights alone, as in Hou et al. 2017; table and last layer stay float. */
const recurrent: LayerChoice = ({ name }) => name.startsWith("lstm.");

const charLstm = (scheme: string, description: string, strategy: () => Strategy, signs = false): Recipe => ({
  name: `shakespeare-lstm-${scheme}`,
  description: `character LSTM of ${SIZE} cells on tinyshakespeare, ${description}`,
  data: text(LENGTH),
  layers: (): Layer[] => [
    embedding("table", { tokens: ALPHABET, size: 64 }),
    lstm("lstm", { inputs: 64, size: SIZE, length: LENGTH, signs }),
    dense("last", { from: [SIZE], outputs: ALPHABET, bias: true }),
  ],
  strategy,
  epochs: 5,
  batch: 64,
  peakRate: 0.003,
  warmup: 50,
  shift: 0,
});

const unit = () => straightThroughTraining({ quantizer: unitSigns(), layers: recurrent, estimator: clipped });

/** BinaryConnect and BNN have ±1, which saturates the gates; a scale (BWN, LAB) is what keeps a recurrent network alive (Hou et al. 2017, table 2). */
export const shakespeareLstm: readonly Recipe[] = [
  charLstm("float", "float", () => floatTraining),
  charLstm("binaryconnect", "weights ±1 (BinaryConnect)", unit),
  charLstm("bnn", "weights and what they multiply ±1 (BNN)", unit, true),
  charLstm("bwn", "binary weights with a scale for each gate and cell (BWN)", () =>
    straightThroughTraining({ quantizer: binary(), layers: recurrent }),
  ),
  charLstm("lab", "loss-aware binarization", () => proximalNewton({ quantizer: lab(), layers: recurrent })),
];

const CONTEXT = 64;
const MODEL = 144;

const transformer = (
  scheme: string,
  description: string,
  strategy: () => Strategy,
  activations: { readonly activations?: "int8" } = {},
): Recipe => ({
  name: `shakespeare-transformer-${scheme}`,
  description: `transformer of 4 layers, ${MODEL} wide, 4 heads on tinyshakespeare, ${description}`,
  data: text(CONTEXT),
  layers: (): Layer[] => [
    embedding("table", { tokens: ALPHABET, size: MODEL }),
    positions("positions", CONTEXT, MODEL),
    ...[1, 2, 3, 4].flatMap((i) => [
      residual(`attend${i}`, [
        layerNorm(`attend${i}.norm`, MODEL),
        attention(`attend${i}.attention`, { size: MODEL, heads: 4, ...activations }),
      ]),
      residual(`think${i}`, [
        layerNorm(`think${i}.norm`, MODEL),
        dense(`think${i}.up`, { from: [MODEL], outputs: 4 * MODEL, bias: true, ...activations }),
        gelu(`think${i}.gelu`),
        dense(`think${i}.down`, { from: [4 * MODEL], outputs: MODEL, bias: true, ...activations }),
      ]),
    ]),
    layerNorm("norm", MODEL),
    dense("last", { from: [MODEL], outputs: ALPHABET, bias: true }),
  ],
  strategy,
  optimizer: adamW(0.01),
  epochs: 4,
  batch: 32,
  peakRate: 0.002,
  warmup: 100,
  shift: 0,
});

const inner: LayerChoice = ({ name }) => !/^(table|last)\./.test(name);

/** A million weights, of which the products inside are float in the first and ternary in the others; the last multiplies int8 rows too, which is the whole of BitNet b1.58 (Ma et al. 2024). */
export const shakespeareTransformer: readonly Recipe[] = [
  transformer("float", "float", () => floatTraining),
  transformer("ternary", "ternary weights (of BitNet b1.58)", () =>
    straightThroughTraining({ quantizer: absmean(), layers: inner }),
  ),
  transformer(
    "bitnet",
    "ternary weights and int8 activations (BitNet b1.58)",
    () => straightThroughTraining({ quantizer: absmean(), layers: inner }),
    { activations: "int8" },
  ),
];
